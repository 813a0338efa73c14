"""Orders out to a file, and back into an empty book as the same orders."""

import asyncio
import csv
import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from order_books import CLOCK, PLACED, an_order, book_of, shapes, tea

from ordermill.imports.model import Tally
from ordermill.imports.orderfile import Options, order_file
from ordermill.imports.process import Imports, Watcher
from ordermill.kit.clock import FixedClock
from ordermill.kit.errors import Invalid, Unavailable
from ordermill.kit.ids import new_id
from ordermill.kit.money import Currency, unit_price
from ordermill.kit.text import identifier
from ordermill.orders.export import BLOCK, COLUMNS, Exported
from ordermill.orders.model import Address, Item, Order, PaymentState, Status
from ordermill.orders.ports import OrderFilter
from ordermill.orders.service import Orders
from ordermill.storage.memory import MemoryStorage

EVERYTHING = OrderFilter()


async def exported(path: Path, *orders: Order, wanted: OrderFilter = EVERYTHING) -> Exported:
    return await Orders((await book_of(*orders)).unit, clock=CLOCK).export(path, wanted)


async def process(path: Path, storage: MemoryStorage) -> Tally:
    """Bring a file into a book whose own settings fit none of its orders."""
    with order_file(str(path), Options(), currency="XPF", timezone="Asia/Tokyo") as file:
        imports = Imports(storage.imports, clock=FixedClock(PLACED))
        return (await imports.process(file, rejects=None, watcher=Watcher())).tally


async def imported(path: Path) -> MemoryStorage:
    """Return a new book of all that a file holds."""
    storage = MemoryStorage()
    tally = await process(path, storage)
    assert (tally.reasons, tally.adjustments) == ({}, {})
    return storage


async def cells(path: Path, *orders: Order) -> list[dict[str, str]]:
    await exported(path, *orders)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


class TestFile:
    pytestmark = pytest.mark.anyio

    async def test_counts_orders_and_items(self, tmp_path: Path) -> None:
        two = an_order(number="2", items=[tea(), tea(sku="POT")], subtotal=Decimal(18), total=Decimal(18))

        done = await exported(tmp_path / "orders.csv", an_order(), two)

        assert done == Exported(tmp_path / "orders.csv", orders=2, items=3)

    async def test_holds_what_the_filter_asks_for(self, tmp_path: Path) -> None:
        path = tmp_path / "orders.jsonl"

        done = await exported(path, an_order(), an_order(channel="shop"), wanted=OrderFilter(channel="shop"))

        assert done.orders == 1
        assert json.loads(path.read_text())["channel"] == "shop"

    @pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
    async def test_holds_more_orders_than_are_written_at_a_time(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"orders{suffix}"

        done = await exported(path, *(an_order(number=str(n)) for n in range(BLOCK + 1)))

        assert done.orders == BLOCK + 1
        assert len(await shapes(await imported(path))) == BLOCK + 1

    @pytest.mark.parametrize("name", ["orders.parquet", "orders", "orders.csv.gz", "-"])
    async def test_of_another_suffix_is_refused_and_not_begun(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(Invalid) as caught:
            await exported(tmp_path / name, an_order())

        assert caught.value.code == "unknown_export_format"
        assert list(tmp_path.iterdir()) == []

    async def test_suffix_may_be_in_capitals(self, tmp_path: Path) -> None:
        assert (await exported(tmp_path / "ORDERS.CSV", an_order())).orders == 1

    async def test_takes_the_place_of_an_older_one(self, tmp_path: Path) -> None:
        path = tmp_path / "orders.jsonl"
        path.write_text("what was there before\n" * 100)

        await exported(path, an_order())

        assert json.loads(path.read_text())["number"] == "1001"
        assert [file.name for file in tmp_path.iterdir()] == ["orders.jsonl"]

    async def test_of_two_exports_at_once_is_one_of_them_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "orders.jsonl"

        await asyncio.gather(exported(path, an_order(number="1")), exported(path, an_order(number="2")))

        assert json.loads(path.read_text())["number"] in {"1", "2"}
        assert [file.name for file in tmp_path.iterdir()] == ["orders.jsonl"]

    async def test_that_cannot_be_finished_leaves_the_older_one(self, tmp_path: Path) -> None:
        path = tmp_path / "orders.csv"
        path.write_text("what was there before")

        with pytest.raises(Unavailable, match="The database failed"):
            await Orders(Failing, clock=CLOCK).export(path, EVERYTHING)  # type: ignore[arg-type]  # orders only

        assert path.read_text() == "what was there before"
        assert [file.name for file in tmp_path.iterdir()] == ["orders.csv"]

    async def test_that_cannot_be_written_is_refused_with_its_name(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable) as caught:
            await exported(tmp_path / "missing" / "orders.csv", an_order())

        assert caught.value.code == "export_unwritable"
        assert "orders.csv': No such file or directory." in str(caught.value)

    async def test_whose_place_is_a_directory_is_refused_and_leaves_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "orders.csv").mkdir()

        with pytest.raises(Unavailable) as caught:
            await exported(tmp_path / "orders.csv", an_order())

        assert caught.value.code == "export_unwritable"
        assert [file.name for file in tmp_path.iterdir()] == ["orders.csv"]

    async def test_without_orders_has_its_header(self, tmp_path: Path) -> None:
        assert await exported(tmp_path / "orders.csv") == Exported(tmp_path / "orders.csv", orders=0, items=0)
        assert (tmp_path / "orders.csv").read_text() == ",".join(COLUMNS) + "\n"


class Failing:
    """A unit whose book gives two blocks of orders and then fails."""

    def __init__(self) -> None:
        self.orders = self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def every(self, wanted: OrderFilter) -> AsyncGenerator[Order, None]:
        for number in range(2 * BLOCK):
            yield an_order(number=str(number))
        raise Unavailable("The database failed.")


class TestCsv:
    pytestmark = pytest.mark.anyio

    async def test_flattens_the_shape(self, tmp_path: Path) -> None:
        path = tmp_path / "orders.csv"
        order = an_order(
            number="1,001",
            shipping_address=Address(name='Ada "the" First', city="York"),
            note="Ring twice.\nThen wait.",
            discount=Decimal("1.00"),
            items=[tea(discount=Decimal("1.00"))],
            total=Decimal("8.00"),
        )

        await exported(path, order)

        shipping = ",".join(f"shipping_{part}" for part in Address.__slots__)
        billing = ",".join(f"billing_{part}" for part in Address.__slots__)
        assert path.read_bytes().decode() == (
            "id,number,channel,external_id,status,payment,currency,customer_id,customer_email,"
            "product_id,sku,name,quantity,unit_price,item_discount,item_total,"
            "subtotal,discount,discount_code,shipping,tax,tax_included,total,paid,refunded,source_total,"
            f"{shipping},{billing},carrier,tracking_number,note,placed_at,updated_at,version\r\n"
            f'{order.id},"1,001",api,,pending,unpaid,EUR,,,,TEA-1,Tea,2,4.50,1.00,9.00,'
            "9.00,1.00,,0.00,0.00,0.00,8.00,0.00,0.00,,"
            '"Ada ""the"" First",,,,York,,,,,,,,,,,,,,,,"Ring twice.\nThen wait.",'
            "2026-11-22T10:00:00Z,2026-11-22T10:00:00Z,1\r\n"
        )

    async def test_repeats_the_order_on_the_row_of_each_item(self, tmp_path: Path) -> None:
        order = an_order(items=[tea(), tea(sku="POT", name="Pot")], subtotal=Decimal(18), total=Decimal(18))

        rows = await cells(tmp_path / "orders.csv", order)

        assert [(row["number"], row["sku"], row["name"], row["total"]) for row in rows] == [
            ("1001", "TEA-1", "Tea", "18.00"),
            ("1001", "POT", "Pot", "18.00"),
        ]

    async def test_an_order_without_items_keeps_a_row(self, tmp_path: Path) -> None:
        (row,) = await cells(tmp_path / "orders.csv", an_order(items=[], subtotal=Decimal(0), total=Decimal(0)))

        assert (row["number"], row["sku"], row["quantity"]) == ("1001", "", "")

    @pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t", "\r"])
    async def test_a_text_that_would_run_as_a_formula_gets_an_apostrophe(self, tmp_path: Path, beginning: str) -> None:
        text = f"{beginning}1+2"
        address = Address(**dict.fromkeys(Address.__slots__, text))
        order = an_order(
            number=text,
            channel=text,
            external_id=text,
            customer_email=f"{text}@example.com",
            items=[tea(sku=text, name=text)],
            discount_code=text,
            carrier=text,
            tracking_number=text,
            note=text,
            shipping_address=address,
            billing_address=address,
        )

        (row,) = await cells(tmp_path / "orders.csv", order)

        assert {name for name, cell in row.items() if cell[:1] == beginning} == set()
        assert sum(cell.startswith(f"'{text}") for cell in row.values()) == 10 + 2 * 9

    async def test_a_text_that_looks_guarded_is_guarded_once_more(self, tmp_path: Path) -> None:
        (row,) = await cells(tmp_path / "orders.csv", an_order(note="'=1+2", carrier="'s Gravenhage", tracking_number="1-2"))

        assert (row["note"], row["carrier"], row["tracking_number"]) == ("''=1+2", "'s Gravenhage", "1-2")


class TestReimport:
    pytestmark = pytest.mark.anyio

    @pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
    async def test_gives_the_same_orders(self, tmp_path: Path, suffix: str) -> None:
        full = an_order(
            number="=1001",
            channel="shopify",
            external_id="5001",
            status=Status.SHIPPED,
            payment=PaymentState.PARTIALLY_REFUNDED,
            currency="GBP",
            customer_email="Ada@Example.com",
            items=[
                tea(sku="SCREW", quantity=40, unit_price=Decimal("0.1250"), total=Decimal("5.00"), discount=Decimal("0.33")),
                tea(sku="POT", name="Pot, blue", quantity=3, unit_price=Decimal("3.3333"), total=Decimal("10.00")),
            ],
            subtotal=Decimal("15.00"),
            discount=Decimal("0.33"),
            discount_code="SPRING26",
            shipping=Decimal("3.90"),
            tax=Decimal("1.00"),
            tax_included=Decimal("0.10"),
            total=Decimal("19.57"),
            paid=Decimal("19.50"),
            refunded=Decimal("2.00"),
            source_total=Decimal("19.58"),
            shipping_address=Address(name="Ada", line1="1 Mill Lane", city="'s Gravenhage", phone="+31 70 000"),
            billing_address=Address(country="NL"),
            carrier="DHL",
            tracking_number="-7",
            note='Ring "twice".\r\n\n=then wait',
        )
        guest = an_order(currency="JPY", items=[tea(unit_price=Decimal(1900), total=Decimal(3800))])
        guest = replace(guest, subtotal=Decimal(3800), total=Decimal(3800), status=Status.CANCELLED)
        book = await book_of(full, guest)
        path = tmp_path / f"orders{suffix}"

        await Orders(book.unit, clock=CLOCK).export(path, EVERYTHING)

        # A new book gives ids of its own, so the orders may come in another order.
        by_number = sorted(await shapes(await imported(path)), key=lambda shape: str(shape["number"]))
        assert by_number == sorted(await shapes(book), key=lambda shape: str(shape["number"]))

    async def test_of_either_format_gives_the_same_book(self, tmp_path: Path) -> None:
        """What a run of one has brought is unchanged for the other."""
        book = await book_of(an_order(note="=1", customer_email="ada@example.com"))
        storage = MemoryStorage()
        counts = []

        for name in ("orders.csv", "orders.jsonl"):
            await Orders(book.unit, clock=CLOCK).export(tmp_path / name, EVERYTHING)
            tally = await process(tmp_path / name, storage)
            counts.append((tally.orders["new"], tally.orders["unchanged"]))

        assert counts == [(1, 0), (0, 1)]


def texts(limit: int) -> st.SearchStrategy[str]:
    """Return texts as a book holds them: no controls, no space around; of all of them those that CSV has trouble with."""
    symbols = st.one_of(
        st.sampled_from("=+-@'\",;\t\r\n é\u2028\ufeff"),
        st.characters(exclude_categories=("Cs", "Cc")),
    )
    return st.text(symbols, max_size=12).map(str.strip).filter(lambda text: 0 < len(text) <= limit)


IDENTIFIERS = texts(64).map(identifier).filter(bool)
MAYBE = st.none() | texts(64)


@st.composite
def items(draw: st.DrawFn, money: Currency, sku: str) -> Item:
    """Return a line whose total is its price times its quantity, as far as it is rounded."""
    price = unit_price(draw(st.integers(0, 10**7)), currency=money)
    quantity = draw(st.integers(1, 1000))
    total = money.round(quantity * price)
    discount = money.decimal(draw(st.integers(0, money.minor(total))))
    return Item(sku=sku, name=draw(texts(64)), quantity=quantity, unit_price=price, total=total, discount=discount)


@st.composite
def addresses(draw: st.DrawFn) -> Address | None:
    parts: dict[str, Any] = {part: draw(MAYBE) for part in Address.__slots__}
    parts["country"] = draw(st.sampled_from([None, "GB", "NL"]))
    return Address(**parts) if any(parts.values()) else None


@st.composite
def any_orders(draw: st.DrawFn) -> Order:
    money = Currency.of(draw(st.sampled_from(["EUR", "JPY", "KWD"])))
    skus = draw(st.lists(IDENTIFIERS, min_size=1, max_size=3, unique=True))
    lines = [draw(items(money, sku)) for sku in skus]
    amounts: dict[str, Any] = {
        name: money.decimal(draw(st.integers(0, 10**9)))
        for name in ("shipping", "tax", "tax_included", "paid", "refunded", "source_total")
    }
    subtotal = sum((line.total for line in lines), Decimal(0))
    discount = sum((line.discount for line in lines), Decimal(0))
    moments = st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # its bounds are naive
    return Order(
        id=new_id(PLACED),
        number=draw(IDENTIFIERS),
        channel=draw(IDENTIFIERS),
        external_id=draw(st.none() | IDENTIFIERS),
        currency=money.code,
        status=draw(st.sampled_from(Status)),
        payment=draw(st.sampled_from(PaymentState)),
        customer_email=draw(st.sampled_from([None, "ada@example.com", "-Eve+1@Example.com"])),
        items=lines,
        subtotal=subtotal,
        discount=discount,
        total=subtotal - discount + amounts["shipping"] + amounts["tax"],
        **amounts | ({"source_total": None} if draw(st.booleans()) else {}),
        shipping_address=draw(addresses()),
        billing_address=draw(addresses()),
        discount_code=draw(MAYBE),
        carrier=draw(MAYBE),
        tracking_number=draw(MAYBE),
        note=draw(MAYBE),
        placed_at=draw(moments),
        updated_at=draw(moments),
    )


class TestEveryOrder:
    @pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
    @given(order=any_orders())
    @settings(max_examples=25)
    def test_comes_back_as_it_went(self, suffix: str, order: Order) -> None:
        async def there_and_back(path: Path) -> None:
            book = await book_of(order)
            await Orders(book.unit, clock=CLOCK).export(path, EVERYTHING)
            assert await shapes(await imported(path)) == await shapes(book)

        with TemporaryDirectory() as directory:
            asyncio.run(there_and_back(Path(directory) / f"orders{suffix}"))

"""From a file to the book: an order is loaded whole, once, and under the number the book knows it by, or not at all."""

import io
from pathlib import Path

import pytest

from ordermill.imports.orderfile import Options, order_file
from ordermill.imports.process import Imports, Watcher
from ordermill.imports.report import FileReport
from ordermill.kit.clock import SystemClock
from ordermill.storage.memory import MemoryStorage

pytestmark = pytest.mark.anyio

REST = "2026-05-04T10:00:00Z,EUR,ada@example.com"


async def _processed(directory: Path, text: str, *, name: str = "orders.csv") -> tuple[FileReport, dict[str, list[str]]]:
    """Process a file into an empty book; return the report, and each order's SKUs by its number."""
    path = directory / name
    path.write_text(text, encoding="utf-8")
    storage = MemoryStorage()
    with order_file(str(path), Options(), currency="EUR", timezone="UTC") as file:
        report = await Imports(storage.imports, clock=SystemClock()).process(file, rejects=None, watcher=Watcher())
    orders = await storage.unit().orders.get_all(limit=100_000)
    return report, {order.number: [item.sku for item in order.items] for order in orders}


def _outcome(report: FileReport) -> dict[str, int]:
    return {name: count for name, count in report.tally.orders.items() if count}


class TestALineWithADelimiterTooMany:
    """Its fields are displaced behind the stray delimiter, so an order's number there is another one's, or none."""

    HEADER = "sku,name,quantity,unit_price,number,placed_at,currency,customer_email\n"

    async def test_takes_its_order_with_it_when_the_number_stands_behind(self, tmp_path: Path) -> None:
        text = f"{self.HEADER}A,Pot,1,5.00,1001,{REST}\nB,Mug, blue,1,9.00,1001,{REST}\nC,Cup,1,2.00,1002,{REST}\n"

        report, book = await _processed(tmp_path, text)

        assert book == {"1002": ["C"]}
        assert _outcome(report) == {"read": 2, "new": 1, "rejected": 1}
        assert report.tally.lines == {"read": 3, "accepted": 1, "rejected": 2}

    async def test_takes_the_order_below_it_when_it_begins_that_one(self, tmp_path: Path) -> None:
        text = f"{self.HEADER}A,Pot,1,5.00,1001,{REST}\nB,Mug, blue,1,9.00,1002,{REST}\nC,Cup,1,2.00,1002,{REST}\n"

        _, book = await _processed(tmp_path, text)

        assert book == {"1001": ["A"]}

    async def test_is_told_from_the_left_when_the_number_stands_before(self, tmp_path: Path) -> None:
        header = "number,sku,name,quantity,unit_price,placed_at,currency,customer_email\n"
        text = f"{header}1001,A,Pot,1,5.00,{REST}\n1002,B,Mug, blue,1,9.00,{REST}\n1002,C,Cup,1,2.00,{REST}\n"

        _, book = await _processed(tmp_path, text)

        assert book == {"1001": ["A"]}


class TestOneOrderUnderTwoSpellings:
    HEADER = "channel,number,sku,quantity,unit_price,placed_at,currency,customer_email\n"

    async def test_of_its_channel_is_one_order(self, tmp_path: Path) -> None:
        """A line that names no channel belongs to the run's, also beside one that names it."""
        text = f"{self.HEADER},9,A,1,5.00,{REST}\nordermill,9,B,1,9.00,{REST}\n"

        report, book = await _processed(tmp_path, text)

        assert book == {"9": ["A", "B"]}
        assert _outcome(report) == {"read": 1, "new": 1}

    async def test_of_its_number_in_two_normal_forms_is_one_order(self, tmp_path: Path) -> None:
        text = f"{self.HEADER},é-1,A,1,5.00,{REST}\n,8,X,1,1.00,{REST}\n,e\N{COMBINING ACUTE ACCENT}-1,B,1,9.00,{REST}\n"

        _, book = await _processed(tmp_path, text)

        assert book == {"é-1": ["A", "B"], "8": ["X"]}


class TestTwoOrdersUnderOneId:
    HEADER = "number,external_id,sku,quantity,unit_price,placed_at,currency,customer_email\n"

    async def test_are_not_one_and_the_first_stays_as_it_is(self, tmp_path: Path) -> None:
        """Also when they come in different batches, as the last order of every block does."""
        report, book = await _processed(tmp_path, f"{self.HEADER}1,E,A,1,5.00,{REST}\n2,E,B,1,9.00,{REST}\n")

        assert book == {"1": ["A"]}
        assert _outcome(report) == {"read": 2, "new": 1, "rejected": 1}
        assert list(report.tally.reasons) == ["different_order"]

    async def test_are_not_one_when_the_book_had_it_before(self, tmp_path: Path) -> None:
        """An update of this run is not overwritten by the next order of the same file either."""
        storage = MemoryStorage()
        imports = Imports(storage.imports, clock=SystemClock())
        for number, text in enumerate((f"1,E,A,1,5.00,{REST}\n", f"1,E,A,2,5.00,{REST}\n2,E,B,1,9.00,{REST}\n")):
            path = tmp_path / f"{number}.csv"
            path.write_text(self.HEADER + text)
            with order_file(str(path), Options(), currency="EUR", timezone="UTC") as file:
                report = await imports.process(file, rejects=None, watcher=Watcher())

        orders = await storage.unit().orders.get_all(limit=100_000)
        assert [(order.number, order.items[0].quantity) for order in orders] == [("1", 2)]
        assert _outcome(report) == {"read": 2, "updated": 1, "rejected": 1}


class TestHostileFiles:
    @pytest.mark.parametrize("orders", [2, 30_000], ids=["two orders", "several blocks"])
    async def test_leave_exactly_the_orders_whose_lines_are_all_sound(self, tmp_path: Path, orders: int) -> None:
        """Every seventh order has a stray quote, every eleventh a delimiter too many; the number is the last column."""
        text = io.StringIO()
        text.write("placed_at,currency,sku,name,quantity,unit_price,customer_email,number\n")
        for order in range(orders):
            for line in range(3):
                name = 'a"b' if order % 7 == 1 and line == 1 else "a,b" if order % 11 == 3 and line == 2 else "A plain thing"
                text.write(f"2026-05-04T10:00:00Z,EUR,S{line},{name},1,2.00,ada@example.org,N{order}\n")

        report, book = await _processed(tmp_path, text.getvalue())

        sound = {f"N{order}" for order in range(orders) if order % 7 != 1 and order % 11 != 3}
        assert set(book) == sound
        assert {len(skus) for skus in book.values()} == {3}
        assert report.tally.orders["read"] == orders

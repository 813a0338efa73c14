"""What Ordermill's own formats make of a file: names and clean text, before any rule is applied."""

import json
from typing import Any

import polars as pl
import pytest

from ordermill.imports.formats import Format, ordermill_csv, ordermill_jsonl

OWN = ordermill_csv.FORMAT
JSONL = ordermill_jsonl.FORMAT


def table(*rows: dict[str, str]) -> pl.DataFrame:
    """Build the raw frame of a table whose first record is on line 2; what a row leaves out is empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    filled = [{name: row.get(name, "") for name in columns} for row in rows]
    return pl.DataFrame(filled, schema=dict.fromkeys(columns, pl.String)).with_row_index("_line", offset=2)


def documents(*orders: Any) -> pl.DataFrame:
    lines = [order if isinstance(order, str) else json.dumps(order) for order in orders]
    return pl.DataFrame({"_raw": lines}).with_row_index("_line", offset=1)


def read(fmt: Format, raw: pl.DataFrame) -> list[dict[str, Any]]:
    return fmt.read(raw).to_dicts()


def keys(fmt: Format, raw: pl.DataFrame) -> list[str | None]:
    return raw.select(fmt.key([name for name in raw.columns if name != "_line"], channel="shop")).to_series().to_list()


class TestOrdermillCsv:
    def test_takes_the_canonical_columns_and_leaves_others_out(self) -> None:
        row = {"id": "0192", "number": "7", "version": "1", "sku": "A", "quantity": "2", "unit_price": "4.50", "item_total": ""}

        assert read(OWN, table(row)) == [
            {"_line": 2, "number": "7", "sku": "A", "quantity": "2", "unit_price": "4.50", "item_total": None}
        ]

    def test_an_order_is_a_number_within_its_channel(self) -> None:
        raw = table(
            {"channel": "api", "number": "7"},
            {"channel": "shop", "number": "7"},
            {"channel": "api", "number": " 7"},
            {"channel": "api", "number": ""},
        )

        first, other, again, none = keys(OWN, raw)

        assert first == again != other
        assert none is None

    def test_without_a_channel_the_number_is_enough(self) -> None:
        assert keys(OWN, table({"number": "7"})) == ["7"]

    def test_the_total_is_the_files_own_where_it_has_no_source_total(self) -> None:
        assert read(OWN, table({"number": "7", "total": "9.00"}))[0]["source_total"] == "9.00"

    def test_an_exported_order_without_source_total_stays_without(self) -> None:
        assert read(OWN, table({"number": "7", "total": "9.00", "source_total": ""}))[0]["source_total"] is None

    @pytest.mark.parametrize(
        ("cell", "value"),
        [
            ("'=1+1", "=1+1"),
            ("'-4.00", "-4.00"),
            ("'@ada", "@ada"),
            ("''=1+1", "'=1+1"),
            ("'s Gravenhage", "'s Gravenhage"),
            ("'", "'"),
        ],
    )
    def test_takes_off_one_guard_against_formulas_and_no_other_apostrophe(self, cell: str, value: str) -> None:
        assert read(OWN, table({"note": cell}))[0]["note"] == value

    def test_names_the_files_own_columns(self) -> None:
        assert OWN.source_names(["number", "total", "colour"]) == {"number": "number", "source_total": "total"}


def order(**changes: Any) -> dict[str, Any]:
    item = {
        "product_id": 7,
        "sku": "TEA-1",
        "name": "Tea",
        "quantity": 2,
        "unit_price": "4.50",
        "discount": "1.00",
        "total": "9.00",
    }
    address = {"name": "Ada", "company": None, "city": "York", "country": "GB"}
    return {"number": "1001", "channel": "api", "items": [item], "shipping_address": address, "note": None} | changes


class TestOrdermillJsonl:
    def test_flattens_items_and_addresses(self) -> None:
        (row,) = read(JSONL, documents(order()))

        assert {name: value for name, value in row.items() if value is not None} == {
            "_line": 1,
            "number": "1001",
            "channel": "api",
            "sku": "TEA-1",
            "name": "Tea",
            "quantity": "2",
            "unit_price": "4.50",
            "item_discount": "1.00",
            "item_total": "9.00",
            "shipping_name": "Ada",
            "shipping_city": "York",
            "shipping_country": "GB",
        }

    def test_gives_one_row_per_item_each_with_its_document_line(self) -> None:
        two = order(items=[{"sku": "A"}, {"sku": "B"}])

        rows = read(JSONL, documents(two, order(number="1002")))

        assert [(row["_line"], row["number"], row["sku"]) for row in rows] == [
            (1, "1001", "A"),
            (1, "1001", "B"),
            (2, "1002", "TEA-1"),
        ]

    def test_a_document_without_items_keeps_a_row(self) -> None:
        (row,) = read(JSONL, documents(order(items=[])))

        assert (row["number"], row["sku"], row["_misshapen"]) == ("1001", None, None)

    def test_an_integer_is_whole_major_units(self) -> None:
        assert read(JSONL, documents(order(shipping=12)))[0]["shipping"] == "12"

    @pytest.mark.parametrize("number", ["4.5", "1e3", "NaN"])
    def test_a_json_number_with_a_point_is_no_amount(self, number: str) -> None:
        text = json.dumps(order()).replace('"4.50"', number)

        assert read(JSONL, documents(text))[0]["unit_price"] == f"{number} (a JSON number; amounts are strings)"

    def test_other_fields_may_be_such_numbers(self) -> None:
        assert read(JSONL, documents(order(number=1001.5)))[0]["number"] == "1001.5"

    def test_a_number_of_any_length_is_kept_as_text(self) -> None:
        text = json.dumps(order()).replace('"1001"', "9" * 5000)

        assert read(JSONL, documents(text))[0]["number"] == "9" * 5000

    def test_the_total_is_the_files_own_where_it_has_no_source_total(self) -> None:
        rows = read(JSONL, documents(order(total="9.00"), order(total="9.00", source_total=None)))

        assert [row["source_total"] for row in rows] == ["9.00", None]

    @pytest.mark.parametrize(
        ("document", "sentence"),
        [
            ("[1]", "This line must be a JSON object."),
            ("null", "This line must be a JSON object."),
            ('{"number": ', "This line is not JSON: Expecting value at character 12."),
            ('{"a": ' + "[" * 100_000, "This line is not an order: it is nested too deeply."),
            (order(items={"sku": "A"}), "The field 'items' must be a list of objects."),
            (order(items=["A"]), "Each of the items must be a JSON object."),
            (order(items=[{"sku": ["A"]}]), "The field 'sku' must be a string or a number."),
            (order(note=True), "The field 'note' must be a string or a number."),
            (order(billing_address="York"), "The field 'billing_address' must be a JSON object."),
        ],
    )
    def test_says_what_is_no_order(self, document: Any, sentence: str) -> None:
        assert [row["_misshapen"] for row in read(JSONL, documents(document))] == [sentence]

    def test_half_a_surrogate_pair_becomes_a_control_that_the_rules_refuse(self) -> None:
        rows = read(JSONL, documents(order(note="\ud83d!"), order(note="fine")))

        assert [row["note"] for row in rows] == ["\x1a!", "fine"]

    def test_an_empty_block_gives_no_rows(self) -> None:
        assert JSONL.read(documents().cast({"_raw": pl.String})).height == 0

    def test_names_fields_as_they_are_nested(self) -> None:
        names = JSONL.source_names(["_raw"])

        assert [names[column] for column in ("number", "sku", "item_total", "billing_city")] == [
            "number",
            "items.sku",
            "items.total",
            "billing_address.city",
        ]

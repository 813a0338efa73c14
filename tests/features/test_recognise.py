"""Which format a file is found to be of, and what is said of one that cannot be read."""

import json
from pathlib import Path
from typing import Literal

import pytest

from ordermill.imports import mapfile
from ordermill.imports.formats import Sample
from ordermill.imports.recognise import known, recognise
from ordermill.kit.errors import Invalid

EXAMPLES = Path(__file__).parents[2] / "examples"
OWN = ("channel", "number", "sku", "quantity", "unit_price")
SHOPIFY = ("Name", "Email", "Created at", "Lineitem quantity", "Lineitem name", "Lineitem price")


def csv(*columns: str) -> Sample:
    return Sample("csv", columns, "orders.csv")


def refusal(sample: Sample, *, wanted: str | None = None) -> Invalid:
    with pytest.raises(Invalid) as refused:
        recognise(sample, wanted=wanted)
    return refused.value


class TestRecognise:
    def test_the_formats_there_are(self) -> None:
        assert list(known()) == ["ordermill-csv", "ordermill-jsonl", "shopify"]

    @pytest.mark.parametrize(
        ("sample", "name"),
        [
            (csv(*OWN), "ordermill-csv"),
            (csv("number", "sku", "quantity", "item_total"), "ordermill-csv"),
            (csv(*SHOPIFY), "shopify"),
            (Sample("jsonl", ("id", "number", "items"), "orders.jsonl"), "ordermill-jsonl"),
        ],
    )
    def test_knows_a_format_by_its_header(self, sample: Sample, name: str) -> None:
        assert recognise(sample).name == name

    def test_the_order_of_columns_and_further_ones_never_matter(self) -> None:
        assert recognise(csv("Colour", *reversed(SHOPIFY))).name == "shopify"

    @pytest.mark.parametrize(
        ("file", "name"),
        [("shopify-orders.csv", "shopify"), ("orders.csv", "ordermill-csv"), ("orders.jsonl", "ordermill-jsonl")],
    )
    def test_knows_the_examples(self, file: str, name: str) -> None:
        head = (EXAMPLES / file).read_text(encoding="utf-8").partition("\n")[0]
        kind: Literal["csv", "jsonl"] = "jsonl" if file.endswith(".jsonl") else "csv"
        columns = json.loads(head) if kind == "jsonl" else head.split(",")

        assert recognise(Sample(kind, tuple(columns), file)).name == name

    def test_both_own_formats_name_one_channel(self) -> None:
        """The same orders, exported as CSV and as JSON lines, must be the same orders."""
        assert known()["ordermill-csv"].channel == known()["ordermill-jsonl"].channel

    def test_a_file_of_two_formats_asks_which(self) -> None:
        refused = refusal(csv(*OWN, *SHOPIFY))

        assert refused.code == "unrecognised"
        assert "--format ordermill-csv or --format shopify" in refused.message

    def test_the_wanted_format_decides(self) -> None:
        assert recognise(csv(*OWN, *SHOPIFY), wanted="shopify").name == "shopify"


class TestUnrecognised:
    def test_names_the_closest_format_and_what_it_lacks(self) -> None:
        refused = refusal(csv("number", "sku", "quantity"))

        assert refused.code == "unrecognised"
        assert "It is closest to Ordermill CSV, which also needs 'unit_price'." in refused.message
        assert "--map MAP.toml" in refused.message

    def test_names_no_format_where_none_is_near(self) -> None:
        assert "closest" not in refusal(csv("a", "b")).message

    def test_sees_a_header_split_by_another_sign(self) -> None:
        assert "add --delimiter ;." in refusal(csv("number;sku;quantity")).message

    def test_an_unknown_format_lists_the_names(self) -> None:
        refused = refusal(csv(*OWN), wanted="shopfy")

        assert refused.code == "unknown_format"
        assert refused.message == (
            "There is no format 'shopfy'; did you mean 'shopify'? "
            "The formats are ordermill-csv, ordermill-jsonl, shopify; --map reads any other table."
        )

    def test_a_file_that_is_not_of_the_wanted_format_says_what_is_missing(self) -> None:
        refused = refusal(csv("Name", "Created at", "Lineitem price"), wanted="shopify")

        assert refused.message == "'orders.csv' is not Shopify orders CSV: it has no 'Lineitem quantity'."

    def test_a_table_is_never_json(self) -> None:
        assert (
            refusal(csv(*OWN), wanted="ordermill-jsonl").message == "'orders.csv' is not Ordermill JSON lines: it is a table."
        )


class TestUnsuitable:
    @pytest.mark.parametrize(
        ("columns", "title", "hint"),
        [
            (
                "Sale Date,Order ID,Buyer,Number of Items,Order Value,Order Total,Order Net",
                "Etsy sold orders",
                "EtsySoldOrderItems",
            ),
            ("Date,Order #,N. Revenue (formatted),Status,Customer,Product(s),Items sold", "WooCommerce Analytics", "JSON"),
            (
                "First Name,Last Name,Email,Accepts Email Marketing,Total Spent,Total Orders",
                "Shopify customers",
                "Orders > Export",
            ),
            ("Handle,Title,Vendor,Variant SKU,Variant Price", "Shopify products", "Orders > Export"),
            ("order-id,order-item-id,sku,quantity-purchased,quantity-to-ship", "Amazon unshipped", "All orders"),
            ("ID,Name,Command,Line: Type,Line: Quantity", "Matrixify", "Orders > Export"),
            ("name,E-Mail,city", "a list of customers", "export of orders"),
        ],
    )
    def test_says_which_export_to_take_instead(self, columns: str, title: str, hint: str) -> None:
        refused = refusal(csv(*columns.split(",")))

        assert refused.code == "unsuitable"
        assert title in refused.message
        assert hint in refused.message

    @pytest.mark.parametrize(
        ("columns", "title"),
        [
            ("amazon-order-id,purchase-date,sku,quantity,currency,item-price", "Amazon all orders report"),
            ("Sale Date,Item Name,Quantity,Price,Transaction ID,Order ID,SKU", "Etsy sold order items (EtsySoldOrderItems)"),
        ],
    )
    def test_an_export_that_is_not_read_yet_is_named_and_sent_to_a_map(self, columns: str, title: str) -> None:
        refused = refusal(csv(*columns.split(",")))

        assert refused.code == "unrecognised"
        assert refused.message == (
            f"'orders.csv' looks like {title}. It is not read by itself yet; a map file can read it: add --map MAP.toml."
        )


MAP = """
[order]
number = "{No}"
placed_at = "{Date}"
[item]
sku = "{Article}"
quantity = "{Pieces}"
unit_price = "{Price}"
"""


class TestMapped:
    def test_a_map_is_taken_before_any_format(self) -> None:
        mapping = mapfile.parse(MAP, title="shop.toml")

        assert recognise(csv(*OWN, "No", "Date", "Article", "Pieces", "Price"), mapping=mapping).name == "shop"

    def test_a_column_that_the_file_has_not_is_named_with_its_place(self) -> None:
        with pytest.raises(Invalid) as refused:
            recognise(csv("No", "Date", "article", "Pieces", "Price"), mapping=mapfile.parse(MAP, title="shop.toml"))

        assert refused.value.code == "map_column_missing"
        assert refused.value.message == "shop.toml, [item] sku: the file has no column 'Article'; did you mean 'article'?"

    def test_a_map_reads_tables_only(self) -> None:
        with pytest.raises(Invalid, match="reads tables, such as CSV files"):
            recognise(Sample("jsonl", ("No",), "orders.jsonl"), mapping=mapfile.parse(MAP, title="shop.toml"))

"""The map file: what its templates make of a table, and what is said of a mistake in it."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ordermill.imports import mapfile
from ordermill.imports.model import Rules
from ordermill.kit.errors import Invalid

ROOT = Path(__file__).parents[2]


def text_of(*, file: str = "", order: str = "", item: str = "", rest: str = "") -> str:
    return f"""
[file]
{file}
[order]
number = "{{No}}"
placed_at = "{{Date}}"
{order}
[item]
sku = "{{Article}}"
quantity = "{{Pieces}}"
unit_price = "{{Price}}"
{item}
{rest}
"""


RECORD = {"No": "7", "Date": "2026-01-02", "Article": "TEA-1", "Pieces": "2", "Price": "4.50"}


def read(record: dict[str, str], *, file: str = "", order: str = "", item: str = "", rest: str = "") -> dict[str, Any]:
    """Read one record by a map that has what is given beside the needed templates."""
    mapping = mapfile.parse(text_of(file=file, order=order, item=item, rest=rest), title="shop.toml").format()
    raw = pl.DataFrame([RECORD | record]).with_row_index("_line", offset=2)
    (row,) = mapping.read(raw).to_dicts()
    return row


class TestTemplates:
    @pytest.mark.parametrize(
        ("template", "cell", "value"),
        [
            ("{X}", " as it is ", "as it is"),
            ("{X}", "  ", None),
            ("{X|int}@shop.invalid", "17850.0", "17850@shop.invalid"),
            ("{X|int}@shop.invalid", "", None),
            ("{X|int}", "1780.50", "1780.50"),
            ("{X|int}", "1700.", "1700"),
            ("{X|lower}", "ADA@Example.COM", "ada@example.com"),
            ("{X | strip | lower}", " ADA ", "ada"),
            ("EUR", "", "EUR"),
            ("{{{X}}}", "7", "{7}"),
            ("{X}-{Article}", "7", "7-TEA-1"),
            ("{X}-{Article}", "", None),
        ],
    )
    def test_give_text_or_null_where_a_column_is_empty(self, template: str, cell: str, value: str | None) -> None:
        assert read({"X": cell}, order=f'note = "{template}"')["note"] == value

    @pytest.mark.parametrize(
        ("pattern", "cell", "value"),
        [
            ("%d.%m.%Y %H:%M", "3.1.2026 7:05", "2026-01-03T07:05:00"),
            ("%m/%d/%y", "01/03/26", "2026-01-03T00:00:00"),
            ("%d.%m.%Y %H:%M", "yesterday", "yesterday"),
            ("%Y-%m-%d %H:%M:%S %z", "2026-01-03 07:05:00 -0500", "2026-01-03T12:05:00Z"),
            ("%Y-%m-%dT%H:%M:%SZ", "2026-01-03T07:05:00Z", "2026-01-03T07:05:00Z"),
            ("%s", "1767423900", "2026-01-03T07:05:00Z"),
        ],
    )
    def test_dates_are_read_by_the_maps_pattern(self, pattern: str, cell: str, value: str) -> None:
        assert read({"X": cell}, file=f'date_format = "{pattern}"', order='paid_at = "{X|date}"')["paid_at"] == value

    def test_a_moment_in_two_columns_is_read_as_a_whole(self) -> None:
        row = read(
            {"Day": "03.01.2026", "Time": "07:05"}, file='date_format = "%d.%m.%Y %H:%M"', order='paid_at = "{Day} {Time}"'
        )

        assert row["paid_at"] == "2026-01-03T07:05:00"

    @pytest.mark.parametrize(
        ("decimal", "cell", "value"),
        [
            (".", "4.50", "4.50"),
            (".", "1,234.50", "1234.50"),
            (".", "1,00,000", "100000"),
            (".", "-£1 234.50", "-1234.50"),
            (".", "12 €", "12"),
            (".", "1,50", "1,50"),
            (".", "free", "free"),
            (",", "4,50", "4.50"),
            (",", "1.234,50", "1234.50"),
            (",", "1.234", "1234"),
            (",", "1\u202f234,5", "1234.5"),
            (",", "1'234,50", "1234.50"),
            (",", "1.50", "1.50 (the decimal sign is a comma here)"),
            (",", "17", "17"),
        ],
    )
    def test_amounts_lose_signs_and_separators_but_never_a_digit(self, decimal: str, cell: str, value: str) -> None:
        assert read({"Price": cell}, file=f'decimal = "{decimal}"')["unit_price"] == value

    def test_a_whole_number_may_have_a_decimal_comma(self) -> None:
        assert read({"Pieces": "3,0"}, file='decimal = ","', item="")["quantity"] == "3.0"
        assert read({"X": "17850,0"}, file='decimal = ","', order='note = "{X|int}"')["note"] == "17850"

    def test_fields_may_be_called_as_in_the_orders_shape(self) -> None:
        row = read({"Sum": "9.00"}, order='total = "{Sum}"', item='total = "{Sum}"\ndiscount = "0"')

        assert (row["source_total"], row["item_total"], row["item_discount"]) == ("9.00", "9.00", "0")


REJECTS = """
[[reject]]
column = "No"
matches = "^C"
reason = "A cancellation is no sale."
[[reject]]
column = "Article"
matches = "POST|^C"
reason = "Postage is no product."
"""


class TestRejects:
    @pytest.mark.parametrize(
        ("number", "sku", "reason"),
        [
            ("7", "TEA-1", None),
            ("C7", "TEA-1", "A cancellation is no sale."),
            ("C7", "POST", "A cancellation is no sale."),
            ("7", "POSTAGE", "Postage is no product."),
        ],
    )
    def test_the_first_that_matches_gives_the_reason(self, number: str, sku: str, reason: str | None) -> None:
        assert read({"No": number, "Article": sku}, rest=REJECTS)["_refused"] == reason


class TestSettings:
    def test_what_the_map_says_of_the_file(self) -> None:
        file = 'encoding = "cp1252"\ndelimiter = "\\t"\ntimezone = "Europe/Paris"\ncurrency = "EUR"'
        file += '\nchannel = "paris"\nname = "Paris"'

        mapping = mapfile.parse(text_of(file=file, rest="[rules]\nguests = false"), title="shop.toml")

        told = mapping.file
        assert (told.encoding, told.delimiter, told.timezone, told.currency) == ("cp1252", "\t", "Europe/Paris", "EUR")
        assert (mapping.name, mapping.format().channel) == ("Paris", "paris")
        assert mapping.rules == Rules(guests=False, merge=True, unknown_country="null")

    def test_name_and_channel_default_to_the_file_name(self) -> None:
        mapping = mapfile.parse(text_of(), title="my-shop.toml")

        assert (mapping.name, mapping.format().name, mapping.format().channel) == ("my-shop", "my-shop", "my-shop")

    def test_orders_are_told_apart_by_number_and_the_channel_given(self) -> None:
        raw = pl.DataFrame([RECORD | {"Shop": "a"}, RECORD | {"Shop": "b"}, RECORD | {"Shop": "a", "No": " 7 "}])
        plain = mapfile.parse(text_of(), title="shop.toml").format()
        by_shop = mapfile.parse(text_of(order='channel = "{Shop}"'), title="shop.toml").format()

        assert raw.select(plain.key(raw.columns, channel="shop")).to_series().to_list() == ["7", "7", "7"]
        assert raw.select(by_shop.key(raw.columns, channel="shop")).to_series().n_unique() == 2

    def test_messages_name_the_files_own_columns(self) -> None:
        mapping = mapfile.parse(text_of(order='note = "{Day} {Time}"\ncurrency = "EUR"'), title="shop.toml").format()

        names = mapping.source_names([])

        assert (names["number"], names["note"]) == ("No", "Day, Time")
        assert "currency" not in names


MISTAKES = [
    ({"file": "decimal"}, "shop.toml: this is not TOML: "),
    ({"file": 'encodng = "utf-8"'}, "shop.toml, [file] encodng: there is no such key; did you mean 'encoding'?"),
    ({"file": 'encoding = "hex"'}, "shop.toml, [file] encoding: there is no text encoding 'hex'; "),
    ({"file": "encoding = 8"}, "shop.toml, [file] encoding: write text in quotation marks"),
    (
        {"file": 'delimiter = ";;"'},
        "shop.toml, [file] delimiter: a delimiter is one ASCII character such as ; or \\t, not ';;'.",
    ),
    ({"file": 'decimal = ";"'}, "shop.toml, [file] decimal: input should be '.' or ','."),
    ({"file": 'date_format = "%H:%M"'}, "shop.toml, [file] date_format: '%H:%M' does not read a date; "),
    ({"file": 'date_format = "%Q"'}, "shop.toml, [file] date_format: '%Q' does not read a date; "),
    (
        {"file": 'timezone = "Europe/Pariss"'},
        "shop.toml, [file] timezone: 'Europe/Pariss' is not an IANA time zone; did you mean",
    ),
    ({"file": 'currency = "EURO"'}, "shop.toml, [file] currency: 'EURO' is not an ISO 4217 currency; "),
    ({"file": 'channel = " "'}, "shop.toml, [file] channel: a channel's name has 1 to 64 characters, unlike ''."),
    ({"rest": "[rule]"}, "shop.toml, [rule]: there is no such table; did you mean 'rules'?"),
    ({"rest": "[rules]\nguest = true"}, "shop.toml, [rules] guest: there is no such key; did you mean 'guests'?"),
    ({"rest": '[rules]\nguests = "yes"'}, "shop.toml, [rules] guests: write true or false."),
    ({"rest": '[reject]\ncolumn = "No"'}, "shop.toml, [[reject]]: write it as [[reject]], with two brackets"),
    ({"rest": '[[reject]]\ncolumn = "No"\nreason = "."'}, "shop.toml, [[reject]] matches: this is needed and not there."),
    (
        {"rest": '[[reject]]\ncolumn = "No"\nmatches = "("\nreason = "."'},
        "shop.toml, [[reject]] matches: '(' is not a regular expression: unclosed group.",
    ),
    (
        {"order": 'custmer_email = "{X}"'},
        "shop.toml, [order] custmer_email: there is no such field; did you mean 'customer_email'?",
    ),
    ({"order": 'sku = "{X}"'}, "shop.toml, [order] sku: this field belongs into the table [item]."),
    ({"order": "note = 3"}, "shop.toml, [order] note: write text in quotation marks"),
    ({"order": 'note = ""'}, "shop.toml, [order] note: the template is empty; "),
    ({"order": 'note = "{X|lwer}"'}, "shop.toml, [order] note: there is no filter 'lwer'; did you mean 'lower'?"),
    (
        {"order": 'note = "{X|upper}"'},
        "shop.toml, [order] note: there is no filter 'upper'; there are int, lower, strip, date.",
    ),
    ({"order": 'note = "{X"'}, "shop.toml, [order] note: a '{' has no pair in '{X'"),
    ({"order": 'note = "{|int}"'}, "shop.toml, [order] note: the placeholder '{|int}' names no column."),
    ({"order": 'paid_at = "{X|date}"'}, "shop.toml, [order] paid_at: the filter 'date' needs date_format in the table [file]."),
    (
        {"item": 'item_total = "{X}"\ntotal = "{X}"'},
        "shop.toml, [item] total: [item] item_total says the same already; keep one",
    ),
]


class TestMistakes:
    @pytest.mark.parametrize(("parts", "sentence"), MISTAKES)
    def test_are_refused_with_map_table_and_key(self, parts: dict[str, str], sentence: str) -> None:
        with pytest.raises(Invalid) as refused:
            mapfile.parse(text_of(**parts), title="shop.toml")

        assert refused.value.code == "invalid_map"
        assert refused.value.message.startswith(sentence)

    @pytest.mark.parametrize(
        ("left_out", "sentence"),
        [
            ('placed_at = "{Date}"', 'shop.toml, [order] placed_at: this template is needed; write placed_at = "{Column}".'),
            ('sku = "{Article}"', 'shop.toml, [item] sku: this template is needed; write sku = "{Column}".'),
            (
                'unit_price = "{Price}"',
                "shop.toml, [item] unit_price: a template for unit_price or for the line's total is needed.",
            ),
        ],
    )
    def test_what_every_map_needs(self, left_out: str, sentence: str) -> None:
        with pytest.raises(Invalid) as refused:
            mapfile.parse(text_of().replace(left_out, ""), title="shop.toml")

        assert refused.value.message == sentence

    def test_a_file_that_is_not_utf_8_is_refused_in_words(self, tmp_path: Path) -> None:
        path = tmp_path / "shop.toml"
        path.write_bytes("# Süß".encode("cp1252"))

        with pytest.raises(Invalid, match=r"^shop.toml: the file is not UTF-8 at byte 4\.$"):
            mapfile.load(path)


class TestDocumentation:
    def test_the_worked_example_reads_what_it_shows(self) -> None:
        page = (ROOT / "docs" / "order-files.md").read_text(encoding="utf-8")
        table = page.partition("```csv\n")[2].partition("```")[0]
        mapping = mapfile.parse(page.partition("```toml\n")[2].partition("```")[0], title="berlin.toml")
        raw = pl.read_csv(table.encode(), separator=mapping.file.delimiter or ",", infer_schema=False).fill_null("")

        sale, guest, cancellation = mapping.format().read(raw.with_row_index("_line", offset=2)).to_dicts()

        assert sale == {
            "_line": 2,
            "number": "4711",
            "placed_at": "2026-01-03T09:15:00",
            "customer_email": "ada@example.com",
            "sku": "TEA-1",
            "name": "Tee, 100 g",
            "quantity": "2",
            "unit_price": "4.50",
            "_refused": None,
        }
        assert (guest["customer_email"], guest["unit_price"]) == (None, "1064.00")
        assert cancellation["_refused"] == "This line is a cancellation, not a sale."


class TestOnlineRetail:
    def test_the_example_reads_lines_as_the_data_set_has_them(self) -> None:
        mapping = mapfile.load(ROOT / "examples" / "online-retail.toml").format()
        header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
        records = [
            "536365,85123A,LANTERN,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom",
            "C536379,D,,-1,2010-12-01 09:41:00,27.5,,EIRE",
        ]
        raw = (
            pl.read_csv("\n".join((header, *records)).encode(), infer_schema=False)
            .fill_null("")
            .with_row_index("_line", offset=2)
        )

        sale, cancellation = mapping.read(raw).to_dicts()

        assert sale == {
            "_line": 2,
            "number": "536365",
            "placed_at": "2010-12-01T08:26:00",
            "customer_email": "17850@online-retail.invalid",
            "shipping_country": "United Kingdom",
            "sku": "85123A",
            "name": "LANTERN",
            "quantity": "6",
            "unit_price": "2.55",
            "_refused": None,
        }
        assert (cancellation["customer_email"], cancellation["name"]) == (None, None)
        assert cancellation["_refused"].startswith("This is not a sale")


class TestAdvice:
    def test_is_in_the_map_s_own_terms(self) -> None:
        mapping = mapfile.parse(text_of(file='decimal = ","\ndate_format = "%d.%m.%Y %H:%M"'), title="shop.toml")

        assert mapping.format().advice() == {
            "amount_malformed": "write it in digits with a comma, such as 12,30; leave out units and currency words.",
            "quantity": "write a whole number from 1, such as 2 or 2,0.",
            "time_malformed": "write it in the form '%d.%m.%Y %H:%M', such as 31.12.2026 08:02.",
        }

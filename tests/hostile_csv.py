"""
Hostile CSV files and what must be read from each: a golden corpus, to be added to and never loosened.

Every file has the columns of `HEADER`, so that a row here is its physical line, its defect, its values and,
where it is not what the values show, its text.
"""

from dataclasses import dataclass
from typing import Final

HEADER: Final = "number,name,price\n"
LONG: Final = "x" * 131_072  # the longest field there may be


@dataclass(frozen=True)
class Row:
    line: int
    defect: str | None
    values: tuple[str, str, str]
    raw: str


@dataclass(frozen=True)
class Case:
    name: str
    body: str
    rows: tuple[Row, ...]


def good(line: int, raw: str, *values: str) -> Row:
    number, name, price = values or raw.split(",")
    return Row(line, None, (number, name, price), raw)


def bad(line: int, defect: str, raw: str, *values: str) -> Row:
    number, name, price = values
    return Row(line, defect, (number, name, price), raw)


CASES: Final = (
    Case("nothing behind the header", "", ()),
    Case("plain", "1,Tea,2\n2,Cup,3\n", (good(2, "1,Tea,2"), good(3, "2,Cup,3"))),
    Case("no line end at the end", "1,Tea,2\n2,Cup,3", (good(2, "1,Tea,2"), good(3, "2,Cup,3"))),
    Case("Windows line ends", "1,Tea,2\r\n2,Cup,3\r\n", (good(2, "1,Tea,2"), good(3, "2,Cup,3"))),
    Case("both line ends", "1,Tea,2\r\n2,Cup,3\n3,Pot,4\r\n", (good(2, "1,Tea,2"), good(3, "2,Cup,3"), good(4, "3,Pot,4"))),
    Case("blank lines count and are no records", "\n1,Tea,2\n\n\r\n2,Cup,3\n\n", (good(3, "1,Tea,2"), good(6, "2,Cup,3"))),
    Case("empty fields", ",,\n", (good(2, ",,"),)),
    Case("empty quotes", '"","",""\n', (good(2, '"","",""', "", "", ""),)),
    Case("a delimiter in quotes", '1,"Tea, green",2\n', (good(2, '1,"Tea, green",2', "1", "Tea, green", "2"),)),
    Case("a quote in quotes", '1,"a ""b"" c",2\n', (good(2, '1,"a ""b"" c",2', "1", 'a "b" c', "2"),)),
    Case("only a quote in quotes", '1,"""",2\n', (good(2, '1,"""",2', "1", '"', "2"),)),
    Case("a lone CR in a field", "1,Te\ra,2\n", (good(2, "1,Te\ra,2"),)),
    Case("a NUL in a field is judged later", "1,Te\0a,2\n", (good(2, "1,Te\0a,2"),)),
    Case(
        "a byte order mark in a field", "\ufeff1,Tea,2\n\ufeff2,Cup,3\n", (good(2, "\ufeff1,Tea,2"), good(3, "\ufeff2,Cup,3"))
    ),
    Case("words that readers take for nothing", "NULL,NaN,None\n", (good(2, "NULL,NaN,None"),)),
    Case("a line that looks like a comment", "#1,Tea,2\n", (good(2, "#1,Tea,2"),)),
    Case("space round fields is kept", " 1 , Tea, 2\n", (good(2, " 1 , Tea, 2"),)),
    Case(
        "a quoted newline does not shift line numbers",
        '1,"Tea\nCup\n\nPot",2\n2,Cup,3\n',
        (good(2, '1,"Tea\nCup\n\nPot",2', "1", "Tea\nCup\n\nPot", "2"), good(6, "2,Cup,3")),
    ),
    Case(
        "a quoted Windows newline",
        '1,"Tea\r\nCup",2\r\n2,Cup,3\r\n',
        (good(2, '1,"Tea\r\nCup",2', "1", "Tea\r\nCup", "2"), good(4, "2,Cup,3")),
    ),
    Case(
        "records that begin and end with quoted newlines",
        '"1\n","Tea","\n2"\n"2",Cup,"3"\n',
        (good(2, '"1\n","Tea","\n2"', "1\n", "Tea", "\n2"), good(5, '"2",Cup,"3"', "2", "Cup", "3")),
    ),
    Case(
        "an unterminated quote costs its own line",
        '1,"Tea,2\n2,Cup,3\n3,Pot,4\n',
        (bad(2, "unterminated_quote", '1,"Tea,2', "1", '"Tea', "2"), good(3, "2,Cup,3"), good(4, "3,Pot,4")),
    ),
    Case(
        "an unterminated quote before quoted lines",
        '1,"Tea,2\n2,"Cup",3\n3,"",4\n',
        (
            bad(2, "malformed_quote", '1,"Tea,2', "1", '"Tea', "2"),
            good(3, '2,"Cup",3', "2", "Cup", "3"),
            good(4, '3,"",4', "3", "", "4"),
        ),
    ),
    Case(
        "two stray quotes do not swallow the good line between them",
        '1,"Tea,2\n2,Cup,3\n3,Pot"\n',
        (
            bad(2, "unterminated_quote", '1,"Tea,2', "1", '"Tea', "2"),
            good(3, "2,Cup,3"),
            bad(4, "malformed_quote", '3,Pot"', "3", 'Pot"', ""),
        ),
    ),
    Case(
        "an unterminated quote on the last line",
        '1,Tea,2\n2,"Cup,3',
        (good(2, "1,Tea,2"), bad(3, "unterminated_quote", '2,"Cup,3', "2", '"Cup', "3")),
    ),
    Case(
        "an unterminated quote in the last field",
        '1,Tea,"2\n2,Cup,3\n',
        (bad(2, "unterminated_quote", '1,Tea,"2', "1", "Tea", '"2'), good(3, "2,Cup,3")),
    ),
    Case(
        "an inch mark",
        '1,5" pipe,2\n2,Cup,3\n',
        (bad(2, "malformed_quote", '1,5" pipe,2', "1", '5" pipe', "2"), good(3, "2,Cup,3")),
    ),
    Case(
        "quotes in the middle of a field",
        'a"b"c,Tea,2\n2,Cup,3\n',
        (bad(2, "malformed_quote", 'a"b"c,Tea,2', 'a"b"c', "Tea", "2"), good(3, "2,Cup,3")),
    ),
    Case(
        "text behind a closing quote",
        '1,"Tea"!,2\n2,Cup,3\n',
        (bad(2, "malformed_quote", '1,"Tea"!,2', "1", '"Tea"!', "2"), good(3, "2,Cup,3")),
    ),
    Case(
        "space before a quote",
        '1, "Tea",2\n',
        (bad(2, "malformed_quote", '1, "Tea",2', "1", ' "Tea"', "2"),),
    ),
    Case(
        "a column too few",
        "1,Tea\n2,Cup,3\n",
        (bad(2, "wrong_column_count", "1,Tea", "1", "Tea", ""), good(3, "2,Cup,3")),
    ),
    Case(
        "a column too many, quoted",
        '1,"Tea",2,x\n2,Cup,3\n',
        (bad(2, "wrong_column_count", '1,"Tea",2,x', "1", "Tea", "2"), good(3, "2,Cup,3")),
    ),
    Case(
        "another delimiter",
        "1;Tea;2\n2,Cup,3\n",
        (bad(2, "wrong_column_count", "1;Tea;2", "1;Tea;2", "", ""), good(3, "2,Cup,3")),
    ),
    Case("a line of spaces", "  \n", (bad(2, "wrong_column_count", "  ", "  ", "", ""),)),
    Case(
        "a ragged record over several lines stays one record",
        '1,"Tea\nCup"\n2,Cup,3\n',
        (bad(2, "wrong_column_count", '1,"Tea\nCup"', "1", "Tea\nCup", ""), good(4, "2,Cup,3")),
    ),
    Case("the longest field", f"1,{LONG},2\n", (good(2, f"1,{LONG},2"),)),
    Case(
        "a field too long, by one character",
        f"1,{LONG}é,2\n2,Cup,3\n",
        (bad(2, "field_too_long", f"1,{LONG}é,2", "1", "", "2"), good(3, "2,Cup,3")),
    ),
    Case(
        "the longest field of characters of several bytes",
        f"1,{LONG.replace('x', 'é')},2\n",
        (good(2, f"1,{LONG.replace('x', 'é')},2"),),
    ),
)

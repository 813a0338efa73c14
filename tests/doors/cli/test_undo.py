"""`ordermill imports undo`: an import taken back, asked for, listed and refused."""

import os
from collections.abc import Callable
from typing import Any
from uuid import UUID

import anyio
import pytest
from books import contents
from terminals import Terminal

ADA = "2026-03-01T10:00:00Z,EUR,ada@example.com,TEA-1,2,4.50"
ADA_NOW = ADA.replace(",2,4.50", ",3,4.50")
BOB = "2026-04-01T10:00:00Z,EUR,bob@example.com,CUP,1,7.00"
GUEST = "2026-03-01T10:30:00Z,EUR,,TEA-1,1,4.50"

Export = Callable[..., str]


def process(terminal: Terminal, name: str, text: str) -> str:
    terminal.write(name, text)
    id: str = terminal.json("process", name)["files"][0]["import_id"]
    return id


def book(terminal: Terminal) -> dict[str, list[tuple[Any, ...]]]:
    """Return what is in the book, without what tells how it came there and hours that count for nothing."""
    found = anyio.run(contents, terminal.database)
    found["hours"] = [hour for hour in found["hours"] if tuple(map(int, hour[2:])) != (0, 0, 0)]
    return {name: rows for name, rows in found.items() if name not in {"events", "imports"}}


def adds_up(terminal: Terminal) -> bool:
    return [terminal.run(*words).exit_code for words in (("audit",), ("stats", "verify"))] == [0, 0]


class TestUndo:
    def test_leaves_the_book_as_it_was_and_the_file_can_be_processed_again(
        self, each_terminal: Terminal, export: Export
    ) -> None:
        process(each_terminal, "first.csv", export(ADA))
        before = book(each_terminal)
        id = process(each_terminal, "second.csv", export(ADA_NOW, BOB, GUEST))
        after = book(each_terminal)

        done = each_terminal.run("imports", "undo", id)

        assert (done.exit_code, done.stderr.split()[:2]) == (0, ["Written", "to"])
        assert [line.split() for line in done.stdout.splitlines()[2:6]] == [
            ["orders", "removed", "2"],
            ["orders", "restored", "1"],
            ["users", "removed", "1"],
            ["orders", "left", "0"],
        ]
        assert unversioned(book(each_terminal)) == unversioned(before)
        assert adds_up(each_terminal)

        again = process(each_terminal, "second.csv", export(ADA_NOW, BOB, GUEST))

        assert again != id
        assert unversioned(book(each_terminal)) == unversioned(after)
        assert adds_up(each_terminal)

    def test_lists_what_it_left_and_exits_with_1(self, each_terminal: Terminal, export: Export) -> None:
        first = process(each_terminal, "first.csv", export(ADA, BOB))
        process(each_terminal, "second.csv", export(ADA_NOW))

        done = each_terminal.run("imports", "undo", first)
        shown = each_terminal.json("imports", "show", first)

        assert done.exit_code == 1
        assert "A later import updated it; undo that one first" in done.stdout
        assert shown["state"] == "undone"
        assert shown["undo"] == {"removed": 1, "restored": 0, "users_removed": 1, "left": 1}
        assert "Left as they are" in each_terminal.run("imports", "show", first).stdout
        assert adds_up(each_terminal)

    def test_is_one_json_document(self, terminal: Terminal, export: Export) -> None:
        first = process(terminal, "first.csv", export(ADA, GUEST, BOB))
        second = process(terminal, "second.csv", export(ADA_NOW, GUEST.replace(",1,", ",5,")))
        orders = {order["number"]: order["id"] for order in terminal.json("orders", "list")["data"]}

        limited = terminal.json("imports", "undo", first, "--limit", "1")
        whole = terminal.json("imports", "undo", second)

        (left,) = limited["left"]
        assert (limited["has_more"], limited["undo"]["left"]) == (True, 2)
        assert left["order_id"] in orders.values()
        assert (left["was"], left["reason"]) == ("created", "updated_later")
        assert (whole["state"], whole["left"], whole["has_more"], whole["undo"]["restored"]) == ("undone", [], False, 2)


def unversioned(found: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Return a book without its orders' versions, which only ever go on."""
    return {**found, "orders": [row[:-1] for row in found["orders"]]}


class TestRefusals:
    def test_are_sentences(self, terminal: Terminal, export: Export) -> None:
        id = process(terminal, "first.csv", export(ADA))
        terminal.run("imports", "undo", id)

        twice = terminal.run("imports", "undo", id)
        unknown = terminal.run("imports", "undo", str(UUID(int=7)))
        nonsense = terminal.run("imports", "undo", "latest")

        assert (twice.exit_code, twice.stderr) == (1, "The import of 'first.csv' was undone already.\n")
        assert (unknown.exit_code, unknown.stderr) == (1, f"There is no import '{UUID(int=7)}'.\n")
        assert (nonsense.exit_code, nonsense.stderr) == (2, "'latest' is not the id of an import.\n")


class TestAsking:
    @pytest.mark.parametrize(("answer", "code", "left"), [("n\n", 1, 1), ("y\n", 0, 0)])
    def test_is_for_a_person_at_a_terminal(self, terminal: Terminal, export: Export, answer: str, code: int, left: int) -> None:
        id = process(terminal, "first.csv", export(ADA))
        ours, theirs = os.openpty()
        os.write(ours, answer.encode())

        with terminal.start("imports", "undo", id, stdin=theirs) as running:
            _, err = running.communicate(timeout=60)
        os.close(ours)
        os.close(theirs)

        assert "1 orders that it created, 0 that it updated." in err
        assert (running.returncode, len(book(terminal)["orders"])) == (code, left)

    def test_is_left_out_where_nobody_wants_it(self, terminal: Terminal, export: Export) -> None:
        id = process(terminal, "first.csv", export(ADA))
        ours, theirs = os.openpty()

        with terminal.start("imports", "undo", id, "--yes", stdin=theirs) as running:
            running.communicate(timeout=60)
        os.close(ours)
        os.close(theirs)

        assert (running.returncode, book(terminal)["orders"]) == (0, [])

"""`ordermill users export` and `erase`: what is handed out, what is asked first, and that nothing comes back."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from terminals import Terminal

PASSWORD = "correct horse battery"  # invented
ADA = "2026-03-01,EUR,ada@example.com,TEA-1,1,4.50"
BOB = "2026-03-02,EUR,bob@example.com,TEA-1,2,4.50"


class TestExport:
    def test_prints_one_document(self, each_terminal: Terminal, export: Callable[..., str]) -> None:
        each_terminal.write("shop.csv", export(ADA, BOB))
        each_terminal.run("process", "shop.csv")

        done = each_terminal.run("users", "export", "Ada@Example.com")

        document = json.loads(done.stdout)
        assert (done.exit_code, document["account"]["email"]) == (0, "ada@example.com")
        assert [(order["number"], order["total"]) for order in document["orders"]] == [("T-1", "4.50")]
        assert [event["type"] for event in document["orders"][0]["events"]] == ["order.imported"]
        assert "bob" not in done.stdout

    def test_writes_it_to_a_file(self, terminal: Terminal) -> None:
        terminal.run("users", "create", "ada@example.com", "--password", PASSWORD)

        done = terminal.run("users", "export", "ada@example.com", "--output", "ada.json")

        assert (done.exit_code, done.stdout, done.stderr) == (0, "", "Written to ada.json.\n")
        document = json.loads((terminal.directory / "ada.json").read_text())
        assert (document["account"]["has_password"], document["orders"]) == (True, [])
        assert [event["type"] for event in document["events"]] == ["user.registered"]
        assert "argon2" not in json.dumps(document)

    def test_refuses_a_place_that_cannot_be_written(self, terminal: Terminal) -> None:
        terminal.run("users", "create", "ada@example.com", "--password", PASSWORD)

        done = terminal.run("users", "export", "ada@example.com", "--output", "nowhere/ada.json")

        assert (done.exit_code, done.stdout) == (3, "")
        assert done.stderr == "The data cannot be written to 'nowhere/ada.json': No such file or directory.\n"

    def test_refuses_somebody_who_is_not_there(self, terminal: Terminal) -> None:
        done = terminal.run("users", "export", "ada@example.com", "--output", "ada.json")
        assert (done.exit_code, done.stdout, done.stderr) == (1, "", "There is no such user.\n")
        assert "ada.json" not in terminal.files()


class TestErase:
    def test_forgets_a_person_whom_no_later_import_brings_back(
        self, each_terminal: Terminal, export: Callable[..., str]
    ) -> None:
        each_terminal.write("shop.csv", export(ADA, BOB))
        each_terminal.run("process", "shop.csv")

        done = each_terminal.run("users", "erase", "ada@example.com")
        again = each_terminal.json("process", "shop.csv")
        each_terminal.write("newer.csv", export(ADA.replace(",1,", ",3,"), BOB, ADA))
        newer = each_terminal.json("process", "newer.csv")

        assert (done.exit_code, done.stdout.partition(" is ")[2]) == (0, "erased: 1 orders and 0 rejects blanked.\n")
        assert (again["orders"]["new"], again["orders"]["unchanged"], again["adjustments"]) == (0, 2, {})
        assert (newer["orders"]["new"], newer["orders"]["updated"], newer["adjustments"]) == (1, 1, {"erased": 2})
        orders = {order["number"]: order for order in each_terminal.json("orders", "list")["data"]}
        assert orders["T-1"]["customer_email"].endswith(".invalid")
        assert (orders["T-1"]["total"], orders["T-3"]["customer_email"]) == ("13.50", None)
        assert each_terminal.run("users", "export", "ada@example.com").exit_code == 1
        assert each_terminal.run("audit").exit_code == 0
        assert each_terminal.run("stats", "verify").exit_code == 0

    def test_of_the_last_staff_user_is_refused(self, terminal: Terminal) -> None:
        terminal.run("users", "create", "ada@example.com", "--staff", "--password", PASSWORD)

        done = terminal.run("users", "erase", "ada@example.com", "--yes")

        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.startswith("This is the last active staff user;")
        (user,) = terminal.json("users", "list")["data"]
        assert (user["email"], user["is_active"]) == ("ada@example.com", True)

    def test_counts_in_words_for_people(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export(ADA))
        terminal.run("process", "shop.csv")
        terminal.run("users", "erase", "ada@example.com", "--yes")
        terminal.write("newer.csv", export(ADA.replace(",1,", ",3,")))

        done = terminal.run("process", "newer.csv")

        assert "orders of buyers who were erased, taken without buyer, addresses and note" in done.stdout


@dataclass(frozen=True, slots=True)
class Typed:
    """How the command ended and what it said."""

    exit_code: int | None
    said: str


@pytest.fixture
def typing(terminal: Terminal) -> Callable[[str], Typed]:
    """Return what erases Ada at a terminal where somebody types an answer."""

    def answer(typed: str) -> Typed:
        ours, theirs = os.openpty()
        os.write(ours, f"{typed}\n".encode())
        with terminal.start("users", "erase", "ada@example.com", stdin=theirs) as running:
            os.close(theirs)
            out, err = running.communicate(timeout=120)
        os.close(ours)
        return Typed(running.returncode, out + err)

    return answer


class TestAsking:
    def test_erases_nobody_without_a_yes(self, terminal: Terminal, typing: Callable[[str], Typed]) -> None:
        terminal.run("users", "create", "ada@example.com", "--password", PASSWORD)

        done = typing("n")

        assert done.exit_code == 1
        assert "User 1: ada@example.com, ada, in sqlite:" in done.said
        assert "Erase this person for good? [y/N]:" in done.said
        assert [user["email"] for user in terminal.json("users", "list")["data"]] == ["ada@example.com"]

    def test_erases_after_a_yes(self, terminal: Terminal, typing: Callable[[str], Typed]) -> None:
        terminal.run("users", "create", "ada@example.com", "--password", PASSWORD)

        done = typing("y")

        assert (done.exit_code, "User 1 is erased: 0 orders and 0 rejects blanked." in done.said) == (0, True)
        assert terminal.run("users", "export", "ada@example.com").exit_code == 1

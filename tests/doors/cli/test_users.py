"""`ordermill users`: accounts made and listed; a password is shown nowhere."""

from collections.abc import Callable

import pytest
from terminals import Terminal

PASSWORD = "correct horse battery"  # invented


class TestCreate:
    def test_makes_an_account(self, each_terminal: Terminal) -> None:
        done = each_terminal.run("users", "create", "ada@example.com", "--name", "Ada", "--staff", "--password", PASSWORD)

        assert done.exit_code == 0
        assert done.stdout.endswith(": ada@example.com, staff.\n")
        assert done.stderr.startswith("Written to ")
        (user,) = each_terminal.json("users", "list")["data"]
        assert (user["email"], user["name"], user["is_active"]) == ("ada@example.com", "Ada", True)

    def test_reads_the_password_from_standard_input(self, terminal: Terminal) -> None:
        done = terminal.run("users", "create", "ada@example.com", input=f"{PASSWORD}\n")
        assert (done.exit_code, done.stdout) == (0, "User 1: ada@example.com.\n")

    def test_claims_the_account_that_came_with_an_order(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export("2026-03-01,EUR,ada@example.com,TEA-1,1,4.50"))
        terminal.run("process", "shop.csv")
        before = terminal.run("users", "list").stdout

        done = terminal.run("users", "create", "Ada@Example.com", "--password", PASSWORD)

        assert "unclaimed" in before
        assert done.stdout == "User 1: Ada@Example.com.\n"
        assert "unclaimed" not in terminal.run("users", "list").stdout

    @pytest.mark.parametrize(
        ("words", "code", "sentence"),
        [
            (["ada@example.com", "--password", "short"], 2, "Use at least 8 characters."),
            (["ada@example.com", "--password", "password1"], 2, "This is one of the most common passwords; use another."),
            (["ada@example.com", "--password", "ada@example.com"], 2, "Use something else than your e-mail address or name."),
            (["nobody", "--password", PASSWORD], 2, "email: Write an e-mail address such as ada@example.com."),
            (["ada@example.com", "--name", "", "--password", PASSWORD], 2, "name: String should have at least 1 character"),
            (["taken@example.com", "--password", PASSWORD], 1, "There is an account with this e-mail address already."),
        ],
    )
    def test_refuses_in_a_sentence(self, terminal: Terminal, words: list[str], code: int, sentence: str) -> None:
        terminal.run("users", "create", "taken@example.com", "--password", PASSWORD)

        done = terminal.run("users", "create", *words)

        assert (done.exit_code, done.stdout, done.stderr) == (code, "", f"{sentence}\n")
        assert len(terminal.json("users", "list")["data"]) == 1

    def test_needs_a_book(self, nowhere: Terminal) -> None:
        done = nowhere.run("users", "create", "ada@example.com", "--password", PASSWORD)
        assert (done.exit_code, nowhere.files()) == (3, set())


class TestList:
    def test_pages_by_id(self, terminal: Terminal) -> None:
        for name in ("ada", "bob", "cy"):
            terminal.run("users", "create", f"{name}@example.com", "--password", PASSWORD)

        page = terminal.json("users", "list", "--limit", "2")
        rest = terminal.json("users", "list", "--after", page["next_cursor"])

        assert [user["name"] for user in page["data"]] == ["ada", "bob"]
        assert [user["name"] for user in rest["data"]] == ["cy"]

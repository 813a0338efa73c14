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


class TestSearch:
    @pytest.fixture
    def filled(self, terminal: Terminal, export: Callable[..., str]) -> Terminal:
        """One customer, one of the staff, and one who is known from an order."""
        terminal.write("shop.csv", export("2026-03-01,EUR,bought@example.org,TEA-1,1,4.50"))
        terminal.run("process", "shop.csv")
        terminal.run("users", "create", "ada@example.com", "--name", "Ada Lovelace", "--password", PASSWORD)
        terminal.run("users", "create", "bob@example.com", "--staff", "--password", PASSWORD)
        return terminal

    @pytest.mark.parametrize(
        ("words", "found"),
        [
            (["--email", "ADA@"], ["ada@example.com"]),
            (["--name", "love"], ["ada@example.com"]),
            (["--staff"], ["bob@example.com"]),
            (["--customers", "--claimed"], ["ada@example.com"]),
            (["--unclaimed"], ["bought@example.org"]),
            (["--inactive"], []),
            (["--active", "--limit", "1"], ["bought@example.org"]),
        ],
    )
    def test_lists_who_is_looked_for(self, filled: Terminal, words: list[str], found: list[str]) -> None:
        assert [user["email"] for user in filled.json("users", "list", *words)["data"]] == found


class TestActivity:
    def test_is_taken_and_given_back(self, each_terminal: Terminal) -> None:
        each_terminal.run("users", "create", "ada@example.com", "--password", PASSWORD)

        closed = each_terminal.run("users", "deactivate", "ADA@example.com")
        inactive = each_terminal.json("users", "list", "--inactive")["data"]
        opened = each_terminal.run("users", "activate", "ada@example.com")

        assert (closed.exit_code, closed.stdout.partition(": ")[2]) == (0, "ada@example.com is inactive.\n")
        assert closed.stderr.startswith("Written to ")
        assert [user["email"] for user in inactive] == ["ada@example.com"]
        assert (opened.exit_code, opened.stdout.partition(": ")[2]) == (0, "ada@example.com is active.\n")
        assert each_terminal.json("users", "list", "--inactive")["data"] == []

    @pytest.mark.parametrize("command", [["activate"], ["deactivate"], ["set-staff", "--on"]])
    def test_of_nobody_is_refused(self, terminal: Terminal, command: list[str]) -> None:
        terminal.run("users", "create", "ada@example.com", "--password", PASSWORD)

        done = terminal.run("users", *command, "nobody@example.com")

        assert (done.exit_code, done.stdout, done.stderr) == (1, "", "There is no such user.\n")


class TestSetStaff:
    def test_lets_in_and_not_any_more(self, terminal: Terminal) -> None:
        terminal.run("users", "create", "boss@example.com", "--staff", "--password", PASSWORD)
        terminal.run("users", "create", "ada@example.com", "--password", PASSWORD)

        on = terminal.run("users", "set-staff", "ada@example.com", "--on")
        staff = terminal.json("users", "list", "--staff")["data"]
        off = terminal.run("users", "set-staff", "ada@example.com", "--off")

        assert (on.stdout, off.stdout) == ("User 2: ada@example.com is staff.\n", "User 2: ada@example.com is no staff.\n")
        assert [user["email"] for user in staff] == ["boss@example.com", "ada@example.com"]
        assert [user["email"] for user in terminal.json("users", "list", "--staff")["data"]] == ["boss@example.com"]

    def test_keeps_the_last_member_of_staff(self, terminal: Terminal) -> None:
        terminal.run("users", "create", "boss@example.com", "--staff", "--password", PASSWORD)

        done = [terminal.run("users", *words) for words in (
            ("set-staff", "boss@example.com", "--off"), ("deactivate", "boss@example.com"),
        )]  # fmt: skip

        assert [each.exit_code for each in done] == [1, 1]
        assert [user["is_active"] for user in terminal.json("users", "list", "--staff")["data"]] == [True]

    def test_refuses_an_account_that_anybody_could_claim(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export("2026-03-01,EUR,ada@example.com,TEA-1,1,4.50"))
        terminal.run("process", "shop.csv")

        done = terminal.run("users", "set-staff", "ada@example.com", "--on")

        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr == "Nobody has claimed this account yet; create it with a password instead.\n"
        assert terminal.json("users", "list", "--staff")["data"] == []

    def test_needs_to_be_told_which(self, terminal: Terminal) -> None:
        terminal.run("users", "create", "ada@example.com", "--password", PASSWORD)

        assert terminal.run("users", "set-staff", "ada@example.com").exit_code == 2

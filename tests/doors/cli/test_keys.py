"""`ordermill keys`: programs' ways in; a secret is shown once."""

import json

import pytest
from terminals import Terminal


class TestCreate:
    def test_prints_nothing_but_the_secret_to_stdout(self, each_terminal: Terminal) -> None:
        done = each_terminal.run("keys", "create", "Storefront", "--scope", "storefront")

        secret = done.stdout.strip()
        assert done.exit_code == 0
        assert (secret[:3], len(secret)) == ("om_", 46)
        told, written = done.stderr.splitlines()
        assert told.endswith(": Storefront, storefront. Its secret is not shown again:")
        assert written.startswith("Written to ")
        (key,) = each_terminal.json("keys", "list")["data"]
        assert (key["name"], key["scope"]) == ("Storefront", "storefront")
        assert secret not in each_terminal.run("keys", "list").stdout

    def test_prints_json(self, terminal: Terminal) -> None:
        made = json.loads(terminal.run("keys", "create", "Reports", "--scope", "read", "--json").stdout)
        secret = made.pop("secret")
        assert secret.startswith("om_")
        assert terminal.json("keys", "list")["data"] == [made]

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (["x", "--scope", "root"], "scope: Input should be 'staff', 'storefront' or 'read'."),
            (["", "--scope", "read"], "name: String should have at least 1 character."),
        ],
    )
    def test_refuses_in_a_sentence(self, terminal: Terminal, words: list[str], sentence: str) -> None:
        done = terminal.run("keys", "create", *words)
        assert (done.exit_code, done.stdout, done.stderr) == (2, "", f"{sentence}\n")
        assert terminal.json("keys", "list")["data"] == []

    def test_needs_a_scope(self, terminal: Terminal) -> None:
        assert terminal.run("keys", "create", "x").exit_code == 2
        assert terminal.json("keys", "list")["data"] == []

    def test_needs_no_secret_key(self, terminal: Terminal) -> None:
        """Nothing is signed: a command beside a server needs not know what that signs with."""
        terminal.run("keys", "create", "x", "--scope", "read")
        assert [name for name in terminal.files() if name.endswith(".key")] == []


class TestList:
    def test_pages_in_the_order_of_their_making(self, terminal: Terminal) -> None:
        for name in ("a", "b", "c"):
            terminal.run("keys", "create", name, "--scope", "read")

        page = terminal.json("keys", "list", "--limit", "2")
        rest = terminal.json("keys", "list", "--after", page["next_cursor"])

        assert [key["name"] for key in page["data"]] == ["a", "b"]
        assert [key["name"] for key in rest["data"]] == ["c"]
        assert (page["has_more"], rest["has_more"], rest["next_cursor"]) == (True, False, None)
        assert "There are more: --after " in terminal.run("keys", "list", "--limit", "2").stdout

    def test_says_that_there_are_none(self, terminal: Terminal) -> None:
        done = terminal.run("keys", "list")
        assert (done.exit_code, done.stdout) == (0, "There are no API keys.\n")


class TestRevoke:
    def test_lets_a_key_work_no_more(self, each_terminal: Terminal) -> None:
        each_terminal.run("keys", "create", "x", "--scope", "read")
        (key,) = each_terminal.json("keys", "list")["data"]

        done = each_terminal.run("keys", "revoke", key["id"])

        assert (done.exit_code, done.stdout) == (0, f"Key {key['id']} is revoked.\n")
        assert each_terminal.json("keys", "list")["data"] == []
        again = each_terminal.run("keys", "revoke", key["id"])
        assert (again.exit_code, again.stderr) == (1, "There is no API key with this id, or it was revoked before.\n")

    def test_refuses_what_is_no_id(self, terminal: Terminal) -> None:
        done = terminal.run("keys", "revoke", "x")
        assert (done.exit_code, done.stderr) == (2, "'x' is not the id of an API key.\n")

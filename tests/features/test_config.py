"""Settings and the database's URL: what is read from them, and that a refusal repeats no secret."""

import os
from pathlib import Path

import pytest

from ordermill.config import DatabaseUrl, default_database_url, load
from ordermill.kit.errors import Invalid

SECRET = "s3cr3t-p4rt"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no setting from outside."""
    for name in [name for name in os.environ if name.startswith("ORDERMILL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(url: str) -> str:
    with pytest.raises(Invalid) as caught:
        DatabaseUrl(url)
    assert caught.value.code == "database_url"
    return caught.value.message


class TestSqliteUrl:
    @pytest.mark.parametrize(
        ("url", "path", "shown"),
        [
            ("sqlite:///my.db", "my.db", "sqlite:///my.db"),
            ("sqlite:////srv/my.db", "/srv/my.db", "sqlite:////srv/my.db"),
            ("sqlite:///my%23shop%3F.db", "my#shop?.db", "sqlite:///my%23shop%3F.db"),
            ("sqlite:///50%25.db", "50%.db", "sqlite:///50%25.db"),
            ("sqlite:///%FC.db", "\udcfc.db", "sqlite:///\udcfc.db"),
        ],
    )
    def test_names_a_file(self, url: str, path: str, shown: str) -> None:
        assert (DatabaseUrl(url).path, str(DatabaseUrl(url))) == (path, shown)

    @pytest.mark.parametrize("url", ["sqlite:///my#shop.db", "sqlite:///my?shop.db", "sqlite:///my.db#", "sqlite:///my.db?"])
    def test_has_nothing_that_would_be_dropped(self, url: str) -> None:
        assert refusal(url) == "A SQLite URL has neither ? nor #; in the file's name write ? as %3F and # as %23."

    @pytest.mark.parametrize("url", ["sqlite:///", "sqlite://my.db", "sqlite://server/my.db"])
    def test_without_a_file_is_refused(self, url: str) -> None:
        assert refusal(url).startswith("The SQLite URL names no file")

    @pytest.mark.parametrize("url", ["sqlite:///a%00b.db", "postgresql://shop@localhost/a%00b", "postgresql://%00@localhost/a"])
    def test_holds_no_nul(self, url: str) -> None:
        assert refusal(url) == "The database URL holds a NUL, which no name can."

    def test_is_quoted_where_it_is_the_default(self, nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        directory = nowhere / "50% of #1?"
        monkeypatch.setattr("platformdirs.user_data_path", lambda _: directory)

        assert DatabaseUrl(default_database_url()).path == str(directory / "ordermill.db")


class TestServerUrl:
    @pytest.mark.parametrize(
        "url",
        [
            f"postgresql://shop:12/{SECRET}@127.0.0.1:1/shop",
            f"postgresql://shop:12?{SECRET}@127.0.0.1:1/shop",
            f"postgresql://shop:12#{SECRET}@127.0.0.1:1/shop",
            f"postgresql://shop:{SECRET}@1@127.0.0.1:1/shop",
            f"postgresql://shop:{SECRET}/12@127.0.0.1:1/shop",
        ],
    )
    def test_whose_password_would_be_taken_for_something_else_is_refused_without_a_word_of_it(self, url: str) -> None:
        message = refusal(url)

        assert message.startswith("The database URL cannot be read")
        assert "write / as %2F, @ as %40" in message
        assert SECRET not in message

    def test_may_ask_for_tls(self) -> None:
        url = DatabaseUrl("postgresql://shop@db.example.com/orders?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem")

        assert url.options == {"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem"}

    def test_may_name_the_directory_of_a_socket(self) -> None:
        url = DatabaseUrl("postgresql://shop@/orders?host=/run/postgresql")

        assert (url.host, url.options) == ("/run/postgresql", {})

    @pytest.mark.parametrize("query", ["connect_timeout=1", "options=-c%20x%3D1", "password=x", "sslmode", "&", "sslmode=x&"])
    def test_says_nothing_that_only_one_driver_knows(self, query: str) -> None:
        if query == "sslmode":
            DatabaseUrl(f"postgresql://shop@localhost/orders?{query}=require")
            return
        assert refusal(f"postgresql://shop@localhost/orders?{query}").startswith("The PostgreSQL URL has an option that is not")

    @pytest.mark.parametrize("url", ["postgresql://shop@a,b/orders", "postgresql://shop@/orders?host=a,b"])
    def test_names_one_host(self, url: str) -> None:
        assert refusal(url).startswith("The PostgreSQL URL names several hosts")


class TestRedisUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "redis://localhost", "redis://localhost:6379/0", "rediss://shop:s%2Fx@redis.example.com:6379/2", "redis://[::1]:6379",
            "unix:///run/redis.sock", "unix://:secret@/run/redis.sock?db=2",
        ],
    )  # fmt: skip
    def test_is_taken(self, url: str) -> None:
        found = load(redis_url=url).redis_url

        assert found is not None
        assert found.get_secret_value() == url

    @pytest.mark.parametrize(
        "url",
        [
            f"redis://:{SECRET}/ret@localhost:6379", f"redis://:12/{SECRET}@localhost:6379", f"redis://:12?{SECRET}@localhost",
            f"redis://:12#{SECRET}@localhost", f"redis://:{SECRET}@1@localhost", f"redis://:{SECRET}@[::1", "redis://", "redis:///0",
            f"redis://localhost/{SECRET}", f"redis://localhost?{SECRET}=1", f"unix://{SECRET}/run/redis.sock", "unix://",
            f"unix:///run/redis.sock?{SECRET}=1", f"http://:{SECRET}@localhost", "redis://localhost:99999",
        ],
    )  # fmt: skip
    def test_is_judged_whole_and_shown_nowhere(self, url: str) -> None:
        with pytest.raises(Invalid) as caught:
            load(redis_url=url)

        assert caught.value.code == "settings"
        assert caught.value.message.startswith(
            "ORDERMILL_REDIS_URL: Write redis://HOST:PORT, rediss://HOST:PORT or unix:///SOCKET."
        )
        assert SECRET not in caught.value.message


class TestMailFrom:
    @pytest.mark.parametrize(
        "sender",
        [
            "orders@example.com",
            "Orders <orders@example.com>",
            '"Orders, Ltd" <o@example.com>',
            "Zoë <z@example.com>",
            "a@localhost",
        ],
    )
    def test_is_an_address_with_or_without_a_name(self, sender: str) -> None:
        assert load(mail_from=sender).mail_from == sender

    @pytest.mark.parametrize(
        "sender",
        [
            "", "nobody", "a@b@example.com", "<a@example.com>", "a@example.com (Ada)", "a@example.com, b@example.com",
            "Orders, Ltd <o@example.com>", "A <a@example.com> B", "A <a@example.com>\nBcc: b@example.com", "ö@example.com",
        ],
    )  # fmt: skip
    def test_is_refused_at_start_where_no_mail_could_have_it(self, sender: str) -> None:
        with pytest.raises(Invalid) as caught:
            load(mail_from=sender)

        assert caught.value.message == (
            "ORDERMILL_MAIL_FROM: Write the sender such as orders@example.com or Orders <orders@example.com>."
        )


class TestEnvFile:
    def test_that_is_not_utf_8_is_refused_in_words(self, nowhere: Path) -> None:
        (nowhere / ".env").write_bytes(b"# S\xfc\xdf\n")

        with pytest.raises(Invalid, match=r"^The file '\.env' is not UTF-8 at byte 4\.$") as caught:
            load()

        assert caught.value.code == "settings"

    def test_that_cannot_be_read_is_refused_in_words(self, nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        (nowhere / ".env").touch()
        monkeypatch.setattr("builtins.open", fail)

        with pytest.raises(Invalid, match=r"^The file '\.env' cannot be read: Permission denied\.$"):
            load()

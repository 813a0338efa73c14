"""One owner of the schema, and nothing else that runs DDL (RELIABILITY.md G13)."""

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from servers import Postgres
from storages import connected

from ordermill.config import DatabaseUrl
from ordermill.kit.errors import Unavailable
from ordermill.schema import setup
from ordermill.schema.migrate import State, migrate, require_current, state
from ordermill.storage.sqlite import connect

MIGRATE = "import sys; from ordermill.config import DatabaseUrl; from ordermill.schema.migrate import migrate; "
PARALLEL = 3


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> DatabaseUrl:
    """A database without any table: for the embedded one, no file."""
    if request.param == "sqlite":
        return DatabaseUrl(f"sqlite:///{tmp_path / 'new.db'}")
    return DatabaseUrl(request.getfixturevalue("postgres_url"))


def _sql(url: DatabaseUrl, statement: str, *parameters: Any) -> list[Any]:
    """Run one statement behind everybody's back."""
    if url.embedded:
        file = connect(url.path)
        try:
            return file.execute(statement.replace("%s", "?"), parameters).fetchall()
        finally:
            file.close()
    with psycopg.connect(url.secret_url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), parameters)
        return cursor.fetchall() if cursor.description else []


def _recorded(url: DatabaseUrl) -> list[str]:
    rows = _sql(url, "SELECT name FROM django_migrations WHERE app = 'ordermill' ORDER BY name")
    return [name for (name,) in rows]


class TestMigrate:
    def test_creates_a_new_book_and_names_what_was_applied(self, empty_url: DatabaseUrl) -> None:
        assert state(empty_url) is State.EMPTY

        applied = migrate(empty_url)

        assert applied == _recorded(empty_url)
        assert applied[0] == "0001_the_book"
        assert state(empty_url) is State.CURRENT

    def test_does_nothing_the_second_time(self, book_url: DatabaseUrl) -> None:
        before = _recorded(book_url)

        assert migrate(book_url) == []

        assert _recorded(book_url) == before

    def test_leaves_nothing_behind_beside_an_embedded_book(self, tmp_path: Path) -> None:
        migrate(DatabaseUrl(f"sqlite:///{tmp_path / 'new.db'}"))

        assert [file.name for file in tmp_path.iterdir()] == ["new.db"]

    def test_makes_an_embedded_book_that_keeps_a_write_ahead_log(self, sqlite_book: DatabaseUrl) -> None:
        assert Path(sqlite_book.path).read_bytes()[18:20] == b"\2\2"  # the file format's read and write version for WAL

    def test_waits_for_others_that_migrate_at_once(self, empty_url: DatabaseUrl) -> None:
        program = f"{MIGRATE}print(*migrate(DatabaseUrl(sys.argv[1])))"
        command = [sys.executable, "-c", program, empty_url.secret_url]

        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(PARALLEL)]
        answers = [process.communicate(timeout=60) for process in processes]

        assert [process.returncode for process in processes] == [0] * PARALLEL, answers
        # One of them did it all, the others found nothing left to do.
        did = sorted(out.decode().split() for out, _ in answers)
        assert did == [[], [], _recorded(empty_url)]
        assert state(empty_url) is State.CURRENT

    def test_refuses_a_newer_book(self, book_url: DatabaseUrl, forget_migrations: None) -> None:
        _sql(book_url, "INSERT INTO django_migrations (app, name, applied) VALUES ('ordermill', '9999_later', '2030-01-01')")

        with pytest.raises(Unavailable) as caught:
            migrate(book_url)

        assert caught.value.code == "schema_newer"

    def test_says_that_a_file_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("Buy tea, and then some more tea. " * 40)
        url = DatabaseUrl(f"sqlite:///{tmp_path / 'notes.txt'}")

        with pytest.raises(Unavailable, match=r"The order book at .*notes\.txt cannot be opened: file is not a database\."):
            migrate(url)

        assert (tmp_path / "notes.txt").read_text().startswith("Buy tea")

    def test_says_that_a_directory_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="cannot be opened") as caught:
            migrate(DatabaseUrl(f"sqlite:///{tmp_path / 'nowhere' / 'new.db'}"))

        assert caught.value.code == "database_unavailable"

    def test_says_that_a_server_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="cannot be opened") as caught:
            migrate(DatabaseUrl(f"postgresql://postgres:secret-7@/book?host={tmp_path}"))

        assert caught.value.code == "database_unavailable"
        assert "secret-7" not in str(caught.value)


class TestASilentServer:
    def test_is_not_waited_for_when_it_is_connected_to(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(setup, "CONNECT_TIMEOUT_S", 2)  # the least that libpq takes for a limit
        began = time.monotonic()
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(str(tmp_path / ".s.PGSQL.5432"))
            silent.listen()
            with pytest.raises(Unavailable) as caught:
                state(DatabaseUrl(f"postgresql://postgres@/book?host={tmp_path}"))

        assert caught.value.code == "database_unavailable"
        assert time.monotonic() - began < 10

    def test_is_not_waited_for_when_its_state_is_asked(
        self, postgres_book: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ordermill.schema.migrate.STATE_TIMEOUT_S", 0.2)
        with psycopg.connect(postgres_book.secret_url) as other:
            other.execute("LOCK TABLE django_migrations")
            with pytest.raises(Unavailable, match="statement timeout"):
                state(postgres_book)


@pytest.fixture
def forget_migrations(book_url: DatabaseUrl) -> Any:
    """Give a shared book back the record of migrations that the test changes."""
    before = _sql(book_url, "SELECT app, name, applied FROM django_migrations")
    yield
    _sql(book_url, "DELETE FROM django_migrations")
    for row in before:
        _sql(book_url, "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", *row)


class TestRequireCurrent:
    def test_takes_a_book_of_this_program(self, book_url: DatabaseUrl) -> None:
        require_current(book_url)

    def test_refuses_a_database_without_a_book(self, empty_url: DatabaseUrl) -> None:
        with pytest.raises(Unavailable, match="`ordermill migrate` creates it") as caught:
            require_current(empty_url)

        assert caught.value.code == "schema_missing"

    def test_refuses_a_database_of_another_program(self, empty_url: DatabaseUrl) -> None:
        if empty_url.embedded:
            Path(empty_url.path).touch()
        _sql(empty_url, "CREATE TABLE users (id integer)")

        with pytest.raises(Unavailable) as caught:
            require_current(empty_url)

        assert caught.value.code == "schema_missing"

    def test_refuses_an_older_book(self, book_url: DatabaseUrl, forget_migrations: None) -> None:
        _sql(book_url, "DELETE FROM django_migrations WHERE app = 'ordermill' AND name <> '0001_the_book'")

        with pytest.raises(Unavailable, match="run `ordermill migrate`") as caught:
            require_current(book_url)

        assert caught.value.code == "schema_old"

    def test_refuses_a_newer_book(self, book_url: DatabaseUrl, forget_migrations: None) -> None:
        _sql(book_url, "INSERT INTO django_migrations (app, name, applied) VALUES ('ordermill', '9999_later', '2030-01-01')")

        with pytest.raises(Unavailable, match="upgrade this program") as caught:
            require_current(book_url)

        assert caught.value.code == "schema_newer"


class TestStartUp:
    @pytest.mark.anyio
    async def test_runs_no_ddl_on_an_empty_server_database(self, postgres_url: str) -> None:
        database = connected(DatabaseUrl(postgres_url))
        try:
            assert await database.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar()) == 1
        finally:
            await database.close()

        assert _sql(DatabaseUrl(postgres_url), "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []

    def test_runs_no_ddl_when_the_schema_is_looked_at(self, empty_url: DatabaseUrl) -> None:
        state(empty_url)

        if empty_url.embedded:
            assert not Path(empty_url.path).exists()
        else:
            assert _sql(empty_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


class TestModels:
    def test_have_no_change_that_is_missing_from_the_migrations(self, book_url: DatabaseUrl) -> None:
        """`makemigrations --check`, in words."""
        require_current(book_url)
        from django.apps import apps  # noqa: PLC0415  # Django is configured only now
        from django.db import connection  # noqa: PLC0415  # Django is configured only now
        from django.db.migrations.autodetector import MigrationAutodetector  # noqa: PLC0415  # Django is configured only now
        from django.db.migrations.loader import MigrationLoader  # noqa: PLC0415  # Django is configured only now
        from django.db.migrations.state import ProjectState  # noqa: PLC0415  # Django is configured only now

        detected = MigrationAutodetector(MigrationLoader(connection).project_state(), ProjectState.from_apps(apps))
        changes = detected.changes(graph=MigrationLoader(connection).graph)
        connection.close()

        assert {
            app: [operation.describe() for change in made for operation in change.operations] for app, made in changes.items()
        } == {}

    def test_can_be_migrated_back_and_forth(self, sqlite_book: DatabaseUrl, postgres: Postgres, postgres_template: str) -> None:
        from django.core.management import call_command  # noqa: PLC0415  # Django is configured only now

        from ordermill.schema.setup import configure  # noqa: PLC0415  # Django is configured only now

        copy = DatabaseUrl(postgres.create_database("back_and_forth", template=postgres_template))
        for url in (sqlite_book, copy):
            configure(url)
            call_command("migrate", "ordermill", "zero", verbosity=0)
            assert state(url) is State.EMPTY
            migrate(url)
            assert state(url) is State.CURRENT

"""What the doctor says of an installation, good or bad."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ordermill.kit.clock import FixedClock
from ordermill.kit.errors import Unavailable
from ordermill.operations import checks
from ordermill.operations.checks import Check, Level, worst
from ordermill.operations.doctor import Doctor, Place, Probes
from ordermill.operations.machine import file_system, kind_of
from ordermill.operations.ports import EmbeddedFacts, FileSystemFacts, ServerFacts

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GIB = 2**30
GOOD = EmbeddedFacts(version="3.51.3", journal_mode="wal", synchronous=2, foreign_keys=1)
ROOMY = FileSystemFacts("ext4", free=50 * GIB, size=GIB)

# As Linux writes it: a space is \040, and of two mounts on one place the later one hides the earlier.
MOUNTS = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 27 0:44 / /srv rw,relatime - nfs4 files:/srv rw
41 40 0:45 / /srv/local rw,relatime - xfs /dev/vdb rw
42 27 0:46 / /mnt/shop\040files rw,relatime - cifs //nas/shop rw
43 27 0:47 / /opt rw - ext4 /dev/vdc rw
44 27 0:48 / /opt rw - fuse.sshfs me@host:/ rw
""".strip()


class Database:
    """A database that says what it was told to say."""

    def __init__(self, facts: EmbeddedFacts | ServerFacts | Unavailable, newest_event: datetime | None = None) -> None:
        self._facts = facts
        self._newest_event = newest_event
        self.asked = False

    async def facts(self) -> EmbeddedFacts | ServerFacts:
        self.asked = True
        if isinstance(self._facts, Unavailable):
            raise self._facts
        return self._facts

    async def newest_event(self) -> datetime | None:
        return self._newest_event


async def examine(database: Database | None = None, *, server: bool = False, **said: Any) -> dict[str, Check]:
    url = "postgresql://shop@db/orders" if server else "sqlite:///book.db"
    place = Place(url=url, origin="--database", file=None if server else Path("book.db"))
    given = {"schema": lambda: "current", "database": database or Database(GOOD), "file_system": lambda _: ROOMY}
    found = await Doctor(place, Probes(**{**given, **said}), clock=FixedClock(NOW)).examine()
    return {check.name: check for check in found}


def levels(found: dict[str, Check]) -> dict[str, Level]:
    return {name: check.level for name, check in found.items()}


@pytest.mark.anyio
class TestExamine:
    async def test_finds_a_good_embedded_book_good(self) -> None:
        found = await examine()

        assert levels(found) == dict.fromkeys(
            ("settings", "file_system", "disk", "schema", "sqlite", "pragmas", "clock"), Level.OK
        )
        assert found["settings"].sentence == "The order book is sqlite:///book.db, named by --database."

    async def test_finds_a_good_server_good(self) -> None:
        found = await examine(Database(ServerFacts("18.1", NOW + timedelta(minutes=4))), server=True)

        assert levels(found) == dict.fromkeys(("settings", "schema", "server", "server_clock", "clock"), Level.OK)

    @pytest.mark.parametrize(
        ("schema", "level", "says"),
        [
            ("old", Level.FAILURE, "`ordermill migrate`"),
            ("newer", Level.FAILURE, "upgrade"),
            ("empty", Level.WARNING, "migrate"),
        ],
    )
    async def test_says_how_the_schema_stands(self, schema: str, level: Level, says: str) -> None:
        found = await examine(schema=lambda: schema)

        assert found["schema"].level is level
        assert says in found["schema"].sentence

    async def test_does_not_open_a_book_that_is_not_there(self) -> None:
        database = Database(GOOD)

        await examine(database, schema=lambda: "empty")

        assert not database.asked

    async def test_reports_a_database_that_cannot_be_reached(self) -> None:
        def refuse() -> str:
            raise Unavailable("Nobody listens at db.")

        found = await examine(server=True, schema=refuse)

        assert found["database"] == Check("database", Level.FAILURE, "Nobody listens at db.")

    async def test_reports_a_database_that_cannot_be_opened_as_it_must(self) -> None:
        found = await examine(Database(Unavailable("It stays in journal mode 'delete'.")))

        assert found["database"] == Check("database", Level.FAILURE, "It stays in journal mode 'delete'.")

    async def test_reports_a_directory_that_is_not_there(self) -> None:
        found = await examine(file_system=lambda _: file_system(Path("/proc/none/such/book.db")))

        assert found["file_system"].level is Level.FAILURE
        assert "'book.db'" in found["file_system"].sentence

    async def test_warns_of_clocks_that_are_apart(self) -> None:
        found = await examine(Database(ServerFacts("18.1", NOW - timedelta(minutes=6))), server=True)

        assert found["server_clock"].level is Level.WARNING
        assert "360 s apart" in found["server_clock"].sentence

    async def test_warns_of_a_clock_that_runs_behind_the_ledger(self) -> None:
        found = await examine(Database(GOOD, newest_event=NOW + timedelta(hours=1)))

        assert found["clock"].level is Level.WARNING
        assert "3600 s in the future" in found["clock"].sentence

    @pytest.mark.parametrize(("answers", "level"), [(True, Level.OK), (False, Level.WARNING)])
    async def test_asks_redis_where_one_is_set(self, answers: bool, level: Level) -> None:  # noqa: FBT001  # a parametrized value
        async def ping() -> bool:
            return answers

        found = (await examine(cache=ping))["redis"]

        assert found.level is level
        assert "o command uses a cache yet" in found.sentence


class TestSqlite:
    @pytest.mark.parametrize("version", ["3.40.1", "3.51.2", "3.7.0", "3.9.2"])
    def test_with_the_wal_reset_bug_is_a_warning_that_says_what_to_do(self, version: str) -> None:
        found = checks.sqlite(EmbeddedFacts(version, "wal", 2, 1))

        assert found.level is Level.WARNING
        assert "3.51.3 or newer" in found.sentence

    @pytest.mark.parametrize("version", ["3.51.3", "3.53.0", "4.0.0"])
    def test_without_it_is_fine(self, version: str) -> None:
        assert checks.sqlite(EmbeddedFacts(version, "wal", 2, 1)).level is Level.OK

    @pytest.mark.parametrize(
        ("facts", "wrong"),
        [
            (EmbeddedFacts("3.51.3", "delete", 2, 1), "journal_mode is delete and must be wal"),
            (EmbeddedFacts("3.51.3", "wal", 1, 1), "synchronous is 1 and must be 2"),
            (EmbeddedFacts("3.51.3", "wal", 2, 0), "foreign_keys is 0 and must be 1"),
        ],
    )
    def test_opened_otherwise_than_it_must_be_is_a_failure(self, facts: EmbeddedFacts, wrong: str) -> None:
        found = checks.pragmas(facts)

        assert found.level is Level.FAILURE
        assert wrong in found.sentence


class TestFileSystem:
    @pytest.mark.parametrize(
        ("directory", "kind"),
        [
            ("/", "ext4"),
            ("/var/lib/shop", "ext4"),
            ("/srv", "nfs4"),
            ("/srv/shop", "nfs4"),
            ("/srv/local/shop", "xfs"),
            ("/srv/locality", "nfs4"),
            ("/mnt/shop files", "cifs"),
            ("/opt/book", "fuse.sshfs"),
        ],
    )
    def test_is_that_of_the_nearest_mount(self, directory: str, kind: str) -> None:
        assert kind_of(Path(directory), MOUNTS) == kind

    @pytest.mark.parametrize(
        ("kind", "level"),
        [
            *(
                (kind, Level.FAILURE)
                for kind in ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "ceph", "fuse.glusterfs")
            ),
            *((kind, Level.WARNING) for kind in ("9p", "virtiofs", "vboxsf")),
            *((kind, Level.OK) for kind in ("ext4", "xfs", "btrfs", "apfs", "overlay", "tmpfs", None)),
        ],
    )
    def test_must_be_a_local_one(self, kind: str | None, level: Level) -> None:
        assert checks.file_system(FileSystemFacts(kind, free=GIB, size=0)).level is level

    def test_under_a_real_file_is_told_by_the_machine(self, tmp_path: Path) -> None:
        book = tmp_path / "book.db"
        book.write_bytes(b"12345")

        facts = file_system(book)

        assert facts.size == 5
        assert facts.free > 0
        assert file_system(tmp_path / "none.db").size == 0


class TestDisk:
    @pytest.mark.parametrize(
        ("free", "size", "level"),
        [
            (2 * GIB, GIB, Level.OK),
            (2 * GIB, 3 * GIB, Level.WARNING),
            (GIB - 1, 0, Level.WARNING),
            (2**26 - 1, 0, Level.FAILURE),
        ],
    )
    def test_must_have_room_for_a_backup_and_the_next_import(self, free: int, size: int, level: Level) -> None:
        assert checks.disk(FileSystemFacts("ext4", free, size)).level is level


class TestWorst:
    def test_is_the_highest_level(self) -> None:
        found = [Check("a", level, "") for level in (Level.WARNING, Level.FAILURE, Level.OK)]

        assert [worst(found), worst(found[:1]), worst([])] == [Level.FAILURE, Level.WARNING, Level.OK]

"""What the doctor makes of each fact. Pure: facts in, a level and a sentence out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from ordermill.operations.ports import EmbeddedFacts, FileSystemFacts, ServerFacts

# The first release without the WAL-reset bug (RELIABILITY.md 1.1; sqlite.org/wal.html#walresetbug).
SAFE_SQLITE: Final = (3, 51, 3)
# Locks or shared memory do not work across hosts there, and SQLite's write-ahead log needs both.
NETWORK: Final = frozenset(
    {
        *("afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2"),
        *("fuse.ceph", "fuse.davfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "smb2", "smb3", "smbfs"),
    }
)
# Shared with the host of a virtual machine or container: some keep locks right, some do not.
SHARED: Final = frozenset({"9p", "drvfs", "fuse.grpcfuse", "fuse.vmhgfs-fuse", "prl_fs", "vboxsf", "virtiofs", "vmhgfs"})
# A full disk stops a write safely, but nobody can work then.
LEAST_FREE: Final = 64 * 2**20
ENOUGH_FREE: Final = 2**30
TOLERATED_SKEW: Final = timedelta(minutes=5)
_MIB: Final = 2**20


class Level(StrEnum):
    """How bad it is, in rising order."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, and a whole sentence on how it is and what to do."""

    name: str
    level: Level
    sentence: str


def worst(checks: Sequence[Check]) -> Level:
    """Return the highest level among checks."""
    return max((check.level for check in checks), key=list(Level).index, default=Level.OK)


def file_system(facts: FileSystemFacts) -> Check:
    if facts.kind is None:
        return Check("file_system", Level.OK, "This machine does not tell the kind of file system; it must be a local one.")
    if facts.kind in NETWORK:
        return Check(
            "file_system",
            Level.FAILURE,
            f"The order book lies on a network file system ({facts.kind}), which can damage it; move it to a local disk, "
            "or use PostgreSQL.",
        )
    if facts.kind in SHARED:
        return Check(
            "file_system",
            Level.WARNING,
            f"The order book lies on a directory shared with another system ({facts.kind}), whose locks may not hold; "
            "move it to a disk of this one.",
        )
    return Check("file_system", Level.OK, f"The order book lies on a local file system ({facts.kind}).")


def disk(facts: FileSystemFacts) -> Check:
    free = f"{facts.free // _MIB} MiB are free"
    if facts.free < LEAST_FREE:
        return Check("disk", Level.FAILURE, f"Only {free}; the next import will stop. Make room.")
    if facts.free < max(ENOUGH_FREE, facts.size):
        return Check("disk", Level.WARNING, f"Only {free}; a backup of the book takes {facts.size // _MIB} MiB. Make room.")
    return Check("disk", Level.OK, f"{free}.")


def schema(state: str) -> Check:
    sentences = {
        "current": (Level.OK, "The database answers, and its schema is this program's."),
        "empty": (Level.WARNING, "There is no order book there yet; `ordermill migrate` creates it."),
        "old": (Level.FAILURE, "The schema is of an older Ordermill; back the book up and run `ordermill migrate`."),
        "newer": (Level.FAILURE, "The schema is of a newer Ordermill; upgrade this program."),
    }
    level, sentence = sentences[state]
    return Check("schema", level, sentence)


def sqlite(facts: EmbeddedFacts) -> Check:
    if tuple(int(part) for part in facts.version.split(".")) >= SAFE_SQLITE:
        return Check("sqlite", Level.OK, f"SQLite {facts.version} is not affected by the WAL-reset bug.")
    return Check(
        "sqlite",
        Level.WARNING,
        f"SQLite {facts.version} has the WAL-reset bug: very rarely, two processes that write at the same moment damage the "
        "file. Use a Python with SQLite 3.51.3 or newer, or PostgreSQL; until then back up and avoid commands that write "
        "while the server is busy.",
    )


def pragmas(facts: EmbeddedFacts) -> Check:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    wrong = [
        f"{name} is {getattr(facts, name)} and must be {value}"
        for name, value in wanted.items()
        if getattr(facts, name) != value
    ]
    if wrong:
        return Check("pragmas", Level.FAILURE, f"The database is not opened as it must be: {'; '.join(wrong)}.")
    return Check("pragmas", Level.OK, "Write-ahead log, full synchronisation and foreign keys are on.")


def skew(facts: ServerFacts, before: datetime, after: datetime) -> Check:
    """Compare the server's clock with ours just before it was asked and just after it answered."""
    skew = max(before - facts.now, facts.now - after, timedelta(0))
    if skew > TOLERATED_SKEW:
        return Check(
            "server_clock",
            Level.WARNING,
            f"The clocks of this machine and the database server are {_seconds(skew)} apart; set both by NTP.",
        )
    return Check("server_clock", Level.OK, f"The clocks of this machine and the database server agree within {_seconds(skew)}.")


def newest_event(newest: datetime | None, *, now: datetime) -> Check:
    if newest is not None and newest - now > TOLERATED_SKEW:
        return Check(
            "clock",
            Level.WARNING,
            f"The newest event in the ledger is {_seconds(newest - now)} in the future: this machine's clock is slow now, or "
            "was fast then. Set it by NTP.",
        )
    return Check("clock", Level.OK, f"This machine's clock says {now:%Y-%m-%d %H:%M:%S} UTC, after everything in the ledger.")


def cache(*, answers: bool) -> Check:
    if answers:
        return Check("redis", Level.OK, "Redis answers. No command uses a cache yet; only this one asks it.")
    # A warning, for nothing depends on it: a cache that is gone is a miss.
    return Check("redis", Level.WARNING, "Redis does not answer; everything works without it, for no command uses a cache yet.")


def _seconds(skew: timedelta) -> str:
    return f"{int(skew.total_seconds())} s"

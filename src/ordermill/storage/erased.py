"""
Who was erased, as imports and undos ask: a keyed hash an address, and the lock that keeps an erasure apart from them.

One look a batch tells that nobody was, which is all that it costs a book in which nobody was. What an erasure does: erasing.py.
"""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import Connection, func, select

from ordermill.imports.model import Reject, Tally
from ordermill.privacy.model import KEY, hashed, may_be_kept
from ordermill.storage.statements import insert_ignoring
from ordermill.storage.tables import BookKeyRow, ErasedRow

# Any number does, as long as it is not that of schema/migrate.py or storage/statistics.py.
_LOCK: Final = 0x0D3315
_AT_ONCE: Final = 500


def wait_for_erasures(connection: Connection) -> None:
    """
    Keep erasures waiting until this transaction ends; to be asked before anything else is locked or looked at.

    Without it an import that had looked a moment before an erasure could bring back a moment later what it removed. The
    embedded book has one writer at a time anyway.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(select(func.pg_advisory_xact_lock_shared(_LOCK)))


def keep_imports_waiting(connection: Connection) -> None:
    """Wait for imports and undos that are writing, and keep others waiting until this transaction ends."""
    if connection.dialect.name != "sqlite":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def remember(connection: Connection, email_key: str, *, new_key: str, at: object) -> None:
    """Remember an erased address; `new_key` becomes the book's key when it has none yet."""
    connection.execute(insert_ignoring(connection, BookKeyRow).values(name=KEY, value=new_key))
    hash = hashed(email_key, key=_key(connection))
    connection.execute(insert_ignoring(connection, ErasedRow).values(hash=hash, at=at))


def anybody_erased(connection: Connection) -> bool:
    return connection.execute(select(ErasedRow.hash).limit(1)).first() is not None


def erased_among(connection: Connection, keys: Collection[str]) -> set[str]:
    """Return those of these addresses, as `kit.text.email_key` has them, that were erased."""
    if not keys or not anybody_erased(connection):
        return set()
    secret = _key(connection)
    by_hash = {hashed(key, key=secret): key for key in keys}
    hashes = list(by_hash)
    found: set[str] = set()
    for at in range(0, len(hashes), _AT_ONCE):
        query = select(ErasedRow.hash).where(ErasedRow.hash.in_(hashes[at : at + _AT_ONCE]))
        found.update(by_hash[hash] for hash in connection.execute(query).scalars())
    return found


def without_erased(
    connection: Connection, rejects: Sequence[Reject], tallies: Sequence[Tally]
) -> tuple[Sequence[Reject], Sequence[Tally]]:
    """Return what may be kept of a batch's rejects and figures: `privacy.model.may_be_kept`."""
    if not rejects or not anybody_erased(connection):
        return rejects, tallies
    return may_be_kept(rejects, tallies, erased=lambda keys: erased_among(connection, keys))


def _key(connection: Connection) -> str:
    return connection.execute(select(BookKeyRow.value).where(BookKeyRow.name == KEY)).scalar_one()

"""Ada Lovelace, who orders and is erased, and a search for what is left of her."""

import re
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from builders import LATER, NOON, Sold, a_batch, an_id, outcomes, sold
from storages import Storage

from ordermill.accounts.model import User
from ordermill.accounts.one_time import Purpose, issue
from ordermill.accounts.sessions import Session
from ordermill.imports.model import Import, Tally
from ordermill.imports.undo import Undoing
from ordermill.orders.model import Address
from ordermill.privacy.model import Erased, Erasure

EVENING: Final = LATER + timedelta(hours=6)
# None of these words may be left anywhere; the domain is other people's, too.
WORDS: Final = ("ada@example", "lovelace", "mill lane", "ring twice", "parcel-77")
HOME: Final = Address(name="Ada Lovelace", line1="1 Mill Lane", city="York", country="GB")
SAID: Final[dict[str, Any]] = {
    "customer_email": "Ada@Example.com",
    "customer_key": "ada@example.com",
    "customer_name": "Ada Lovelace",
    "shipping_address": '{"name": "Ada Lovelace", "line1": "1 Mill Lane", "city": "York"}',
    "billing_address": '{"name": "Ada Lovelace", "line1": "1 Mill Lane", "city": "York"}',
    "note": "Ring twice.",
    "carrier": "DHL",
    "tracking_number": "PARCEL-77",
}


def hers(number: str, *items: tuple[str, int, int], **said: Any) -> Sold:
    return sold(number, *items, **{**SAID, **said})


async def imported(storage: Storage, *orders: Sold, sha256: str = "1" * 64, **more: Any) -> tuple[UUID, Tally, dict[str, int]]:
    """Bring orders in by an import of their own; return its id, its figures and what became of the orders."""
    run = await storage.begun(sha256=sha256)
    loaded = await storage.imports.load(run, a_batch(*orders, **more), at=LATER)
    assert loaded is not None
    finished = await storage.imports.finish(run, at=LATER)
    return run.id, finished.tally, outcomes(loaded)


async def ada(storage: Storage) -> User:
    user = await storage.persons.by_email("ada@example.com")
    assert user is not None
    return user


async def erased(storage: Storage) -> Erased:
    """Erase Ada."""
    return await storage.persons.erase(erasure((await ada(storage)).id or 0))


def erasure(user_id: int) -> Erasure:
    return Erasure.of(user_id, event_id=an_id(), at=EVENING, actor="command")


async def undone(storage: Storage, id: UUID) -> Import:
    class Evening:
        def now(self) -> Any:
            return EVENING

        def monotonic(self) -> float:
            return 0.0

    return await Undoing(storage.undo, clock=Evening()).undo(id)


async def left_of_her(storage: Storage) -> list[str]:
    """Search every text, document and blob of the whole book for her; return where something was found."""
    found = []
    for table, rows in (await storage.everything()).items():
        # As Python writes it, bytes too; letters beyond ASCII are in no word that is looked for.
        text = repr(rows).lower()
        found += [f"{table}: {word}" for word in WORDS if re.search(rf"\b{word}", text)]
    return found


async def let_in(storage: Storage, user: User) -> None:
    """Give a user a session and a link."""
    session = Session(id=an_id(), user_id=user.id or 0, current_hash="0" * 64, created_at=NOON, expires_at=EVENING)
    _, token = issue(Purpose.RESET_PASSWORD, user_id=user.id, at=NOON)
    async with storage.unit() as unit:
        await unit.sessions.add(session, password_hash=user.password_hash or "")
        await unit.one_time_tokens.add(token)
        await unit.commit()

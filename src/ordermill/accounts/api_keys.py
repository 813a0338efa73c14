"""
API keys: how programs come in. A key's secret is shown once; what is kept of it is a hash.

Not here: what a scope may do (principal, and the doors), and the answer to who sent a secret (access).
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from ordermill.accounts.drafts import Name
from ordermill.accounts.one_time import digest
from ordermill.accounts.principal import Scope
from ordermill.kit.clock import Clock
from ordermill.kit.errors import NotFound
from ordermill.kit.events import Event, EventLedger
from ordermill.kit.ids import new_id
from ordermill.kit.pages import Page
from ordermill.kit.ports import UnitOfWork

# Scanners for leaked secrets, and we, tell by it that this is a key of Ordermill's.
MARK: Final = "om_"
_BYTES: Final = 32


class ApiKeyNotFound(NotFound):
    """There is no such key, or it was revoked before."""

    default_code = "api_key_not_found"

    def __init__(self) -> None:
        super().__init__("There is no API key with this id, or it was revoked before.")


class ApiKeyCreate(BaseModel):
    """The wish to have a key; its name is for people."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = Field(examples=["Storefront"])
    scope: Scope = Field(examples=["storefront"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key that works until it is revoked; `created_by` is an actor of the ledger."""

    id: UUID
    name: str
    scope: Scope
    secret_hash: str = field(repr=False)
    created_by: str
    created_at: datetime
    revoked_at: datetime | None = None


class ApiKeyRepository(Protocol):
    """Keys that work; those that were revoked are kept for the ledger's sake and not found any more."""

    async def get_all(self, *, limit: int = 100, after: UUID | None = None) -> Sequence[ApiKey]:
        """Return keys in the order of their ids, which is that of their making."""
        ...

    async def by_secret(self, hash: str) -> ApiKey | None: ...

    async def add(self, key: ApiKey) -> None: ...

    async def revoke(self, id: UUID, *, at: datetime) -> None:
        """
        Raises:
            ApiKeyNotFound: at `commit`: there is no such key, or it was revoked before.
        """
        ...

    async def revoke_made_by(self, actor: str, *, at: datetime) -> None:
        """Let all keys work no more that somebody made; there may be none."""
        ...


class KeysUnit(UnitOfWork, Protocol):
    """An open unit in which keys can be made and revoked."""

    @property
    def api_keys(self) -> ApiKeyRepository: ...

    @property
    def events(self) -> EventLedger: ...


class ApiKeys:
    """
    The API keys of an order book.

    Args:
        units: opens a unit of work.
    """

    def __init__(self, units: Callable[[], KeysUnit], *, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def create(self, draft: ApiKeyCreate, *, actor: str) -> tuple[ApiKey, str]:
        """Return a new key and its secret, which nobody can show again."""
        now = self._clock.now()
        secret = MARK + secrets.token_urlsafe(_BYTES)
        key = ApiKey(
            id=new_id(now),
            name=draft.name,
            scope=draft.scope,
            secret_hash=digest(secret),
            created_by=actor,
            created_at=now,
        )
        async with self._units() as unit:
            await unit.api_keys.add(key)
            await self._tell(unit, "api_key.created", at=now, actor=actor, key=key.id, scope=key.scope.value)
            await unit.commit()
        return key, secret

    async def page(self, *, limit: int, after: UUID | None = None) -> Page[ApiKey]:
        """Return keys that work in the order of their making, those behind `after` when given."""
        async with self._units() as unit:
            return Page.cut(await unit.api_keys.get_all(limit=limit + 1, after=after), limit=limit)

    async def revoke(self, id: UUID, *, actor: str) -> None:
        """
        Let a key work no more, from the next request on.

        Raises:
            ApiKeyNotFound: there is no such key, or it was revoked before.
        """
        now = self._clock.now()
        async with self._units() as unit:
            await unit.api_keys.revoke(id, at=now)
            await self._tell(unit, "api_key.revoked", at=now, actor=actor, key=id)
            await unit.commit()

    async def _tell(self, unit: KeysUnit, type: str, *, at: datetime, actor: str, key: UUID, **facts: Any) -> None:
        await unit.events.append(Event(id=new_id(at), type=type, at=at, actor=actor, data={"api_key": str(key), **facts}))

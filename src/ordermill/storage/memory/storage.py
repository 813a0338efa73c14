"""Units and imports over one book in memory: whoever looks sees one state, whoever changes puts the next in its place."""

import threading
from collections.abc import Callable
from typing import TypeVar

from ordermill.storage.gathering import Store, Unit
from ordermill.storage.memory.answers import MemoryAnswers
from ordermill.storage.memory.api_keys import MemoryApiKeys
from ordermill.storage.memory.book import Book
from ordermill.storage.memory.discounts import MemoryDiscounts
from ordermill.storage.memory.events import MemoryEvents
from ordermill.storage.memory.holdings import MemoryHoldings
from ordermill.storage.memory.imports import MemoryImports
from ordermill.storage.memory.movements import MemoryPayments, MemoryRefunds
from ordermill.storage.memory.one_time_tokens import MemoryOneTimeTokens
from ordermill.storage.memory.orders import MemoryOrders
from ordermill.storage.memory.persons import MemoryPersons
from ordermill.storage.memory.placing import MemoryPlacing
from ordermill.storage.memory.products import MemoryProducts
from ordermill.storage.memory.sessions import MemorySessions
from ordermill.storage.memory.throttles import MemoryThrottles
from ordermill.storage.memory.undo import MemoryUndo
from ordermill.storage.memory.users import MemoryUsers

T = TypeVar("T")


class MemoryUnit(Unit[Book]):
    """One use case's changes in memory, all or nothing."""

    def __init__(self, store: Store[Book]) -> None:
        super().__init__(store)
        self.users = MemoryUsers(store, self._told)
        self.one_time_tokens = MemoryOneTimeTokens(store, self._told)
        self.sessions = MemorySessions(store, self._told)
        self.api_keys = MemoryApiKeys(store, self._told)
        self.products = MemoryProducts(store, self._told)
        self.discounts = MemoryDiscounts(store, self._told)
        self.orders = MemoryOrders(store, self._told)
        self.payments = MemoryPayments(store, self._told)
        self.refunds = MemoryRefunds(store, self._told)
        self.events = MemoryEvents(store, self._told)
        self.answers = MemoryAnswers(store, self._told)
        self.holdings = MemoryHoldings(store, self._told)


class MemoryStorage:
    """A book that lasts as long as this object; safe to use from several tasks and threads."""

    def __init__(self) -> None:
        self._book = Book()
        self._lock = threading.Lock()
        self.imports = MemoryImports(self)
        self.undo = MemoryUndo(self)
        self.persons = MemoryPersons(self)
        self.throttles = MemoryThrottles(self)
        self.placing = MemoryPlacing(self)

    def unit(self) -> MemoryUnit:
        return MemoryUnit(self)

    async def read(self, work: Callable[[Book], T], /) -> T:
        return work(self._book)

    async def write(self, work: Callable[[Book], T], /) -> T:
        """
        Run `work` on a copy of the book, which takes the book's place when all of it stands.

        Raises:
            Conflict: a guard or constraint refused; the book is as it was.
        """
        with self._lock:
            draft = self._book.copy()
            result = work(draft)
            draft.prove()
            self._book = draft
        return result

    async def close(self) -> None:
        """Nothing is open; here so that it can stand where a database does."""

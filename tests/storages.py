"""
Order books to test on: empty and migrated, in memory, on SQLite and on PostgreSQL.

A schema is migrated once a session, which takes most of a second. Test directories take these fixtures into
their conftest by importing them.
"""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import psycopg
import pytest
from builders import LATER, NOON, a_file
from psycopg import sql
from servers import Postgres
from sqlalchemy import BigInteger, Connection, cast, func, select

from ordermill.accounts.api_keys import ApiKeyRepository
from ordermill.accounts.model import User
from ordermill.accounts.ports import OneTimeTokens, UserRepository
from ordermill.accounts.sessions import Sessions
from ordermill.accounts.throttles import ThrottleStore
from ordermill.catalogue.model import Discount, Product
from ordermill.catalogue.ports import DiscountRepository, ProductRepository
from ordermill.config import DatabaseUrl
from ordermill.imports.batch import Batch, Loaded
from ordermill.imports.model import Import
from ordermill.imports.ports import ImportStore, UndoStore
from ordermill.kit.events import By, Event, EventLedger
from ordermill.kit.ports import UnitOfWork
from ordermill.operations.audit import Audit
from ordermill.orders.idempotency import Answers
from ordermill.orders.model import Order
from ordermill.orders.ports import Holdings, Movements, OrderReader, OrderRepository, PlacingStore
from ordermill.privacy.ports import PersonStore
from ordermill.schema.migrate import migrate
from ordermill.statistics.ports import StatisticsStore
from ordermill.storage.audit import SqlAudit
from ordermill.storage.database import Database
from ordermill.storage.imports import SqlImports
from ordermill.storage.memory import MemoryStorage
from ordermill.storage.memory.book import Book
from ordermill.storage.memory.reading import MemoryOrderReader
from ordermill.storage.memory.statistics import MemoryStatistics
from ordermill.storage.memory.table import Table
from ordermill.storage.persons import SqlPersons
from ordermill.storage.placing import placing_store
from ordermill.storage.postgres import PostgresDatabase
from ordermill.storage.reading import SqlOrderReader
from ordermill.storage.sqlite import SqliteDatabase
from ordermill.storage.statistics import SqlStatistics
from ordermill.storage.tables import ROWS, HourRow
from ordermill.storage.throttles import SqlThrottles
from ordermill.storage.undo import SqlUndo
from ordermill.storage.unit import SqlUnit

# An hour's stripes together: how writers are spread over them is no part of what is promised.
_STATISTICS = select(
    HourRow.hour,
    HourRow.currency,
    *(cast(func.sum(column), BigInteger).label(column.key) for column in HourRow.__table__.c[3:]),
).group_by(HourRow.hour, HourRow.currency)


class WholeUnit(UnitOfWork, Protocol):
    """A unit with everything in it."""

    @property
    def users(self) -> UserRepository: ...

    @property
    def products(self) -> ProductRepository: ...

    @property
    def discounts(self) -> DiscountRepository: ...

    @property
    def one_time_tokens(self) -> OneTimeTokens: ...

    @property
    def orders(self) -> OrderRepository: ...

    @property
    def payments(self) -> Movements: ...

    @property
    def refunds(self) -> Movements: ...

    @property
    def events(self) -> EventLedger: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def api_keys(self) -> ApiKeyRepository: ...

    @property
    def answers(self) -> Answers: ...

    @property
    def holdings(self) -> Holdings: ...


@dataclass(frozen=True, slots=True)
class Storage:
    """One of the three storages; `rows` looks behind the ports, at what only later features read."""

    unit: Callable[[], WholeUnit]
    imports: ImportStore
    statistics: StatisticsStore
    undo: UndoStore
    throttles: ThrottleStore
    _look: Callable[[str], Any]
    persons: PersonStore = field(kw_only=True)
    placing: PlacingStore = field(kw_only=True)
    reader: OrderReader = field(kw_only=True)
    # Every row of every table, by table.
    everything: Callable[[], Awaitable[dict[str, list[Any]]]] = field(kw_only=True)
    _audit: Audit | None = None

    async def keep(self, *entities: User | Product | Discount | Order | Event) -> None:
        """Commit entities in a unit of their own."""
        async with self.unit() as unit:
            for entity in entities:
                match entity:
                    case User():
                        await unit.users.add(entity)
                    case Product():
                        await unit.products.add_stocked([entity], by=By(actor="user:1", at=NOON))
                    case Discount():
                        await unit.discounts.add(entity)
                    case Order():
                        await unit.orders.add(entity)
                    case Event():
                        await unit.events.append(entity)
            await unit.commit()

    async def the_user(self) -> User:
        """Return the only account."""
        (user,) = await self.unit().users.get_all()
        return user

    async def the_order(self) -> Order:
        """Return the only order."""
        (order,) = await self.unit().orders.get_all()
        return order

    async def numbered(self) -> dict[str, Order]:
        """Return all orders by number."""
        return {order.number: order for order in await self.unit().orders.get_all()}

    async def begun(self, **said: Any) -> Import:
        """Open a run, or find it again."""
        return await self.imports.begin(a_file(**said), at=NOON, actor="cli")

    async def load(self, batch: Batch, **said: Any) -> Loaded:
        """Load one batch in a run of its own and finish it."""
        run = await self.begun(**said)
        loaded = await self.imports.load(run, batch, at=LATER)
        assert loaded is not None
        await self.imports.finish(run, at=LATER)
        return loaded

    async def faults(self) -> list[Any]:
        """Return what the statistics and, where there is one, the audit have to complain of."""
        found = [] if self._audit is None else await self._audit.run()
        return [*found, *await self.statistics.differences()]

    async def figures(self) -> list[tuple[Any, ...]]:
        """Return the kept statistics: hour, currency, orders, their total, refunds."""
        return await self.rows("statistics_hours", "hour", "currency", "count", "total", "refunded")

    async def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Return a table's rows, or some columns of them, in order of what is returned."""
        return sorted(tuple(row[column] for column in columns) for row in await self._look(table))


def in_memory(memory: MemoryStorage) -> Storage:
    async def look(table: str) -> list[Any]:
        return await memory.read(lambda book: _rows_of(book, table))

    async def everything() -> dict[str, list[Any]]:
        def rows(kept: Any) -> list[Any]:
            return list(kept.rows.values()) if isinstance(kept, Table) else [kept]

        return await memory.read(lambda book: {part.name: rows(getattr(book, part.name)) for part in fields(book)})

    return Storage(
        memory.unit,
        memory.imports,
        MemoryStatistics(memory),
        memory.undo,
        memory.throttles,
        look,
        persons=memory.persons,
        placing=memory.placing,
        reader=MemoryOrderReader(memory),
        everything=everything,
    )


def in_sql(database: Database) -> Storage:
    async def look(table: str) -> list[Any]:
        def work(connection: Connection) -> list[Any]:
            query = _STATISTICS if table == "statistics_hours" else select(*ROWS[table].__table__.c)
            return list(connection.execute(query).mappings())

        return await database.read(work)

    async def everything() -> dict[str, list[Any]]:
        return {table: await look(table) for table in ROWS}

    persons = SqlPersons(database)
    statistics, audit, throttles = SqlStatistics(database), Audit(SqlAudit(database)), SqlThrottles(database)
    return Storage(
        lambda: SqlUnit(database),
        SqlImports(database),
        statistics,
        SqlUndo(database),
        throttles,
        look,
        audit,
        persons=persons,
        placing=placing_store(database),
        reader=SqlOrderReader(database),
        everything=everything,
    )


def connected(url: DatabaseUrl) -> Database:
    return SqliteDatabase(url.path) if url.embedded else PostgresDatabase(url.secret_url)


def _rows_of(book: Book, table: str) -> list[Any]:
    if table == "statistics_hours":
        return [{"hour": hour, "currency": currency, **figures} for (hour, currency), figures in book.hours.items()]
    kept = getattr(book, table)
    return [row for rows in kept.values() for row in rows] if isinstance(kept, dict) else list(kept.rows.values())


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "book.db"
    migrate(DatabaseUrl(f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    name = f"template_{uuid4().hex}"  # every directory that takes these fixtures has its own
    migrate(DatabaseUrl(postgres.create_database(name)))
    return name


@pytest.fixture(scope="session")
def shared_book(postgres: Postgres, postgres_template: str) -> DatabaseUrl:
    return DatabaseUrl(postgres.create_database(f"shared_{uuid4().hex}", template=postgres_template))


@pytest.fixture
def sqlite_book(sqlite_template: Path, tmp_path: Path) -> DatabaseUrl:
    """An empty book on SQLite."""
    return DatabaseUrl(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'book.db')}")


@pytest.fixture
def postgres_book(shared_book: DatabaseUrl) -> DatabaseUrl:
    """An empty book on PostgreSQL: one that is emptied for each test, which takes a tenth of the time of a new one."""
    with psycopg.connect(shared_book.secret_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        tables = [sql.Identifier(name) for name in ROWS]
        full = [t for t in tables if connection.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(t)).fetchone() is not None]
        if full:
            # Emptying is what the ledger's trigger is there to refuse.
            connection.execute("SET session_replication_role = replica")
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(full)))
    return shared_book


@pytest.fixture(params=["sqlite", "postgres"])
def two_books(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path, postgres: Postgres, postgres_template: str
) -> Iterator[tuple[str, str]]:
    """Two empty books on each database: one for the clean run, one for the killed ones."""
    if request.param == "sqlite":
        clean, killed = (f"sqlite:///{shutil.copy(sqlite_template, tmp_path / f'{name}.db')}" for name in ("clean", "killed"))
        yield clean, killed
        return
    names = [f"kill_{uuid4().hex}" for _ in range(2)]
    clean, killed = (postgres.create_database(name, template=postgres_template) for name in names)
    yield clean, killed
    for name in names:
        postgres.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def book_url(request: pytest.FixtureRequest) -> DatabaseUrl:
    """An empty book on each database."""
    found: DatabaseUrl = request.getfixturevalue(f"{request.param}_book")
    return found


@pytest.fixture
async def database(book_url: DatabaseUrl, anyio_backend: str) -> AsyncIterator[Database]:
    opened = connected(book_url)
    yield opened
    await opened.close()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def storage_url(request: pytest.FixtureRequest) -> DatabaseUrl | None:
    return None if request.param == "memory" else request.getfixturevalue(f"{request.param}_book")


@pytest.fixture
async def storage(storage_url: DatabaseUrl | None, anyio_backend: str) -> AsyncIterator[Storage]:
    """Each of the three storages, empty."""
    if storage_url is None:
        yield in_memory(MemoryStorage())
        return
    opened = connected(storage_url)
    yield in_sql(opened)
    await opened.close()

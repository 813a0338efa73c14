"""A unit of work over a database: reads are awaited, changes gathered, commit is one write."""

from sqlalchemy import Connection

from ordermill.storage.database import Database
from ordermill.storage.gathering import Unit
from ordermill.storage.repositories.answers import SqlAnswers
from ordermill.storage.repositories.api_keys import SqlApiKeys
from ordermill.storage.repositories.discounts import SqlDiscounts
from ordermill.storage.repositories.events import SqlEvents
from ordermill.storage.repositories.holdings import SqlHoldings
from ordermill.storage.repositories.movements import SqlPayments, SqlRefunds
from ordermill.storage.repositories.one_time_tokens import SqlOneTimeTokens
from ordermill.storage.repositories.orders import SqlOrders
from ordermill.storage.repositories.products import SqlProducts
from ordermill.storage.repositories.sessions import SqlSessions
from ordermill.storage.repositories.users import SqlUsers


class SqlUnit(Unit[Connection]):
    """One use case's changes in SQL, all or nothing."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.users = SqlUsers(database, self._told)
        self.one_time_tokens = SqlOneTimeTokens(database, self._told)
        self.sessions = SqlSessions(database, self._told)
        self.api_keys = SqlApiKeys(database, self._told)
        self.products = SqlProducts(database, self._told)
        self.discounts = SqlDiscounts(database, self._told)
        self.orders = SqlOrders(database, self._told)
        self.payments = SqlPayments(database, self._told)
        self.refunds = SqlRefunds(database, self._told)
        self.events = SqlEvents(database, self._told)
        self.answers = SqlAnswers(database, self._told)
        self.holdings = SqlHoldings(database, self._told)

"""What is asked of the three servers, in which order, and what it is set beside."""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import apps
import generate
import jwt
import load
import stages
import storefront
from apps import Running
from children import in_child
from fresh import Books, PostgresBooks, SqliteBooks, durable_postgres
from load import Outcome, Request
from stages import Export
from table import aligned

OURS: Final = "ordermill"
PLAIN: Final = "plain ORM"
CEILING: Final = "one round trip"
# PERFORMANCE.md, "What to reach": of the ceiling on PostgreSQL, times the plain application on SQLite.
TARGETS: Final = {"place": 50, "get": 75, "list 20": 75}
TIMES_PLAIN: Final = 4
WARM_UP_S: Final = 2
Server = Callable[[], AbstractContextManager[Running]]


@dataclass(frozen=True, slots=True)
class Place:
    """One database, and the servers that are compared on it."""

    books: Books
    embedded: bool

    @property
    def workers(self) -> int:
        return 1 if self.embedded else 2

    def servers(self, url: str, customer: int) -> dict[str, Server]:
        found: dict[str, Server] = {OURS: partial(apps.ordermill, url, workers=self.workers)}
        if not self.embedded:
            found[CEILING] = partial(apps.one_trip, url, workers=self.workers, customer=customer)
        return {**found, PLAIN: partial(apps.plain, url, workers=self.workers)}


def main() -> None:
    options = _options()
    connections = [int(word) for word in options.connections.split(",")]
    print(f"{datetime.now(UTC):%Y-%m-%d}, driven by {load.CLIENT}; {options.seconds} s each.\n")
    with tempfile.TemporaryDirectory(prefix="ordermill-bench-") as name, _places(options.only, Path(name)) as places:
        for place in places:
            _measure(place, Path(name), connections=connections, seconds=options.seconds, orders=options.orders)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the HTTP API beside a plain application and a ceiling.")
    parser.add_argument("--only", choices=("sqlite", "postgres"), help="measure one database")
    parser.add_argument("--seconds", type=int, default=8, help="how long each route is asked")
    parser.add_argument("--orders", type=int, default=20_000, help="how many orders are in the book before")
    parser.add_argument("--connections", default="1,16,64")
    return parser.parse_args()


@contextmanager
def _places(only: str | None, directory: Path) -> Iterator[list[Place]]:
    embedded = [] if only == "postgres" else [Place(SqliteBooks(directory), embedded=True)]
    if only == "sqlite":
        yield embedded
        return
    with durable_postgres() as server:
        yield [*embedded, Place(PostgresBooks(server), embedded=False)]


def _measure(place: Place, directory: Path, *, connections: list[int], seconds: int, orders: int) -> None:
    _say(f"{place.books.title}: filling a book with {orders:,} orders")
    url = place.books.fresh("http")
    export = directory / "generated.csv"
    in_child(generate.write, export, lines=orders * generate.ITEMS)
    in_child(stages.whole, Export("generated", export), url, directory / "rejects.csv")
    products = in_child(storefront.stock_up, url).result
    with apps.ordermill(url, workers=place.workers) as server:
        customer = storefront.open_account(server.base)
        customer.orders = storefront.place_some(server.base, customer.token, products)
        idle = max(server.memory_mb())
    found: dict[tuple[str, int], dict[str, Outcome]] = {}
    started = 0.0
    for name, start in place.servers(url, customer.id).items():
        with start() as server:
            started = server.started_s if name == OURS else started
            for route, request in _requests(customer, products, ours=name == OURS).items():
                load.put(server.base, request, connections=16, seconds=WARM_UP_S)
                for count in connections:
                    _say(f"{place.books.title}: {name}, {route}, {count} connections")
                    outcome = load.put(server.base, request, connections=count, seconds=seconds)
                    if outcome.wrong:
                        _say(f"  {outcome.wrong:,} wrong answers, such as: {outcome.example}")
                    found.setdefault((route, count), {})[name] = outcome
        if name == OURS:
            in_child(storefront.require_sound, url)  # before others write, who spell moments in their own way
    print(_table(place, found), flush=True)
    print(f"Cold start {started:.2f} s (to reach: < 2.5), memory of a process after first requests {idle:.0f} MB (< 150).\n")


def _requests(customer: storefront.Customer, products: list[storefront.Ware], *, ours: bool) -> dict[str, Request]:
    token = customer.token if ours else jwt.encode({"sub": str(customer.id)}, apps.SECRET, "HS256")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    chosen = random.Random(1)
    bodies = [json.dumps(storefront.basket(chosen.sample(products, 3))) for _ in range(300)]
    return {
        "place": Request("POST", ["/orders"], headers, 201, '"total"', bodies),
        "get": Request("GET", [f"/orders/{id}" for id in customer.orders], headers, 200, '"unit_price"'),
        "list 20": Request("GET", ["/orders?limit=20"], headers, 200, '"has_more"'),
    }


def _table(place: Place, found: dict[tuple[str, int], dict[str, Outcome]]) -> str:
    names = [OURS, PLAIN] if place.embedded else [OURS, CEILING, PLAIN]
    heads = ["route", "clients", *(f"{name}/s" for name in names), *(f"p99 ms {name}" for name in names), "figure", "to reach"]
    rows = []
    for (route, count), outcomes in found.items():
        rates = [f"{outcomes[name].rate:,.0f}" for name in names]
        tails = [f"{outcomes[name].p99_ms:.1f}" for name in names]
        rows.append([route, str(count), *rates, *tails, *_figure(place, route, outcomes)])
    numbers = range(1, 2 + 2 * len(names))
    return aligned(f"{place.books.title}, {place.workers} worker{'s' * (place.workers > 1)}", heads, rows, numbers=numbers)


def _figure(place: Place, route: str, outcomes: dict[str, Outcome]) -> tuple[str, str]:
    wrong = {name: outcome.wrong for name, outcome in outcomes.items() if outcome.wrong}
    said = f"; wrong answers: {wrong}" if wrong else ""
    times = outcomes[OURS].rate / outcomes[PLAIN].rate
    if place.embedded:
        return f"{times:.1f} times plain{said}", f"≥ {TIMES_PLAIN} times plain"
    share = 100 * outcomes[OURS].rate / outcomes[CEILING].rate
    return f"{share:.0f} % of the ceiling, {times:.1f} times plain{said}", f"≥ {TARGETS[route]} %"


def _say(*words: Any) -> None:
    print(*words, file=sys.stderr, flush=True)

"""
What Prometheus is told: requests by route and status, how long they took, how many are under way, and how busy the database is.

Of several workers under one `ordermill serve` all are counted together, in the directory that it names in
`PROMETHEUS_MULTIPROC_DIR`; several hosts are scraped one by one.
"""

import os
import time
from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
# As a client sees them: a hot read takes 1 ms, and nothing takes longer than ORDERMILL_REQUEST_TIMEOUT.
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"})
_LOOK_EVERY_S: Final = 1


class Metrics:
    """The figures of one application. Paths that no route has count as one, or anybody could fill the memory with names."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._shared = "PROMETHEUS_MULTIPROC_DIR" in os.environ
        if not self._shared:
            ProcessCollector(registry=self._registry)
        self._seconds = Histogram(
            "ordermill_http_request_duration_seconds",
            "How long requests took, until the last byte of the answer.",
            ("method", "route", "status"),
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self._under_way = self._gauge("ordermill_http_requests_in_flight", "Requests that are being answered.")
        self._ask_load: Callable[[], dict[str, int]] = dict
        self._load: dict[str, Gauge] = {}
        self._known: dict[tuple[str, str, int], Histogram] = {}
        self._looked_at = 0.0

    def watch(self, load: Callable[[], dict[str, int]]) -> None:
        """Take in how busy the database is as well, as `load` tells it."""
        self._ask_load = load

    def begin(self) -> None:
        self._under_way.inc()

    def end(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count one request; `status` is 0 when the client was gone before it was answered."""
        self._under_way.dec()
        key = (method if method in _METHODS else "other", route or "other", status)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._seconds.labels(*key)
        known.observe(seconds)
        # So that the other workers' share is known to the one that is asked; at most once a second, for it is hot here.
        if time.monotonic() - self._looked_at >= _LOOK_EVERY_S:
            self._look()

    def _look(self) -> None:
        self._looked_at = time.monotonic()
        for name, value in self._ask_load().items():
            if name not in self._load:
                self._load[name] = self._gauge(
                    f"ordermill_database_{name}", f"Database, seen from here: {name.replace('_', ' ')}."
                )
            self._load[name].set(value)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        self._look()
        if not self._shared:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # prometheus-client's gap
        return generate_latest(together)

    def _gauge(self, name: str, help: str) -> Gauge:
        return Gauge(name, help, registry=self._registry, multiprocess_mode="livesum")

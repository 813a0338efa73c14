"""What every test may ask for. Real servers are started once a session; nothing reaches the network."""

import os
import signal
import tempfile
from collections.abc import Iterator
from uuid import uuid4

import hypothesis
import pytest
from servers import NO_REDIS, Postgres, Redis, running_postgres, running_redis


def pytest_configure(config: pytest.Config) -> None:
    # `timeout 600 make test` and CI systems end a run with SIGTERM; by default it would leave the servers behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # How long one example takes depends on who else is using the machine.
    hypothesis.settings.register_profile("ordermill", deadline=None)
    hypothesis.settings.load_profile("ordermill")
    _keep_compiled(config)


def _keep_compiled(config: pytest.Config) -> None:
    """
    Let the programs that tests start find compiled what others compiled before them.

    Where Python may not keep it beside the sources, as in many containers, each start would take seconds more. Workers of
    pytest-xdist inherit the place from the process that started them.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        place = tempfile.TemporaryDirectory(prefix="ordermill-compiled-")
        os.environ["PYTHONPYCACHEPREFIX"] = place.name
        config.add_cleanup(place.cleanup)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for the session; a test that stops or kills it starts it again."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The URI of an empty database of this test's own."""
    name = f"test_{uuid4().hex}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """One Redis for the session; a test that stops, kills or pauses it starts or resumes it again."""
    try:
        with running_redis() as server:
            yield server
    except LookupError:
        pytest.skip(NO_REDIS)


@pytest.fixture
def redis_url(redis: Redis) -> str:
    """The URL of an empty Redis."""
    redis.command("FLUSHALL")
    return redis.url

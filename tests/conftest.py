"""What every test may ask for. Real servers are started once a session; nothing reaches the network."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"

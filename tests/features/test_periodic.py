"""Periodic jobs go on whatever one of them does, and stop when they are told to."""

import asyncio
import logging

import pytest

from ordermill.kit.periodic import Periodic

pytestmark = pytest.mark.anyio


async def test_each_job_is_done_at_once_and_again() -> None:
    done: list[str] = []
    thrice = asyncio.Event()

    async def job() -> None:
        done.append("done")
        if len(done) == 3:
            thrice.set()

    periodic = Periodic([job], every_s=0)
    periodic.start()
    await thrice.wait()
    await periodic.close()
    after = len(done)
    await asyncio.sleep(0.01)

    assert len(done) == after


async def test_a_failure_is_logged_and_hinders_nobody(caplog: pytest.LogCaptureFixture) -> None:
    done = asyncio.Event()

    async def failing() -> None:
        raise RuntimeError("full")

    async def job() -> None:
        done.set()

    periodic = Periodic([failing, job], every_s=0)
    with caplog.at_level(logging.ERROR):
        periodic.start()
        await done.wait()
        await periodic.close()

    assert "A periodic job failed" in caplog.text


async def test_closing_what_was_not_started_is_fine() -> None:
    await Periodic([], every_s=60).close()

"""What is done behind an answer: never waited for, always finished, and never loud about what it holds."""

import asyncio

import pytest
from people import Letterbox, People, ada
from structlog.testing import capture_logs

from ordermill.accounts import mails
from ordermill.accounts.post import PENDING_LIMIT, Post
from ordermill.kit.errors import Unavailable

pytestmark = pytest.mark.anyio

LINK = "https://orders.example.com/reset-password#kept-secret"


class TestSoon:
    async def test_comes_back_before_the_errand_is_done(self) -> None:
        post, may_go = Post(Letterbox()), asyncio.Event()
        done = []

        async def errand() -> None:
            await may_go.wait()
            done.append("mailed")

        post.soon(errand, kind="reset_password")
        assert done == []

        may_go.set()
        await post.finish()
        assert done == ["mailed"]

    async def test_refuses_more_than_memory_should_hold(self) -> None:
        post, never = Post(Letterbox()), asyncio.Event()

        async def errand() -> None:
            await never.wait()

        for _ in range(PENDING_LIMIT):
            post.soon(errand, kind="reset_password")
        with pytest.raises(Unavailable) as caught:
            post.soon(errand, kind="reset_password")

        assert caught.value.code == "mail_busy"
        await post.finish(within_s=0)


class TestFinish:
    async def test_gives_up_what_takes_too_long(self) -> None:
        post, never = Post(Letterbox()), asyncio.Event()

        async def errand() -> None:
            await never.wait()

        post.soon(errand, kind="reset_password")
        with capture_logs() as logs:
            await post.finish(within_s=0)

        assert [(entry["event"], entry["count"]) for entry in logs] == [("mails_given_up", 1)]

    async def test_has_nothing_to_wait_for(self) -> None:
        await Post(Letterbox()).finish()


class TestFailure:
    @pytest.mark.parametrize(
        ("error", "told"),
        [
            (Unavailable(f"550 no such user {LINK}", code="mail_failed"), "mail_not_sent"),
            (RuntimeError(LINK), "mail_failed"),
        ],
    )
    async def test_is_logged_without_the_link_and_the_person(self, error: Exception, told: str) -> None:
        people = People()
        people.letterbox.broken = error
        with capture_logs() as logs:
            await people.accounts.register(ada())
            await people.post.finish()

        assert [entry["event"] for entry in logs] == [told]
        assert "kept-secret" not in repr(logs)
        assert "example.com" not in repr(logs)

    async def test_leaves_the_registration_as_it_is(self) -> None:
        people = People()
        people.letterbox.broken = Unavailable("The mail server is away.", code="mail_failed")

        await people.accounts.register(ada())
        await people.post.finish()

        assert [user.claimed for user in await people.everybody()] == [True]


class TestMail:
    def test_shows_neither_address_nor_link_in_its_text_form(self) -> None:
        mail = mails.password_reset("ada@example.com", link=LINK)

        assert LINK in mail.text
        assert repr(mail) == "Mail(kind='reset_password', subject='Choose a new password')"

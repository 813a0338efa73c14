"""The link that makes the first staff user: printed while there is none, and working once."""

import asyncio
from datetime import timedelta

import pytest
from people import URL, People, ada

from ordermill.accounts.drafts import StaffSetUp
from ordermill.accounts.one_time import LinkInvalid
from ordermill.accounts.service import EmailTaken
from ordermill.kit.errors import Invalid

pytestmark = pytest.mark.anyio


@pytest.fixture
def people() -> People:
    return People()


async def secret(people: People) -> str:
    link = await people.accounts.first_staff_link()
    assert link is not None
    assert link.startswith(f"{URL}/setup#")
    return link.partition("#")[2]


def setting_up(token: str, **said: str) -> StaffSetUp:
    draft = ada(**said)
    return StaffSetUp.model_validate(
        {"token": token, "email": draft.email, "name": draft.name, "password": draft.password.get_secret_value()}
    )


class TestSetUp:
    async def test_makes_a_staff_user(self, people: People) -> None:
        user = await people.accounts.set_up(setting_up(await secret(people)))

        assert (user.id, user.is_staff) == (1, True)
        assert await people.events() == [("user.registered", "link", 1, {"claimed": False, "staff": True})]

    async def test_works_once(self, people: People) -> None:
        token = await secret(people)
        await people.accounts.set_up(setting_up(token))

        with pytest.raises(LinkInvalid):
            await people.accounts.set_up(setting_up(token, email="eve@example.com"))

        assert len(await people.everybody()) == 1

    async def test_of_ten_links_at_once_one_succeeds(self, people: People) -> None:
        tokens = [await secret(people) for _ in range(10)]

        outcomes = await asyncio.gather(
            *(people.accounts.set_up(setting_up(token, email=f"{n}@example.com")) for n, token in enumerate(tokens)),
            return_exceptions=True,
        )

        assert sum(isinstance(outcome, LinkInvalid) for outcome in outcomes) == 9
        assert [user.is_staff for user in await people.everybody()] == [True]

    async def test_works_within_an_hour(self, people: People) -> None:
        token = await secret(people)
        people.clock.later(timedelta(hours=1))

        with pytest.raises(LinkInvalid):
            await people.accounts.set_up(setting_up(token))

        assert await people.everybody() == []

    async def test_keeps_the_link_where_it_was_refused_for_another_reason(self, people: People) -> None:
        await people.registered(email="bob@example.com")
        token = await secret(people)

        with pytest.raises(Invalid):
            await people.accounts.set_up(setting_up(token, password="password1"))
        with pytest.raises(EmailTaken):
            await people.accounts.set_up(setting_up(token, email="bob@example.com"))

        assert (await people.accounts.set_up(setting_up(token))).is_staff


class TestLink:
    async def test_is_none_once_there_is_a_staff_user(self, people: People) -> None:
        await people.accounts.create(ada(), actor="command", staff=True)

        assert await people.accounts.first_staff_link() is None

    async def test_does_not_count_who_cannot_get_in(self, people: People) -> None:
        await people.customer(is_staff=True, is_active=False)

        assert await people.accounts.first_staff_link() is not None

"""Links in mails: who gets one, what it does, that it works once, and that asking for one tells nothing."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from people import NOW, PASSWORD, People, ada, overtaken

from ordermill.accounts import passwords
from ordermill.accounts.links import Links
from ordermill.accounts.one_time import LinkInvalid
from ordermill.kit.errors import Invalid

pytestmark = pytest.mark.anyio

NEW_PASSWORD = "difference engine no. 2"


@pytest.fixture
def people() -> People:
    return People()


async def reset_link(people: People, email: str = "ada@example.com") -> str:
    people.links.send_password_reset(email)
    return await people.secret("reset-password")


async def verification_link(people: People, email: str = "ada@example.com") -> str:
    people.links.send_verification(email)
    return await people.secret("verify-email")


class TestSending:
    async def test_a_registration_mails_a_link_that_verifies(self, people: People) -> None:
        await people.accounts.register(ada())

        assert await people.mailed() == [("verify_email", "ada@example.com")]
        assert len(await people.secret("verify-email")) == 43

    @pytest.mark.parametrize("send", [Links.send_verification, Links.send_password_reset, Links.tell_owner])
    async def test_nobody_is_mailed_under_an_unknown_address(self, people: People, send: Callable[[Links, str], None]) -> None:
        send(people.links, "nobody@example.com")

        assert await people.mailed() == []

    @pytest.mark.parametrize("send", [Links.send_verification, Links.send_password_reset, Links.tell_owner])
    async def test_a_closed_account_is_mailed_nothing(self, people: People, send: Callable[[Links, str], None]) -> None:
        user = await people.registered()
        await people.accounts.set_active(user.id or 0, active=False, actor="command")

        send(people.links, "ada@example.com")

        assert await people.mailed() == []

    async def test_an_address_is_verified_only_once_and_only_of_a_claimed_account(self, people: People) -> None:
        await people.customer(email="bought@example.com")
        await people.customer(email="verified@example.com", password_hash="argon2$x", email_verified_at=NOW)

        people.links.send_verification("bought@example.com")
        people.links.send_verification("verified@example.com")

        assert await people.mailed() == []

    @pytest.mark.parametrize("send", [Links.send_verification, Links.send_password_reset, Links.tell_owner])
    async def test_a_mail_goes_to_the_address_that_is_known_and_not_to_the_one_that_was_typed(
        self, people: People, send: Callable[[Links, str], None]
    ) -> None:
        """The long s folds to an s, and its address may be somebody else's."""
        await people.registered(email="s@example.com")

        send(people.links, "\u017f@example.com")

        assert [to for _, to in await people.mailed()] == ["s@example.com"]

    async def test_no_word_that_a_stranger_typed_stands_in_a_mail(self, people: People) -> None:
        await people.accounts.register(ada(name="Buy at casino.example"))
        people.links.send_password_reset("ada@example.com")
        people.links.tell_owner("ada@example.com")
        await people.post.finish()

        assert len(people.letterbox.mails) == 3
        assert not any("casino" in mail.text + mail.subject for mail in people.letterbox.mails)


class TestVerify:
    async def test_holds_the_address_to_be_verified(self, people: People) -> None:
        user = await people.registered()

        await people.links.verify(await verification_link(people))

        assert (await people.stored(user.id)).email_verified_at == NOW
        assert (await people.events())[-1] == ("user.verified", "link", user.id, {})

    async def test_works_once(self, people: People) -> None:
        await people.registered()
        secret = await verification_link(people)
        await people.links.verify(secret)

        with pytest.raises(LinkInvalid):
            await people.links.verify(secret)

        assert await people.told() == ["user.registered", "user.verified"]

    async def test_works_for_three_days(self, people: People) -> None:
        user = await people.registered()
        secret = await verification_link(people)
        people.clock.later(timedelta(days=3))

        with pytest.raises(LinkInvalid):
            await people.links.verify(secret)

        assert (await people.stored(user.id)).email_verified_at is None

    @pytest.mark.parametrize("secret", ["", "never-was", "\ud800", "x" * 10_000])
    async def test_refuses_what_never_was(self, people: People, secret: str) -> None:
        with pytest.raises(LinkInvalid) as caught:
            await people.links.verify(secret)

        assert caught.value.details["errors"][0]["pointer"] == "/token"

    async def test_takes_no_link_for_another_purpose(self, people: People) -> None:
        user = await people.registered()

        with pytest.raises(LinkInvalid):
            await people.links.verify(await reset_link(people))

        assert (await people.stored(user.id)).email_verified_at is None

    async def test_of_an_account_that_was_closed_is_refused(self, people: People) -> None:
        user = await people.registered()
        secret = await verification_link(people)
        await people.accounts.set_active(user.id or 0, active=False, actor="command")

        with pytest.raises(LinkInvalid):
            await people.links.verify(secret)

    async def test_goes_on_when_the_account_is_changed_meanwhile(self, people: People) -> None:
        user = await people.registered()
        secret = await verification_link(people)
        rival = overtaken(people, lambda: people.accounts.set_staff(user.id or 0, staff=True, actor="command"))

        await rival.links.verify(secret)

        stored = await people.stored(user.id)
        assert (stored.email_verified_at, stored.is_staff) == (NOW, True)


class TestReset:
    async def test_gives_another_password_and_verifies_the_address(self, people: People) -> None:
        user = await people.registered()

        await people.links.reset(await reset_link(people), NEW_PASSWORD)

        stored = await people.stored(user.id)
        assert passwords.verify_password(NEW_PASSWORD, stored.password_hash)
        assert stored.email_verified_at == NOW
        assert await people.told() == ["user.registered", "user.verified", "user.password_changed"]

    async def test_signs_out_everywhere(self, people: People) -> None:
        session = await people.signs_in(await people.registered())

        await people.links.reset(await reset_link(people), NEW_PASSWORD)

        assert not await people.signed_in(session)

    async def test_claims_an_account_that_came_with_an_order(self, people: People) -> None:
        known = await people.customer()

        await people.links.reset(await reset_link(people), NEW_PASSWORD)

        stored = await people.stored(known.id)
        assert (stored.name, stored.claimed, stored.email_verified_at) == ("A. L.", True, NOW)
        assert (await people.events())[0] == ("user.registered", "link", known.id, {"claimed": True, "staff": False})

    async def test_takes_an_account_back_from_who_registered_a_foreign_address(self, people: People) -> None:
        """Eve claims Ada's account and waits for her to verify it; Ada asks for a password instead."""
        user = await people.registered(password="i am not ada")
        session = await people.signs_in(user)

        await people.links.reset(await reset_link(people), NEW_PASSWORD)

        stored = await people.stored(user.id)
        assert not passwords.verify_password("i am not ada", stored.password_hash)
        assert not await people.signed_in(session)

    async def test_tells_the_owner(self, people: People) -> None:
        await people.registered()
        secret = await reset_link(people)
        people.letterbox.mails.clear()

        await people.links.reset(secret, NEW_PASSWORD)

        assert await people.mailed() == [("password_changed", "ada@example.com")]

    async def test_makes_all_links_before_it_worthless(self, people: People) -> None:
        await people.registered()
        verify, first = await verification_link(people), await reset_link(people)

        await people.links.reset(await reset_link(people), NEW_PASSWORD)

        with pytest.raises(LinkInvalid):
            await people.links.reset(first, "yet another password")
        with pytest.raises(LinkInvalid):
            await people.links.verify(verify)

    async def test_works_within_an_hour(self, people: People) -> None:
        user = await people.registered()
        secret = await reset_link(people)
        people.clock.later(timedelta(hours=1))

        with pytest.raises(LinkInvalid):
            await people.links.reset(secret, NEW_PASSWORD)

        assert passwords.verify_password(PASSWORD, (await people.stored(user.id)).password_hash)

    async def test_refuses_a_password_that_is_easily_guessed_and_keeps_the_link(self, people: People) -> None:
        await people.registered()
        secret = await reset_link(people)

        with pytest.raises(Invalid) as caught:
            await people.links.reset(secret, "lovelace1815")
        assert caught.value.code == "password_personal"

        await people.links.reset(secret, NEW_PASSWORD)

    async def test_hashes_nothing_for_a_link_that_never_was(self, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
        """Else anybody could keep the server busy with hashing."""

        def hashed(password: str) -> str:
            raise AssertionError(password)

        monkeypatch.setattr(passwords, "hash_password", hashed)

        with pytest.raises(LinkInvalid):
            await people.links.reset("never-was", NEW_PASSWORD)

    async def test_of_two_at_once_one_succeeds(self, people: People) -> None:
        user = await people.registered()
        secret = await reset_link(people)

        outcomes = await asyncio.gather(
            people.links.reset(secret, "the first password"),
            people.links.reset(secret, "the second password"),
            return_exceptions=True,
        )

        refused = [outcome for outcome in outcomes if isinstance(outcome, LinkInvalid)]
        assert len(refused) == 1
        won = "the second password" if outcomes[0] is refused[0] else "the first password"
        assert passwords.verify_password(won, (await people.stored(user.id)).password_hash)
        assert (await people.told()).count("user.password_changed") == 1


class TestQuietly:
    async def test_registers_who_is_unknown(self, people: People) -> None:
        await people.accounts.register_quietly(ada())

        assert await people.mailed() == [("verify_email", "ada@example.com")]
        assert [user.claimed for user in await people.everybody()] == [True]

    async def test_tells_only_the_owner_that_an_address_is_known(self, people: People) -> None:
        user = await people.registered()

        await people.accounts.register_quietly(ada(name="Eve", password="another password"))

        assert await people.mailed() == [("already_registered", "ada@example.com")]
        assert await people.everybody() == [user]

    async def test_refuses_a_poor_password_whether_or_not_the_address_is_known(self, people: People) -> None:
        await people.registered()

        for email in ("ada@example.com", "bob@example.com"):
            with pytest.raises(Invalid):
                await people.accounts.register_quietly(ada(email=email, password="password1"))

        assert await people.mailed() == []

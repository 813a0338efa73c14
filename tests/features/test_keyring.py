"""Keys for one purpose each, from the secret that the operator set; and the secret of an embedded book that nobody set."""

import asyncio
import hashlib
import hmac
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from clocks import HandClock

from ordermill.accounts.keyfile import kept_secret
from ordermill.accounts.keyring import KeyRing
from ordermill.bootstrap import open_services, prepare
from ordermill.config import load
from ordermill.kit.errors import Invalid, Unavailable

NEW = "new-0123456789abcdefghijklmnopqrstuvwxyz-new"
OLD = "old-0123456789abcdefghijklmnopqrstuvwxyz-old"


def a_ring(said: str = NEW, *, clock: HandClock | None = None) -> KeyRing:
    return KeyRing(said, clock=clock or HandClock())


class TestDerive:
    def test_gives_the_same_key_after_every_start(self) -> None:
        assert a_ring().derive("access") == a_ring().derive("access")

    def test_gives_another_key_for_another_purpose_or_secret(self) -> None:
        keys = [a_ring(secret).derive(purpose)[0] for secret in (NEW, OLD) for purpose in ("access", "refresh")]

        assert len({key.secret for key in keys}) == 4
        assert len({key.id for key in keys}) == 4
        assert {len(key.secret) for key in keys} == {32}

    def test_follows_rfc_5869(self) -> None:
        """Extract with the salt "ordermill", then expand to one block with the purpose."""
        extracted = hmac.new(b"ordermill", NEW.encode(), hashlib.sha256).digest()
        expanded = hmac.new(extracted, b"access\x01", hashlib.sha256).digest()
        assert a_ring().derive("access")[0].secret == expanded

    def test_signs_with_the_first_and_verifies_with_all(self) -> None:
        new, old = a_ring(f"{NEW},{OLD}").derive("access")
        assert (new.id, old.id) == (a_ring(NEW).derive("access")[0].id, a_ring(OLD).derive("access")[0].id)

    def test_an_old_secret_verifies_through_its_last_day_in_utc(self) -> None:
        clock = HandClock(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC))
        ring = a_ring(f"{NEW},{OLD}@2026-12-31", clock=clock)
        assert len(ring.derive("access")) == 2
        assert ring.derive("access")[1].until == datetime(2027, 1, 1, tzinfo=UTC)

        clock.goes(seconds=1)

        assert [key.until for key in ring.derive("access")] == [None]

    def test_shows_no_secret(self) -> None:
        key = a_ring().derive("access")[0]
        assert "secret" not in repr(key)
        assert key.id in repr(key)


class TestKeptSecret:
    def test_is_made_once_for_its_owner_only(self, tmp_path: Path) -> None:
        file = tmp_path / "book.db.key"

        first = kept_secret(file)

        assert len(first) == 43
        assert kept_secret(file) == first
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert [path.name for path in tmp_path.iterdir()] == ["book.db.key"]

    def test_is_one_for_all_that_start_at_once(self, tmp_path: Path) -> None:
        file = tmp_path / "book.db.key"
        with ThreadPoolExecutor(16) as threads:
            found = set(threads.map(lambda _: kept_secret(file), range(64)))

        assert len(found) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["book.db.key"]

    @pytest.mark.parametrize("content", ["", "short\n"])
    def test_is_not_taken_from_a_file_that_was_cut_short(self, tmp_path: Path, content: str) -> None:
        file = tmp_path / "book.db.key"
        file.write_text(content)
        file.chmod(0o600)

        with pytest.raises(Unavailable, match="holds no secret"):
            kept_secret(file)
        assert file.read_text() == content

    def test_is_refused_where_others_can_read_it(self, tmp_path: Path) -> None:
        file = tmp_path / "book.db.key"
        kept_secret(file)
        file.chmod(0o640)

        with pytest.raises(Unavailable, match="chmod 600") as refusal:
            kept_secret(file)
        assert refusal.value.code == "secret_key_unavailable"

    def test_is_refused_where_no_file_can_be(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="cannot be kept") as refusal:
            kept_secret(tmp_path / "nowhere" / "book.db.key")
        assert refusal.value.code == "secret_key_unavailable"


class TestSetting:
    @pytest.mark.parametrize("said", [NEW, f"{NEW},{OLD}", f"{NEW}, {OLD}@2026-12-31 ,{OLD}@2028-02-29"])
    def test_takes_random_secrets_and_their_last_days(self, said: str) -> None:
        ring = a_ring(load(database_url="sqlite:///book.db", secret_key=said).secret_key.get_secret_value())  # type: ignore[union-attr]  # it was given
        assert len(ring.derive("access")) == said.count(",") + 1

    @pytest.mark.parametrize(
        "said",
        [
            "changeme", "a" * 43, "changeme" * 8, NEW[:42], f"{NEW}@2026-12-31", f"{NEW},", f"{NEW},{OLD}@",
            f"{NEW},{OLD}@soon", f"{NEW},{OLD}@2026-02-30", f"{NEW},{OLD}@9999-12-31", f"{NEW} {OLD}",
        ],
    )  # fmt: skip
    def test_refuses_a_weak_or_malformed_one_without_repeating_it(self, said: str) -> None:
        with pytest.raises(Invalid) as refusal:
            load(database_url="sqlite:///book.db", secret_key=said)
        assert refusal.value.message.startswith("ORDERMILL_SECRET_KEY: Write at least 43 random letters")
        assert said not in refusal.value.message

    @pytest.mark.anyio
    async def test_a_server_s_book_needs_one_before_anything_is_signed(self, postgres_url: str) -> None:
        settings = load(database_url=postgres_url)
        await asyncio.to_thread(prepare, settings.database)
        async with open_services(settings) as services:
            assert (await services.api_keys.page(limit=1)).rows == []
            with pytest.raises(Unavailable) as refusal:
                _ = services.keyring
        assert refusal.value.code == "secret_key_missing"

    @pytest.mark.anyio
    async def test_an_embedded_book_makes_one_when_something_is_signed(self, tmp_path: Path) -> None:
        settings = load(database_url=f"sqlite:///{tmp_path / 'book.db'}")
        async with open_services(settings, create=True) as services:
            assert not (tmp_path / "book.db.key").exists()
            first = services.keyring.derive("access")
        async with open_services(settings) as services:
            assert services.keyring.derive("access") == first
        assert stat.S_IMODE((tmp_path / "book.db.key").stat().st_mode) == 0o600

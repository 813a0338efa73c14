"""Cursors and entity tags as texts: what was sealed opens only for whom and for what it was sealed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from builders import NOON
from hypothesis import given
from hypothesis import strategies as st

from ordermill.accounts.keyring import KeyRing
from ordermill.api.cursors import CursorInvalid, Value, seal, unseal
from ordermill.api.etags import PreconditionRequired, etag, expected_version, still_current
from ordermill.kit.clock import FixedClock
from ordermill.kit.errors import StaleVersion

ID = UUID("0192f1c4-7a1e-7000-8000-000000000001")
LIST = ("user:12", "/orders", "status=pending")


@dataclass(frozen=True)
class Key:
    secret: bytes
    until: datetime | None = None


NEW, OLD = Key(b"n" * 32), Key(b"o" * 32, until=NOON)


def opened(cursor: str, *kinds: type[Value], keys: tuple[Key, ...] = (NEW,), **said: Any) -> tuple[Any, ...]:
    return unseal(cursor, kinds=kinds, **{"keys": keys, "bound_to": LIST, "now": NOON, **said})


class TestCursor:
    @given(
        st.datetimes(datetime(1970, 1, 2), datetime(2199, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # the bounds
        st.uuids(),
        st.integers(-(2**63), 2**63),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=100),
    )
    def test_gives_the_values_back_as_they_were(self, moment: datetime, id: UUID, number: int, text: str) -> None:
        values = (moment, id, number, text)
        cursor = seal(values, keys=[NEW], bound_to=LIST)
        assert opened(cursor, datetime, UUID, int, str) == values
        assert cursor.isascii()
        assert cursor.replace("-", "").replace("_", "").isalnum()

    def test_knows_a_moment_in_every_zone(self) -> None:
        cursor = seal([NOON.astimezone(timezone(timedelta(hours=5)))], keys=[NEW], bound_to=LIST)
        assert opened(cursor, datetime) == (NOON,)

    @given(st.data())
    def test_is_refused_when_anything_of_it_was_changed(self, data: st.DataObject) -> None:
        cursor = seal([NOON, ID], keys=[NEW], bound_to=LIST)
        place = data.draw(st.integers(0, len(cursor) - 1))
        letter = data.draw(st.characters(codec="ascii"))
        changed = cursor[:place] + letter + cursor[place + 1 :]
        if changed != cursor:
            with pytest.raises(CursorInvalid):
                opened(changed, datetime, UUID)

    @given(st.text(max_size=200))
    def test_is_refused_when_nobody_gave_it_out(self, text: str) -> None:
        with pytest.raises(CursorInvalid):
            opened(text, int)

    @pytest.mark.parametrize(
        "elsewhere",
        [
            ("user:13", *LIST[1:]), ("user:12", "/users", LIST[2]), (*LIST[:2], ""), LIST[:2], (*LIST, ""),
            ("user:12", "/orders\nstatus=pending"), ("user:12/orders", "", LIST[2]),
        ],
    )  # fmt: skip
    def test_opens_for_nobody_else_and_nothing_else(self, elsewhere: tuple[str, ...]) -> None:
        cursor = seal([7], keys=[NEW], bound_to=LIST)
        with pytest.raises(CursorInvalid):
            opened(cursor, int, bound_to=elsewhere)

    def test_outlives_a_rotation_until_the_old_key_ends(self) -> None:
        cursor = seal([7], keys=[OLD], bound_to=LIST)
        before = NOON - timedelta(seconds=1)
        assert opened(cursor, int, keys=(NEW, OLD), now=before) == (7,)
        for keys, now in (((NEW, OLD), NOON), ((NEW,), before)):
            with pytest.raises(CursorInvalid):
                opened(cursor, int, keys=keys, now=now)

    def test_of_a_list_that_is_sorted_by_something_else_now_is_refused(self) -> None:
        cursor = seal(["x"], keys=[NEW], bound_to=LIST)
        for kinds in ((int,), (UUID,), (datetime,), (str, int), ()):
            with pytest.raises(CursorInvalid):
                opened(cursor, *kinds)

    def test_is_signed_with_a_key_of_its_own(self) -> None:
        ring = KeyRing("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ", clock=FixedClock(NOON))
        cursor = seal([7], keys=ring.derive("cursors"), bound_to=LIST)
        assert unseal(cursor, keys=ring.derive("cursors"), bound_to=LIST, kinds=[int], now=NOON) == (7,)
        with pytest.raises(CursorInvalid):
            unseal(cursor, keys=ring.derive("access"), bound_to=LIST, kinds=[int], now=NOON)


class TestETag:
    def test_is_a_strong_tag_of_the_version(self) -> None:
        assert etag(3) == '"3"'

    @pytest.mark.parametrize(
        ("sent", "current"),
        [
            (None, False), ('"3"', True), ('W/"3"', True), ("*", True), (" * ", True), ('"2","3"', True), ('"2"', False),
            ('"33"', False), ("3", False), ("", False), ('"*"', False),
        ],
    )  # fmt: skip
    def test_is_still_current(self, sent: str | None, *, current: bool) -> None:
        assert still_current(sent, '"3"') is current

    @pytest.mark.parametrize(
        ("sent", "version"), [('"3"', 3), ("*", None), ('"2", "3"', 3), ('W/"9", "3"', 3), (' "3" ', 3), ('"x", "3"', 3)]
    )
    def test_names_the_version_that_a_change_is_based_on(self, sent: str, version: int | None) -> None:
        assert expected_version(sent, what="The order") == version

    @pytest.mark.parametrize("sent", ['W/"3"', "3", "", '""', '"0"', '"-1"', '"3.0"', '"٣"', f'"{10**20}"', '"3', "W/*"])
    def test_is_stale_where_it_is_no_strong_tag_of_ours(self, sent: str) -> None:
        with pytest.raises(StaleVersion):
            expected_version(sent, what="The order")

    def test_must_be_said(self) -> None:
        with pytest.raises(PreconditionRequired):
            expected_version(None, what="The order")

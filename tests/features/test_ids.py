"""Identities: UUIDv7 in order, and numbers people can read to each other."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from uuid import RFC_4122

from hypothesis import given
from hypothesis import strategies as some

from ordermill.kit.ids import new_id, new_id_texts, new_ids, order_number

NOW = datetime(2026, 11, 22, 10, 0, 0, 123_456, tzinfo=UTC)
EXAMPLE = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TestNewId:
    def test_is_a_uuid_of_version_seven(self) -> None:
        identity = new_id(NOW)

        assert (identity.version, identity.variant) == (7, RFC_4122)

    def test_begins_as_the_example_of_the_standard(self) -> None:
        """RFC 9562, appendix A.6: 017F22E2-79B0-7CC3-98C4-DC0C0C07398F."""
        assert str(new_id(EXAMPLE)).startswith("017f22e2-79b0-7")

    @given(milliseconds=some.integers(0, 2**47))
    def test_keeps_every_millisecond_exactly(self, milliseconds: int) -> None:
        """As a float of seconds, one in two hundred would come out a millisecond early."""
        at = EPOCH + timedelta(milliseconds=milliseconds)

        assert new_id(at).int >> 80 == milliseconds

    def test_a_moment_is_the_same_in_every_zone(self) -> None:
        assert new_id(NOW.astimezone(timezone(timedelta(hours=-5)))).int >> 80 == new_id(NOW).int >> 80

    def test_a_later_one_is_greater(self) -> None:
        assert new_id(NOW) < new_id(NOW + timedelta(milliseconds=1))

    def test_two_of_one_moment_differ(self) -> None:
        assert len({new_id(NOW) for _ in range(1_000)}) == 1_000


class TestNewIds:
    def test_a_batch_ascends_and_is_valid_throughout(self) -> None:
        batch = new_ids(10_000, at=NOW)

        assert all(earlier < later for earlier, later in pairwise(batch))
        assert {(identity.version, identity.variant, identity.int >> 80) for identity in batch} == {
            (7, RFC_4122, new_id(NOW).int >> 80)
        }

    def test_of_none_is_none(self) -> None:
        assert new_ids(0, at=NOW) == []

    def test_as_texts_are_the_same_in_hex(self) -> None:
        texts = new_id_texts(3, at=EXAMPLE)

        assert [len(text) for text in texts] == [32, 32, 32]
        assert all(text.startswith("017f22e279b07") for text in texts)
        assert texts == sorted(set(texts))


class TestOrderNumber:
    def test_is_eight_symbols_nobody_misreads(self) -> None:
        symbols = {symbol for _ in range(500) for symbol in order_number()}

        assert len(order_number()) == 8
        assert symbols == set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")

    def test_does_not_repeat_itself(self) -> None:
        assert len({order_number() for _ in range(1_000)}) == 1_000

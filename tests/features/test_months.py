"""Months of named zones as half-open stretches of UTC (RELIABILITY.md E13), and how they are cut into hours."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from ordermill.kit.calendar import month_bounds, zone
from ordermill.kit.errors import Invalid
from ordermill.statistics.model import Stretch


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestMonthBounds:
    @pytest.mark.parametrize(
        ("name", "year", "month", "begins"),
        [
            ("UTC", 2026, 1, "2026-01-01 00:00"),
            ("Europe/Berlin", 2026, 1, "2025-12-31 23:00"),
            ("Europe/Berlin", 2026, 4, "2026-03-31 22:00"),
            ("Europe/Berlin", 2026, 11, "2026-10-31 23:00"),
            ("America/New_York", 2026, 2, "2026-02-01 05:00"),
            ("Asia/Kolkata", 2026, 1, "2025-12-31 18:30"),
            ("Asia/Kathmandu", 2026, 1, "2025-12-31 18:15"),
            ("Australia/Lord_Howe", 2026, 1, "2025-12-31 13:00"),
            ("Australia/Lord_Howe", 2026, 7, "2026-06-30 13:30"),
            ("Pacific/Kiritimati", 2026, 1, "2025-12-31 10:00"),
            # Clocks went from 00:00 straight to 01:00 on the 1st, so the month began at 01:00.
            ("America/Asuncion", 2017, 10, "2017-10-01 04:00"),
            # An offset with seconds.
            ("Africa/Monrovia", 1971, 3, "1971-03-01 00:44:30"),
        ],
    )
    def test_lie_where_the_zone_has_its_midnight(self, name: str, year: int, month: int, begins: str) -> None:
        assert month_bounds(year, zone(name))[month - 1] == at(begins)

    @pytest.mark.parametrize(
        ("name", "month", "hours"),
        [
            ("UTC", 3, 744.0),
            ("Europe/Berlin", 3, 743.0),
            ("Europe/Berlin", 10, 745.0),
            ("Australia/Lord_Howe", 4, 720.5),
            ("Australia/Lord_Howe", 10, 743.5),
        ],
    )
    def test_make_a_month_as_long_as_its_days_of_23_and_25_hours(self, name: str, month: int, hours: float) -> None:
        bounds = month_bounds(2026, zone(name))

        assert bounds[month] - bounds[month - 1] == timedelta(hours=hours)

    @pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"])
    def test_end_a_year_where_the_next_begins(self, name: str) -> None:
        assert month_bounds(2026, zone(name))[-1] == month_bounds(2027, zone(name))[0]

    @pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../etc/passwd", "Europe", "a\0b"])
    def test_refuse_an_unknown_zone(self, name: str) -> None:
        with pytest.raises(Invalid) as caught:
            zone(name)

        assert caught.value.code == "unknown_timezone"

    @pytest.mark.parametrize("year", [0, 1969, 2200, 10_000])
    def test_refuse_a_year_that_no_shop_has_seen(self, year: int) -> None:
        with pytest.raises(Invalid) as caught:
            month_bounds(year, zone("UTC"))

        assert caught.value.code == "year_out_of_range"


class TestParts:
    def test_leave_whole_hours_in_one_piece(self) -> None:
        month = Stretch(at("2026-01-01 00:00"), at("2026-02-01 00:00"))

        assert month.parts() == [month]
        assert month.whole

    def test_cut_off_what_sticks_out_on_both_sides(self) -> None:
        parts = Stretch(at("2025-12-31 18:30"), at("2026-01-31 18:30")).parts()

        assert parts == [
            Stretch(at("2025-12-31 18:30"), at("2025-12-31 19:00")),
            Stretch(at("2025-12-31 19:00"), at("2026-01-31 18:00")),
            Stretch(at("2026-01-31 18:00"), at("2026-01-31 18:30")),
        ]
        assert [part.whole for part in parts] == [False, True, False]

    def test_keep_what_holds_no_whole_hour(self) -> None:
        short = Stretch(at("2026-01-01 10:20"), at("2026-01-01 11:40"))

        assert short.parts() == [short]

    @pytest.mark.parametrize("name", ["UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Monrovia"])
    def test_follow_each_other_without_gap_through_a_year(self, name: str) -> None:
        bounds = month_bounds(1971, zone(name))
        parts = [part for start, end in pairwise(bounds) for part in Stretch(start, end).parts()]

        assert parts[0].start == bounds[0]
        assert parts[-1].end == bounds[-1]
        assert all(before.end == after.start for before, after in pairwise(parts))

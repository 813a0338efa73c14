"""Months and hours of named time zones, as half-open stretches of UTC."""

from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from ordermill.kit.errors import Invalid

HOUR = timedelta(hours=1)
YEARS = range(1970, 2200)
# Files of the zone database that are no region: what this machine is set to, and "nobody has set it yet".
_NO_REGIONS = frozenset({"Factory", "localtime"})


def zone(name: str) -> ZoneInfo:
    """
    Look a time zone up by its IANA name.

    Raises:
        Invalid: `unknown_timezone`.
    """
    # Nearly every command asks for this one, and listing all of them takes 35 ms.
    if name != "UTC" and name not in _regions():
        near = get_close_matches(name, _regions(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "write a name such as 'Europe/Berlin'."
        raise Invalid(f"{name!r} is not an IANA time zone; {hint}", code="unknown_timezone")
    return ZoneInfo(name)


@cache
def _regions() -> frozenset[str]:
    # ZoneInfo itself takes more: files under other names (posix/…, right/…), and, where a disk does not tell case, any case.
    return frozenset(available_timezones() - _NO_REGIONS)


def month_bounds(year: int, timezone: ZoneInfo) -> list[datetime]:
    """
    Return the thirteen moments at which the twelve months of `year` begin and the last one ends.

    A month that begins inside a daylight-saving change begins at the first moment that carries its date.

    Raises:
        Invalid: `year_out_of_range`, outside 1970 to 2199.
    """
    if year not in YEARS:
        raise Invalid(f"{year} is not a year from 1970 to 2199.", code="year_out_of_range")
    starts = [(year, month) for month in range(1, 13)] + [(year + 1, 1)]
    return [datetime(y, m, 1, tzinfo=timezone).astimezone(UTC) for y, m in starts]


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of the UTC hour that `moment` lies in."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)

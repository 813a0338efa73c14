"""Months and hours of named time zones, as half-open stretches of UTC."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ordermill.kit.errors import Invalid

HOUR = timedelta(hours=1)
YEARS = range(1970, 2200)


def zone(name: str) -> ZoneInfo:
    """
    Look a time zone up by its IANA name.

    Raises:
        Invalid: `unknown_timezone`.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(
            f"{name!r} is not an IANA time zone; write a name such as 'Europe/Berlin'.", code="unknown_timezone"
        ) from error


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

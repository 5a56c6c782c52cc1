"""When a frame was taken, and which night that was.

A night goes from noon to noon of local time and has the date of its evening. Local time is
DATE-LOC where it can be trusted, else mean solar time of the site's longitude, else UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from calibrary.headers.lookup import Header, clean_text, number

_YEARS = range(1950, 2101)
_ISO = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})"
    r"(?:[T ]+(\d{1,2}:\d{1,2}(?::\d{1,2}(?:[.,]\d*)?)?)\s*(Z|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
_SHORT = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2})", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d*))?)?\s*Z?", re.ASCII)
_MJD_ZERO = datetime(1858, 11, 17)
_JD_OF_MJD_ZERO = 2400000.5


class Dates(NamedTuple):
    """Times in ISO 8601, UTC; the night as ``YYYY-MM-DD``."""

    start: str | None
    end: str | None
    night: str | None


def read_dates(header: Header, software: str | None, camera: str | None = None) -> Dates:
    """Return start and end of the exposure, and the night.

    A date that cannot be is unknown: the day on which a clock stands that was never set, one
    before there was such a camera or program, one to come.
    """
    start = _start(header)
    if start is not None and (why := _impossible(header, start, software, camera)):
        header.warn(f"{header.sources.pop('date_obs')} is {start.isoformat()}, {why}: unknown")
        return Dates(None, None, None)
    end = _moment(header, "date_end")
    if end is not None and start is not None and not start <= end <= start + timedelta(days=1000):
        end = None
    if start is None:
        return Dates(None, iso(end) if end else None, None)
    return Dates(iso(start), iso(end) if end else None, _night(header, start, software))


def _impossible(
    header: Header, start: datetime, software: str | None, camera: str | None
) -> str | None:
    """Return what is wrong with a date; ``None`` where nothing is."""
    dialects = header.dialects
    if start.date().isoformat() in dialects.dead_clocks:
        return "the day of a clock that was never set"
    if start.year < dialects.first_year:
        return "before the first digital camera"
    # Local time, written as UTC, is up to 14 h ahead.
    if start > datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1):
        return "which is still to come"
    for name in (camera, software):
        years = [year for part, year in dialects.first_years.items() if part in f"{name} ".lower()]
        if name and years and start.year < max(years):
            return f"before the first {name} ({max(years)})"
    return None


def iso(moment: datetime) -> str:
    """Return a naive UTC time in ISO 8601, in ms where that is all there is, else in µs."""
    return moment.isoformat(
        timespec="microseconds" if moment.microsecond % 1000 else "milliseconds"
    )


def parse_date(text: str, clock: str | None = None) -> datetime | None:
    """Return the time that `text` tells, UTC, naive; ``None`` where it tells none.

    Parameters
    ----------
    text
        ISO 8601 with T or a blank, any number of fraction digits, ``Z`` or an offset;
        ``yyyy/mm/dd``; ``dd/mm/yy``, years from 50 on in the 20th century.
    clock
        ``hh:mm:ss``, for a date that stands alone.
    """
    text = text.strip()
    if match := _ISO.fullmatch(text):
        year, month, day = (int(match[n]) for n in (1, 2, 3))
        clock, zone = match[4] or clock, match[5]
    elif match := _SHORT.fullmatch(text):
        day, month, year = (int(match[n]) for n in (1, 2, 3))
        year, zone = year + (1900 if year >= 50 else 2000), None
    else:
        return None
    if year not in _YEARS:
        return None
    try:
        moment = datetime(year, month, day) + _since_midnight(clock)
        return moment - _offset(zone)
    except (ValueError, OverflowError):
        return None


def _since_midnight(clock: str | None) -> timedelta:
    match = _CLOCK.fullmatch((clock or "").strip())
    if match is None:
        return timedelta()
    hours, minutes, seconds = (int(match[n] or 0) for n in (1, 2, 3))
    if hours > 24 or minutes > 59 or seconds > 60:
        msg = "no time of day"
        raise ValueError(msg)
    microseconds = int((match[4] or "0")[:6].ljust(6, "0"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=microseconds)


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta()
    sign = -1 if zone[0] == "-" else 1
    return sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))


def _start(header: Header) -> datetime | None:
    moment = _moment(header, "date_obs")
    if moment is None:
        moment = _from_julian(header)
    if moment is None:
        moment = _moment(header, "date_obs_last_resort", "date_obs")
        if moment is not None:
            header.warn(f"no DATE-OBS, the file's own {header.sources['date_obs']} is taken")
    return moment


def _moment(header: Header, quantity: str, field: str | None = None) -> datetime | None:
    for found in header.all(quantity):
        text = clean_text(found.value) or ""
        key, clock = found.key, None
        if quantity == "date_obs" and ":" not in text:
            key, clock = _clock(header, key)
        moment = parse_date(text, clock)
        if moment is not None:
            header.sources[field or quantity] = key
            return moment
    return None


def _clock(header: Header, date_key: str) -> tuple[str, str | None]:
    """Return the time that belongs to a date that stands alone, and where both were read."""
    for found in header.all("time_obs"):
        text = clean_text(found.value) or ""
        if _CLOCK.fullmatch(text):
            return f"{date_key} and {found.key}", text
    return f"{date_key} (no time)", None


def _from_julian(header: Header) -> datetime | None:
    for found in header.all("julian_date"):
        days = number(found.value)
        if days is None:
            continue
        days -= _JD_OF_MJD_ZERO if days > 1_000_000 else 0
        if 30_000 < days < 90_000:
            header.sources["date_obs"] = found.key
            return (_MJD_ZERO + timedelta(days=days)).replace(microsecond=0)
    return None


def _night(header: Header, start: datetime, software: str | None) -> str:
    if header.sources["date_obs"].endswith("(no time)"):
        header.sources["night"] = header.sources["date_obs"]
        return start.date().isoformat()
    local = _local(header, start, software)
    return (local - timedelta(hours=12)).date().isoformat()


def _local(header: Header, start: datetime, software: str | None) -> datetime:
    if _writes_local_time(header):
        header.sources["night"] = f"{header.sources['date_obs']} (local time)"
        header.warn("DATE-OBS is the clock of the computer, not UTC")
        return start
    late = (software or "").lower().startswith(header.dialects.programs["late_local_time"])
    local = None if late else _moment(header, "date_loc", "night")
    if local is not None and _is_a_zone(local - start):
        return local
    longitude = _longitude(header)
    if longitude is not None:
        return start + timedelta(hours=longitude / 15)
    header.sources["night"] = f"{header.sources['date_obs']} (UTC)"
    return start


def _is_a_zone(apart: timedelta) -> bool:
    """Tell whether two clocks differ as time zones do: by quarters of an hour, up to 14 h."""
    hours = apart.total_seconds() / 3600
    return -12.5 <= hours <= 14.5 and abs(hours * 4 - round(hours * 4)) < 4 / 60


def _writes_local_time(header: Header) -> bool:
    """Tell whether EZCAP wrote the file: it alone spells its exposure in mixed case."""
    exposure = header.keyword("EXPTIME")
    return exposure is not None and "ExpTime" in exposure.raw


def _longitude(header: Header) -> float | None:
    """Return the site's longitude, degrees, east positive."""
    for found in header.all("longitude"):
        degrees = number(found.value)
        if degrees is None:
            degrees = _sexagesimal(clean_text(found.value) or "")
        if degrees is not None and -180 <= degrees <= 360:
            header.sources["night"] = found.key
            return degrees - 360 if degrees > 180 else degrees
    return None


def _sexagesimal(text: str) -> float | None:
    parts = re.fullmatch(
        r"([+-]?)\s*(\d{1,3})[\s:d°]+(\d{1,2})(?:[\s:m']+(\d{1,2}(?:\.\d*)?))?[\s\"s]*([EW]?)", text
    )
    if parts is None:
        return None
    degrees = float(parts[2]) + float(parts[3]) / 60 + float(parts[4] or 0) / 3600
    return -degrees if (parts[1] == "-") != (parts[5] == "W") else degrees

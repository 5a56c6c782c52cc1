"""Sessions: where a series of frames ends and the next begins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

SECOND = 1_000_000
"""Times are whole microseconds since 1970, so that gaps compare exactly."""


def to_time(date_obs: str | None) -> int | None:
    """Return an ISO 8601 date in UTC as microseconds since 1970; unknown or damaged is ``None``."""
    if not date_obs:
        return None
    try:
        moment = datetime.fromisoformat(date_obs)
    except ValueError:
        return None
    since = moment - (_EPOCH if moment.tzinfo is None else _EPOCH_UTC)
    return (since.days * 86400 + since.seconds) * SECOND + since.microseconds


_EPOCH = datetime(1970, 1, 1)
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)


def split_by_gap(times: Sequence[int | None], gap_hours: float) -> list[int | None]:
    """Return for each time the start of its session; unknown stays unknown.

    A new session starts where consecutive frames part by more than the gap. Any order of
    `times` (microseconds) gives the same sessions.
    """
    gap = round(gap_hours * 3600 * SECOND)
    start: dict[int, int] = {}
    session = previous = None
    for time in sorted({time for time in times if time is not None}):
        if session is None or previous is None or time - previous > gap:
            session = time
        start[time] = session
        previous = time
    return [None if time is None else start[time] for time in times]


JOIN_HOURS = 1.0
"""A series that runs on over noon with shorter gaps than this is one session."""


def split_by_night(
    times: Sequence[int | None], nights: Sequence[str | None], lengths: Sequence[float]
) -> list[str | None]:
    """Return for each frame the first night of its session; an unknown night stays unknown.

    Frames of one night, noon to noon, are of one session. Noon parts nothing inside a series: two
    nights are one session where the frames before and after noon follow each other within
    `JOIN_HOURS`. So a cloudy day's darks stay together, and so does a night whose noon is told in
    another time zone.

    Parameters
    ----------
    times
        Start of each exposure, µs since 1970.
    nights
        ``YYYY-MM-DD`` of each frame.
    lengths
        Exposure of each frame, s; a gap begins where the exposure ends.
    """
    gap = round(JOIN_HOURS * 3600 * SECOND)
    known = sorted(
        (time, night, length)
        for time, night, length in zip(times, nights, lengths, strict=True)
        if time is not None and night is not None
    )
    first: dict[str, str] = {}
    previous: tuple[int, str] | None = None
    for time, night, length in known:
        if night not in first:
            joined = previous is not None and time - previous[0] <= gap
            first[night] = first[previous[1]] if joined and previous is not None else night
        previous = (time + round(length * SECOND), night)
    return [None if night is None else first.get(night, night) for night in nights]


def part(first: tuple[int, int], second: tuple[int, int]) -> int:
    """Return by how much `second` comes after `first` (µs); before is negative, overlap 0."""
    if second[0] > first[1]:
        return second[0] - first[1]
    if second[1] < first[0]:
        return second[1] - first[0]
    return 0

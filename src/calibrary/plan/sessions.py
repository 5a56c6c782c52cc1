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


def part(first: tuple[int, int], second: tuple[int, int]) -> int:
    """Return by how much `second` comes after `first` (µs); before is negative, overlap 0."""
    if second[0] > first[1]:
        return second[0] - first[1]
    if second[1] < first[0]:
        return second[1] - first[0]
    return 0

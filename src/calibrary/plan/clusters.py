"""Clusters of numbers: the gaps decide, not rounding.

Rounding into bins parts -10.04 from -10.06; a chain of small steps joins -10 with -5. Both are
avoided by asking for the fewest clusters none of which spans more than the tolerance, and among
those for the ones with the widest gaps between them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache

from calibrary.config.model import ExposureTolerance, Tolerance
from calibrary.records import FrameType, Key

MICRO = 1_000_000
"""Values are compared in millionths: 1 µs, 1 µ°C. Integers make ties exact."""


@lru_cache(maxsize=4096)
def to_micro(value: float) -> int:
    """Return `value` in millionths."""
    return round(value * MICRO)


def partition(values: Sequence[int], limit: Callable[[int], int]) -> list[tuple[int, int]]:
    """Part sorted distinct values into the fewest clusters that each span at most the limit.

    Parameters
    ----------
    values : sequence of int
        Strictly ascending.
    limit : callable
        Largest span of a cluster whose greatest value is the argument; ``v - limit(v)`` must not
        decrease with ``v``.

    Returns
    -------
    list of (int, int)
        First and last value of each cluster, ascending. Of all such partitions with the fewest
        clusters the one with the greatest sum of gaps between them; ties go to the lowest cuts.

    Notes
    -----
    A value added inside a cluster narrows a gap inside it and no gap between clusters, so the
    partition stays as it was.
    """
    if not values:
        return []
    # best[i]: (clusters, minus the sum of gaps) of the first i values; cost(j) is that of a
    # partition whose last cluster begins with value j. The window of allowed j only moves up,
    # so its minimum is kept in a monotonic queue.
    best = [(0, 0)]
    begin = []
    queue: deque[tuple[tuple[int, int], int]] = deque()
    for i, value in enumerate(values):
        gap = value - values[i - 1] if i else 0
        cost = (best[i][0] + 1, best[i][1] - gap)
        while queue and queue[-1][0] > cost:
            queue.pop()
        queue.append((cost, i))
        lowest = value - limit(value)
        while values[queue[0][1]] < lowest:
            queue.popleft()
        best.append(queue[0][0])
        begin.append(queue[0][1])
    clusters = []
    end = len(values) - 1
    while end >= 0:
        clusters.append((values[begin[end]], values[end]))
        end = begin[end] - 1
    return clusters[::-1]


def label(values: Sequence[int | None], limit: Callable[[int], int]) -> list[int | None]:
    """Return for each value the lowest value of its cluster; unknown stays unknown.

    See `partition`; the order of `values` does not matter.
    """
    distinct = sorted({value for value in values if value is not None})
    if not distinct:
        return list(values)
    if distinct[-1] - distinct[0] <= limit(distinct[-1]):
        return [None if value is None else distinct[0] for value in values]
    lowest = {}
    clusters = iter(partition(distinct, limit))
    first, last = next(clusters)
    for value in distinct:
        if value > last:
            first, last = next(clusters)
        lowest[value] = first
    return [None if value is None else lowest[value] for value in values]


def exposure_limit(tolerance: ExposureTolerance) -> Callable[[int], int]:
    """Return how far below an exposure (µs) another may lie and still be equal to it."""
    seconds, fraction = to_micro(tolerance.seconds), tolerance.fraction

    def limit(exposure: int) -> int:
        return max(seconds, int(abs(exposure) * fraction))

    return limit


def temperature_limit(tolerance_c: float) -> Callable[[int], int]:
    """Return the span of a temperature cluster, in millionths of a °C."""
    span = to_micro(tolerance_c)
    return lambda _: span


def limit_of(key: Key, frame_type: FrameType, tolerance: Tolerance) -> Callable[[int], int]:
    """Return how far below a value (in millionths) of a key another may lie and still be alike."""
    allowed = getattr(tolerance, key.tolerance)
    if isinstance(allowed, ExposureTolerance):
        return exposure_limit(allowed)
    return temperature_limit(getattr(allowed, frame_type.value))


def exposure_tolerance_s(first: float, second: float, tolerance: ExposureTolerance) -> float:
    """Return how far two exposures may part and still be equal, s."""
    return max(tolerance.seconds, tolerance.fraction * max(abs(first), abs(second)))

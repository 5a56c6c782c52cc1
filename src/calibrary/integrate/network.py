"""The order of comparisons that sorts any stack of a given size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Pattern = tuple[tuple[int, int], ...]
"""Comparisons in their order: the smaller sample goes to the first place of a pair."""


def _merge_sort(n: int) -> Pattern:
    """Return Batcher's odd-even merge sort of `n` samples, a power of two."""
    pairs = []
    merged = 1
    while merged < n:
        distance = merged
        while distance > 0:
            for start in range(0, n, 2 * merged):
                pairs += [(start + i, start + j) for i, j in _merge_step(merged, distance)]
            distance //= 2
        merged *= 2
    return tuple(pairs)


def _merge_step(merged: int, distance: int) -> Iterator[tuple[int, int]]:
    """Yield the comparisons at one distance of the merging of two sorted runs."""
    if distance == merged:
        yield from ((i, i + distance) for i in range(merged))
        return
    for start in range(distance, 2 * merged - distance, 2 * distance):
        yield from ((i, i + distance) for i in range(start, start + distance))


BLOCK = 32
"""Samples that are sorted at once at the most: as many as the largest processors have registers."""
_SORTED = (8, 16, BLOCK)
_FIRST_THREE = tuple(pair for distance in (4, 2, 1) for pair in _merge_step(4, distance))
"""Merging at its three largest distances, of eight samples as far apart as the smallest of them."""
_NEXT_THREE: Pattern = (
    (3, 7), (4, 8), (5, 9), (6, 10), (1, 3), (2, 4), (5, 7), (6, 8), (0, 1), (2, 3), (4, 5), (6, 7),
)  # fmt: skip
"""Merging at three later distances, in a sweep over the samples: eight steps of the smallest
distance at a time, and three samples further up that the next eight begin with."""
PATTERNS: tuple[Pattern, ...] = (
    *(_merge_sort(n) for n in _SORTED),
    _FIRST_THREE,
    _NEXT_THREE,
    ((0, 1),),
)
"""What is done at once, with samples that the processor holds in its registers."""
_FIRST, _NEXT, _PAIR = len(_SORTED), len(_SORTED) + 1, len(_SORTED) + 2


def sorting_network(n: int) -> npt.NDArray[np.int32]:
    """Return Batcher's odd-even merge sorting network for `n` samples.

    A network compares the same places whatever the values, so one comparison can be made for
    many pixels at once. Here some comparisons at a time are put together to patterns.

    Parameters
    ----------
    n
        Number of samples of a pixel.

    Returns
    -------
    steps
        ``[steps, 1 + BLOCK]``: the number of the pattern in `PATTERNS`, and the places of its
        samples. The place `n` stands for a sample above all others: it never leaves its place.

    Notes
    -----
    K. E. Batcher, Sorting networks and their applications, AFIPS 1968. A network for fewer samples
    than a power of two is what the places above leave of the larger one.
    """
    number = next((k for k, size in enumerate(_SORTED) if size >= n), len(_SORTED) - 1)
    merged = _SORTED[number]
    steps = [_step(number, range(start, start + merged), n) for start in range(0, n, merged)]
    while merged < n:
        for start in range(0, n, 2 * merged):
            end = min(start + 2 * merged, n)
            for kind, places in _merge(start, merged):
                places = [place if place < end else n for place in places]
                if any(places[j] < n for _, j in PATTERNS[kind]):
                    steps.append(_step(kind, places, n))
        merged *= 2
    return np.array(steps, np.int32).reshape(-1, 1 + BLOCK)


def _step(kind: int, places: Sequence[int], n: int) -> list[int]:
    return [kind, *(min(place, n) for place in places), *[n] * (BLOCK - len(places))]


def _merge(start: int, merged: int) -> Iterator[tuple[int, list[int]]]:
    """Yield the patterns that merge two sorted runs, and the places of their samples."""
    unit = merged // 4
    for s in range(start, start + unit):
        yield _FIRST, [s + unit * u for u in range(8)]
    distance = merged // 8
    while distance >= 4:
        unit = distance // 4
        for s in range(start, start + unit):
            for at in range(s, s + 2 * merged, 8 * unit):
                yield _NEXT, [at + unit * u for u in range(1, 12)]
        distance //= 8
    while distance >= 1:
        for i, j in _merge_step(merged, distance):
            yield _PAIR, [start + i, start + j]
        distance //= 2

"""The rejection methods: each a pure function on the sorted samples of one pixel.

Every function takes ``x``, the samples of one pixel, float64 ADU, shape ``[n]``, in ascending
order, and returns the kept range ``(first, end)`` of places in it: what lies below `first` is
rejected low, what lies from `end` on is rejected high. Methods that may reject between kept
samples take ``marks``, int8 ``[n]``, all 0: they set -1 for rejected low and 1 for rejected high,
and return `SEE_MARKS` where no range says the same.

``room``, float64 ``[4, n + 1]``, is memory to work in, so that none is allocated for each pixel.

Limits are multiples of the spread of the samples unless said otherwise, so that the results do
not depend on the unit of the samples.

Sources: "PI" is PixInsight's published ImageIntegration module (2021, IntegrationRejectionEngine)
and PCL's WinsorizedSigmaClippingRejection; "IRAF" is imcombine; NIST is the NIST/SEMATECH
e-Handbook.
"""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

Samples = npt.NDArray[np.float64]
Room = npt.NDArray[np.float64]
Marks = npt.NDArray[np.int8]

ROOMS = 4
"""Rows of the memory to work in."""
_DRAWN, _INNER = 0, 1
"""Rows for the samples drawn in, and for the inner medians of Sn."""
SEE_MARKS = (-1, -1)
"""Returned for a range: samples between kept ones are rejected."""

WINSOR_CLAMP = 1.5
"""Samples further out than this many spreads are drawn in (Huber)."""
WINSOR_CORRECTION = 1.134
"""Makes the spread of winsorised normal samples that of the whole ones."""
WINSOR_TOLERANCE = 0.0005
"""The spread has settled when it changes by less than this fraction."""
SN_FACTOR = 1.1926
"""Makes Sn the standard deviation of normal samples (Rousseeuw and Croux 1993)."""


@njit
def median_of(x: Samples, first: int, end: int) -> float:
    """Return the median of the sorted samples ``x[first:end]``."""
    middle = (first + end) // 2
    if (end - first) % 2:
        return x[middle]
    return 0.5 * (x[middle - 1] + x[middle])


@njit
def sums_about(x: Samples, base: float) -> tuple[float, float]:
    """Return the sums of the samples less `base` and of the squares of that: of integers exact.

    In four parts each, which the processor adds up side by side.
    """
    total0, total1, total2, total3 = 0.0, 0.0, 0.0, 0.0
    power0, power1, power2, power3 = 0.0, 0.0, 0.0, 0.0
    whole = len(x) - len(x) % 4
    for k in range(0, whole, 4):
        a, b, c, d = x[k] - base, x[k + 1] - base, x[k + 2] - base, x[k + 3] - base
        total0, total1, total2, total3 = total0 + a, total1 + b, total2 + c, total3 + d
        power0, power1 = power0 + a * a, power1 + b * b
        power2, power3 = power2 + c * c, power3 + d * d
    for k in range(whole, len(x)):
        a = x[k] - base
        total0 += a
        power0 += a * a
    return (total0 + total1) + (total2 + total3), (power0 + power1) + (power2 + power3)


@njit
def less(
    x: Samples, first: int, end: int, base: float, total: float, power: float
) -> tuple[float, float]:
    """Return the sums of `sums_about` without ``x[first:end]``."""
    for k in range(first, end):
        d = x[k] - base
        total -= d
        power -= d * d
    return total, power


@njit
def deviation_of(total: float, power: float, n: int) -> float:
    """Return the sample standard deviation (n - 1) of `n` samples, ADU, from their sums."""
    if n < 2:
        return 0.0
    return math.sqrt(max((power - total * total / n) / (n - 1), 0.0))


@njit
def range_of(marks: Marks) -> tuple[int, int]:
    """Return the range of samples that are not marked, or `SEE_MARKS` if it has gaps."""
    first, end = 0, len(marks)
    while first < end and marks[first] < 0:
        first += 1
    while first < end and marks[end - 1] > 0:
        end -= 1
    for k in range(first, end):
        if marks[k] != 0:
            return SEE_MARKS
    return first, end


@njit
def clip(
    x: Samples, first: int, end: int, centre: float, low: float, high: float
) -> tuple[int, int]:
    """Return the part of ``x[first:end]`` from ``centre - low`` to ``centre + high``, ADU."""
    while first < end and centre - x[first] > low:
        first += 1
    while first < end and x[end - 1] - centre > high:
        end -= 1
    return first, end


@njit
def minmax(x: Samples, low: float, high: float) -> tuple[int, int]:
    """Reject the `low` smallest and `high` largest samples, whatever they are.

    At least one sample is kept: of the two counts the high one gives way.
    """
    n = len(x)
    first = min(int(low), n - 1)
    return first, max(n - int(high), first + 1)


@njit
def percentile(x: Samples, low: float, high: float) -> tuple[int, int]:
    """Reject samples further from the median than a fraction of the median; one pass.

    `low` and `high` are fractions of the level, not of the noise: on frames with a large
    pedestal the method does nothing. Source: PI.
    """
    n = len(x)
    centre = median_of(x, 0, n)
    if n < 2 or centre <= 0.0:
        return 0, n
    return clip(x, 0, n, centre, low * centre, high * centre)


@njit
def sigma(x: Samples, low: float, high: float) -> tuple[int, int]:
    """Reject samples further than `low` or `high` standard deviations from the median.

    Repeated on what is left until nothing is rejected or fewer than 3 remain. A single outlier
    can only be found among more than high² samples: its own share in the deviation hides it.
    Source: PI.
    """
    first, end, base = 0, len(x), x[len(x) // 2]
    total, power = sums_about(x, base)
    while end - first >= 3:
        deviation = deviation_of(total, power, end - first)
        centre = median_of(x, first, end)
        i, j = clip(x, first, end, centre, low * deviation, high * deviation)
        if i == first and j == end:
            break
        total, power = less(x, first, i, base, total, power)
        total, power = less(x, j, end, base, total, power)
        first, end = i, j
    return first, end


@njit
def spread_sn(x: Samples, first: int, end: int, room: Room) -> float:
    """Return the scale estimator Sn of the sorted samples ``x[first:end]``, ADU.

    Sn is the low median over i of the high median over j of abs(x_i - x_j), with the factors
    for small samples of Croux and Rousseeuw (1992); multiplied by 1.1926 it estimates the
    standard deviation.
    """
    n = end - first
    if n < 2:
        return 0.0
    reach = n // 2  # the high median of n distances, one of them 0, is the one of this rank
    a = 0
    for i in range(n):
        # The `reach` nearest neighbours of a sorted sample are a window around it. Moving it up
        # brings its lower end nearer and its upper end further; the best is where they cross,
        # which for the next sample cannot be lower down.
        lowest, most = max(0, i - reach), min(i, n - 1 - reach)
        a = max(a, lowest)
        here = x[first + i]
        while a < most and x[first + a + reach] - here < here - x[first + a]:
            a += 1
        room[_INNER, i] = max(here - x[first + a], x[first + a + reach] - here)
        if a > lowest:
            room[_INNER, i] = min(
                room[_INNER, i], max(here - x[first + a - 1], x[first + a - 1 + reach] - here)
            )
    return sn_correction(n) * _select(room, n, (n + 1) // 2 - 1)


@njit
def _select(room: Room, n: int, rank: int) -> float:
    """Return the number that would stand at `rank` if those of Sn were sorted; reorders them."""
    low, high = 0, n - 1
    while low < high:
        pivot, i, j = room[_INNER, rank], low, high
        while i <= j:
            while room[_INNER, i] < pivot:
                i += 1
            while pivot < room[_INNER, j]:
                j -= 1
            if i <= j:
                room[_INNER, i], room[_INNER, j] = room[_INNER, j], room[_INNER, i]
                i += 1
                j -= 1
        if j < rank:
            low = i
        if rank < i:
            high = j
    return room[_INNER, rank]


@njit
def sn_correction(n: int) -> float:
    """Return the factor that makes Sn of `n` samples consistent (Croux and Rousseeuw 1992)."""
    if n < 10:
        return (0.0, 0.0, 0.743, 1.851, 0.954, 1.351, 0.993, 1.198, 1.005, 1.131)[n]
    return n / (n - 0.9) if n % 2 else 1.0


@njit
def winsorized_parameters(
    x: Samples, first: int, end: int, cutoff: float, room: Room
) -> tuple[float, float]:
    """Return location and spread of ``x[first:end]`` by Huber's winsorisation, ADU.

    Starts from the median and 1.1926 Sn. Samples beyond 1.5 spreads are set to that limit, or to
    the location when they lie beyond `cutoff` spreads (0: no such limit); then mean and 1.134
    times the standard deviation are taken anew, until the spread has settled. Source: PI.
    """
    n = end - first
    location = median_of(x, first, end)
    spread = SN_FACTOR * spread_sn(x, first, end, room)
    drawn = room[_DRAWN, :n]
    for k in range(n):
        drawn[k] = x[first + k]
    rounds = 0
    while spread > 0.0:
        bottom, top = location - WINSOR_CLAMP * spread, location + WINSOR_CLAMP * spread
        lowest, highest = -np.inf, np.inf
        if cutoff > 0.0:
            lowest, highest = location - cutoff * spread, location + cutoff * spread
        for k in range(n):
            v = drawn[k]
            inside = min(max(v, bottom), top)
            far = (v < bottom and v <= lowest) or (v > top and v >= highest)
            drawn[k] = location if far else inside
        before, base = spread, drawn[n // 2]
        total, power = sums_about(drawn, base)
        location, spread = base + total / n, WINSOR_CORRECTION * deviation_of(total, power, n)
        rounds += 1
        if rounds > 1 and abs(before - spread) < WINSOR_TOLERANCE * before:
            break
    return location, spread


@njit
def winsorized(x: Samples, low: float, high: float, cutoff: float, room: Room) -> tuple[int, int]:
    """Reject samples further than `low` or `high` winsorised spreads from the winsorised mean.

    Repeated until nothing is rejected or fewer than 3 remain; `cutoff` counts the first time
    only. Robust location and spread show outliers among as few as 5 samples. Source: PI.
    """
    first, end = 0, len(x)
    while end - first >= 3:
        location, spread = winsorized_parameters(x, first, end, cutoff, room)
        if spread <= 0.0:
            break
        i, j = clip(x, first, end, location, low * spread, high * spread)
        if i == first and j == end:
            break
        first, end, cutoff = i, j, 0.0
    return first, end


@njit
def averaged_sigma(x: Samples, low: float, high: float, ratio: float) -> tuple[int, int]:
    """Reject by a noise that is known from the neighbours: for stacks of few frames.

    The variance of a pixel is taken as `ratio` times its level (its median, at least 1 ADU),
    `ratio` being the median over the pixels of the image row of variance / level; see
    `pooled.row_noise_ratios`. Samples further than `low` or `high` times its root from the median
    are rejected, repeated until nothing is, or fewer than 3 remain.

    Source: IRAF ``avsigclip``, which takes the mean over the row; the median keeps cosmic rays
    out of it.
    """
    first, end = 0, len(x)
    while end - first >= 3:
        centre = median_of(x, first, end)
        deviation = math.sqrt(ratio * max(centre, 1.0))
        i, j = clip(x, first, end, centre, low * deviation, high * deviation)
        if i == first and j == end:
            break
        first, end = i, j
    return first, end


@njit
def esd(x: Samples, critical: Samples) -> tuple[int, int]:
    """Reject by the generalised extreme Studentised deviate test (Rosner 1983).

    The sample furthest from the mean is taken away, again and again; outliers are all those up to
    the last whose deviation, in standard deviations, exceeds its critical value.

    Parameters
    ----------
    critical
        ``[most outliers]``, the critical values for ``len(x)`` samples; see
        `choice.esd_critical_values`. Source: NIST 1.3.5.17.3.
    """
    first, end, base = 0, len(x), x[len(x) // 2]
    total, power = sums_about(x, base)
    kept = (first, end)
    for value in critical:
        if end - first < 3:
            break
        deviation = deviation_of(total, power, end - first)
        if deviation <= 0.0:
            break
        mean = base + total / (end - first)
        below, above = mean - x[first], x[end - 1] - mean
        if above > below:
            end -= 1
            total, power = less(x, end, end + 1, base, total, power)
        else:
            first += 1
            total, power = less(x, first - 1, first, base, total, power)
        if max(above, below) > value * deviation:
            kept = (first, end)
    return kept

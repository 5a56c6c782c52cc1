"""The rejection methods: each a pure function on the sorted samples of one pixel.

Every function takes ``x``, the samples of one pixel, float64 ADU, shape ``[n]``, in ascending
order, and returns the kept range ``(first, end)`` of places in it: what lies below `first` is
rejected low, what lies from `end` on is rejected high. `linear_fit` may reject between kept
samples and marks places instead.

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
Marks = npt.NDArray[np.int8]

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
def mean_and_deviation(x: Samples, first: int, end: int) -> tuple[float, float]:
    """Return mean and sample standard deviation (n - 1) of ``x[first:end]``, ADU.

    Sums are taken about the first sample: for integers they are exact.
    """
    n = end - first
    centre = x[first]
    total = 0.0
    squares = 0.0
    for k in range(first, end):
        d = x[k] - centre
        total += d
        squares += d * d
    if n < 2:
        return centre + total, 0.0
    variance = (squares - total * total / n) / (n - 1)
    return centre + total / n, math.sqrt(max(variance, 0.0))


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
    first, end = 0, len(x)
    while end - first >= 3:
        _, deviation = mean_and_deviation(x, first, end)
        centre = median_of(x, first, end)
        i, j = clip(x, first, end, centre, low * deviation, high * deviation)
        if i == first and j == end:
            break
        first, end = i, j
    return first, end


@njit
def spread_sn(x: Samples, first: int, end: int) -> float:
    """Return the scale estimator Sn of the sorted samples ``x[first:end]``, ADU.

    Sn is the low median over i of the high median over j of abs(x_i - x_j), with the factors
    for small samples of Croux and Rousseeuw (1992); multiplied by 1.1926 it estimates the
    standard deviation.
    """
    n = end - first
    if n < 2:
        return 0.0
    inner = np.empty(n)
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
        inner[i] = max(here - x[first + a], x[first + a + reach] - here)
        if a > lowest:
            inner[i] = min(inner[i], max(here - x[first + a - 1], x[first + a - 1 + reach] - here))
    return _sn_correction(n) * _select(inner, (n + 1) // 2 - 1)


@njit
def _select(values: Samples, rank: int) -> float:
    """Return the value that would stand at `rank` if `values` were sorted; reorders them."""
    low, high = 0, len(values) - 1
    while low < high:
        pivot, i, j = values[rank], low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while pivot < values[j]:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if j < rank:
            low = i
        if rank < i:
            high = j
    return values[rank]


@njit
def _sn_correction(n: int) -> float:
    if n < 10:
        return (0.0, 0.0, 0.743, 1.851, 0.954, 1.351, 0.993, 1.198, 1.005, 1.131)[n]
    return n / (n - 0.9) if n % 2 else 1.0


@njit
def winsorized_parameters(x: Samples, first: int, end: int, cutoff: float) -> tuple[float, float]:
    """Return location and spread of ``x[first:end]`` by Huber's winsorisation, ADU.

    Starts from the median and 1.1926 Sn. Samples beyond 1.5 spreads are set to that limit, or to
    the location when they lie beyond `cutoff` spreads (0: no such limit); then mean and 1.134
    times the standard deviation are taken anew, until the spread has settled. Source: PI.
    """
    n = end - first
    location = median_of(x, first, end)
    spread = SN_FACTOR * spread_sn(x, first, end)
    drawn = x[first:end].copy()
    rounds = 0
    while spread > 0.0:
        bottom, top = location - WINSOR_CLAMP * spread, location + WINSOR_CLAMP * spread
        lowest, highest = -np.inf, np.inf
        if cutoff > 0.0:
            lowest, highest = location - cutoff * spread, location + cutoff * spread
        for k in range(n):
            if drawn[k] < bottom:
                drawn[k] = bottom if drawn[k] > lowest else location
            elif drawn[k] > top:
                drawn[k] = top if drawn[k] < highest else location
        before = spread
        location, deviation = mean_and_deviation(drawn, 0, n)
        spread = WINSOR_CORRECTION * deviation
        rounds += 1
        if rounds > 1 and abs(before - spread) < WINSOR_TOLERANCE * before:
            break
    return location, spread


@njit
def winsorized(x: Samples, low: float, high: float, cutoff: float) -> tuple[int, int]:
    """Reject samples further than `low` or `high` winsorised spreads from the winsorised mean.

    Repeated until nothing is rejected or fewer than 3 remain; `cutoff` counts the first time
    only. Robust location and spread show outliers among as few as 5 samples. Source: PI.
    """
    first, end = 0, len(x)
    while end - first >= 3:
        location, spread = winsorized_parameters(x, first, end, cutoff)
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
    first, end = 0, len(x)
    kept = (first, end)
    for value in critical:
        if end - first < 3:
            break
        mean, deviation = mean_and_deviation(x, first, end)
        if deviation <= 0.0:
            break
        below, above = mean - x[first], x[end - 1] - mean
        if above > below:
            end -= 1
        else:
            first += 1
        if max(above, below) > value * deviation:
            kept = (first, end)
    return kept


@njit
def absolute_line(y: Samples, n: int, slopes: Samples) -> tuple[float, float, float]:
    """Fit a line to ``y[:n]`` against its place by least absolute deviations.

    A best line goes through two of the points. From the middle point on, the best line through
    one point is turned about the others that lie on it, until none makes it better (Wesolowsky
    1981).

    Parameters
    ----------
    slopes
        Room for `n` numbers.

    Returns
    -------
    intercept, slope, deviation
        ADU, ADU per place, and the mean absolute residual in ADU.
    """
    pivot = n // 2
    slope = _best_slope_through(y, n, pivot, slopes)
    best = _absolute_residuals(y, n, pivot, slope)
    k = 0
    while k < n:
        off = y[k] - y[pivot] - slope * (k - pivot)
        if k != pivot and abs(off) <= 1e-12 * (abs(y[0]) + abs(y[n - 1])):
            candidate = _best_slope_through(y, n, k, slopes)
            total = _absolute_residuals(y, n, k, candidate)
            if total < best * (1.0 - 1e-12):
                best, slope, pivot, k = total, candidate, k, -1
        k += 1
    return y[pivot] - slope * pivot, slope, best / n


@njit
def _absolute_residuals(y: Samples, n: int, pivot: int, slope: float) -> float:
    """Return the sum of the absolute residuals of a line through one point, ADU."""
    total = 0.0
    for k in range(n):
        total += abs(y[k] - y[pivot] - slope * (k - pivot))
    return total


@njit
def _best_slope_through(y: Samples, n: int, pivot: int, slopes: Samples) -> float:
    """Return the best slope of a line through one point.

    It is the median of the slopes to the other points, weighted with their distances.
    """
    for k in range(n):
        slopes[k] = (y[k] - y[pivot]) / (k - pivot) if k != pivot else np.inf
    order = np.argsort(slopes[:n], kind="mergesort")
    half = 0.25 * (pivot * (pivot + 1) + (n - 1 - pivot) * (n - pivot))
    weight = 0.0
    for k in order:
        weight += abs(k - pivot)
        if weight >= half:
            return slopes[k]
    return 0.0


@njit
def linear_fit(x: Samples, low: float, high: float, full_scale: float, marks: Marks) -> None:
    """Reject samples far from a line through the sorted samples against their rank.

    The line is that of least absolute deviations (`absolute_line`); the spread is twice the mean
    absolute residual times sqrt(1 + slope²). Samples whose residual is at least `low` or `high`
    spreads are rejected, and the line is fitted again to the ranks left, while 3 are. Needs 5
    samples. Source: PI.

    Parameters
    ----------
    full_scale
        ADU that is 1.0: the slope is taken in normalised units, as PixInsight's samples are. In
        ADU its factor would be large and the limits would mean something else.
    marks
        ``[n]``, receives -1 for rejected low, 1 for rejected high; others are left alone.
    """
    n = len(x)
    if n < 5:
        return
    y = x.copy()
    place = np.arange(n)
    slopes = np.empty(n)
    while n >= 3:
        intercept, slope, deviation = absolute_line(y, n, slopes)
        spread = 2.0 * deviation * math.sqrt(1.0 + (slope / full_scale) ** 2)
        if spread <= 1e-12 * full_scale:
            break
        kept = 0
        for k in range(n):
            residual = y[k] - (intercept + slope * k)
            if residual < 0.0 and -residual >= low * spread:
                marks[place[k]] = -1
            elif residual >= 0.0 and residual >= high * spread:
                marks[place[k]] = 1
            else:
                y[kept], place[kept] = y[k], place[k]
                kept += 1
        if kept == n:
            break
        n = kept

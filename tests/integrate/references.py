"""Slow, plain NumPy versions of the rejection methods, written from their definitions.

Each takes the samples of one pixel in any order and returns the kept ones.
"""

from __future__ import annotations

import numpy as np


def sigma(x, low, high):
    x = np.sort(np.asarray(x, float))
    while len(x) >= 3:
        m, s = np.median(x), np.std(x, ddof=1)
        keep = (m - x <= low * s) & (x - m <= high * s)
        if keep.all():
            break
        x = x[keep]
    return x


def minmax(x, low, high):
    x = np.sort(np.asarray(x, float))
    first = min(int(low), len(x) - 1)
    return x[first : max(len(x) - int(high), first + 1)]


def percentile(x, low, high):
    x = np.sort(np.asarray(x, float))
    m = np.median(x)
    if len(x) < 2 or m <= 0:
        return x
    return x[(m - x <= low * m) & (x - m <= high * m)]


def averaged_sigma(x, low, high, ratio):
    x = np.sort(np.asarray(x, float))
    while len(x) >= 3:
        m = np.median(x)
        s = np.sqrt(ratio * max(m, 1.0))
        keep = (m - x <= low * s) & (x - m <= high * s)
        if keep.all():
            break
        x = x[keep]
    return x


SN_SMALL = {2: 0.743, 3: 1.851, 4: 0.954, 5: 1.351, 6: 0.993, 7: 1.198, 8: 1.005, 9: 1.131}


def sn(x):
    n = len(x)
    distances = np.sort(np.abs(np.subtract.outer(x, x)), axis=1)
    inner = np.sort(distances[:, n // 2])  # high median: of rank n // 2 + 1
    factor = SN_SMALL.get(n, n / (n - 0.9) if n % 2 else 1.0)
    return factor * inner[(n + 1) // 2 - 1]  # low median


def winsorized(x, low, high, cutoff=5.0):
    x = np.sort(np.asarray(x, float))
    while len(x) >= 3:
        v, m, s = x.copy(), np.median(x), 1.1926 * sn(x)
        rounds = 0
        while s > 0:
            limits = m - 1.5 * s, m + 1.5 * s
            clamped = np.clip(v, *limits)
            if cutoff:
                out = (v <= m - cutoff * s) & (v < limits[0]) | (v >= m + cutoff * s) & (
                    v > limits[1]
                )
                clamped[out] = m
            v, before = clamped, s
            m, s = v.mean(), 1.134 * np.std(v, ddof=1)
            rounds += 1
            if rounds > 1 and abs(before - s) < 0.0005 * before:
                break
        if s <= 0:
            break
        keep = (m - x <= low * s) & (x - m <= high * s)
        if keep.all():
            break
        x, cutoff = x[keep], 0.0
    return x


def esd(x, fraction=0.3, alpha=0.05):
    from scipy import stats

    x = np.sort(np.asarray(x, float))
    n, out, significant = len(x), [], 0
    rest = x
    for i in range(1, min(int(fraction * n), n - 2) + 1):
        s = np.std(rest, ddof=1)
        if s <= 0 or len(rest) < 3:
            break
        k = len(rest) - 1 if rest[-1] - rest.mean() > rest.mean() - rest[0] else 0
        statistic = abs(rest[k] - rest.mean()) / s
        t = stats.t.ppf(1 - alpha / (2 * (n - i + 1)), n - i - 1)
        if statistic > (n - i) * t / np.sqrt((n - i - 1 + t * t) * (n - i + 1)):
            significant = i
        out.append(rest[k])
        rest = np.delete(rest, k)
    kept = list(x)
    for value in out[:significant]:
        kept.remove(value)
    return np.array(kept)


def lines_through_pairs(y):
    """Slopes of the lines through any two of the points, and the residuals from each."""
    i, j = np.triu_indices(len(y), 1)
    slopes = (y[j] - y[i]) / (j - i)
    places = np.arange(len(y))
    return slopes, y - y[i, None] - slopes[:, None] * (places - i[:, None])


def least_absolute_deviation(y):
    """The least mean absolute residual of any line through two of the points."""
    return np.abs(lines_through_pairs(y)[1]).mean(axis=1).min()


def linear_fit(x, low, high):
    """What is kept; None where several lines are equally good."""
    x = np.sort(np.asarray(x, float))
    if len(x) < 5:
        return x
    while len(x) >= 3:
        slopes, residuals = lines_through_pairs(x)
        means = np.abs(residuals).mean(axis=1)
        best = means.argmin()
        equal = means <= means[best] * (1 + 1e-6) + 1e-9
        if np.ptp(residuals[equal], axis=0).max() > 1e-6:
            return None
        spread = 2 * means[best] * np.sqrt(1 + (slopes[best] / 65535) ** 2)
        kept = (residuals[best] > -low * spread) & (residuals[best] < high * spread)
        if spread < 1e-9 or kept.all():
            return x
        x = x[kept]
    return x


def siril_sigma(x, low, high):
    x, gone = np.sort(np.asarray(x, float)), 0
    if len(x) <= 2:
        return x
    while True:
        x, gone, changed = _siril_pass(
            x,
            gone,
            np.median(x),
            low * np.float32(np.std(x, ddof=1)),
            high * np.float32(np.std(x, ddof=1)),
        )
        if not changed or len(x) <= 3:
            return x


def siril_winsorized(x, low, high, integers=True):
    x, gone = np.sort(np.asarray(x, float)), 0
    if len(x) <= 2:
        return x
    while True:
        m, s, v = np.median(x), np.float32(np.std(x, ddof=1)), x.copy()
        while True:
            limits = [m - np.float32(1.5) * s, m + np.float32(1.5) * s]
            if integers:
                limits = [min(max(np.floor(limit + 0.5), 0), 65535) for limit in limits]
            v = np.clip(v, *limits)
            before, s = s, np.float32(1.134) * np.float32(np.std(v, ddof=1))
            if abs(s - before) <= before * np.float32(0.0005):
                break
        x, gone, changed = _siril_pass(x, gone, m, low * s, high * s)
        if not changed or len(x) <= 3:
            return x


def siril_linear_fit(x, low, high):
    x, gone = np.sort(np.asarray(x, float)), 0
    total = len(x)
    if total <= 2:
        return x
    while True:
        n = len(x)
        places = np.arange(n)
        middle, variance = (total - 1) / 2, (total**2 - 1) / 12
        slope = np.mean((places - middle) * (x - x.mean())) / variance
        line = x.mean() + slope * (places - middle)
        s = np.abs(x - line).mean()
        x, gone, changed = _siril_pass(x, gone, line, low * s, high * s)
        if not changed or len(x) <= 3:
            return x


def _siril_pass(x, gone, centre, low, high):
    n, kept = len(x), []
    for value, c in zip(x, np.broadcast_to(centre, n), strict=True):
        if n - gone > 4 and (c - value > low or value - c > high):
            gone += 1
        else:
            kept.append(value)
    return np.array(kept), gone, len(kept) != n

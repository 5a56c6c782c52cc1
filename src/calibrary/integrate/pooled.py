"""The noise of a pixel as the pixels of its row tell it, for stacks of few frames."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SAMPLED_COLUMNS = 1024
"""Pixels of a row that are asked: among 3 frames its noise is then known to 2 %."""


def sampled_columns(width: int) -> npt.NDArray[np.intp]:
    """Return the columns to ask, evenly spread; the step is odd, to meet all of a mosaic."""
    step = max(1, width // SAMPLED_COLUMNS)
    return np.arange(0, width, step + (step % 2 == 0))


def row_noise_ratios(samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the ratio of variance to level of each row: the median over its pixels.

    The variance of a pixel is that of its samples (n - 1), its level their median, at least 1
    ADU. The median of a chi-square distributed variance lies below its mean by about
    (1 - 2 / 9(n-1))³ (Wilson and Hilferty 1931), which is taken out. Pixels with samples that are
    not finite are left out; a row without others has ratio 0.

    Parameters
    ----------
    samples
        ``[frames, rows, pixels]``, ADU.

    Returns
    -------
    ratios
        ``[rows]``, ADU.
    """
    n = samples.shape[0]
    if n < 2:
        return np.zeros(samples.shape[1])
    level = np.maximum(np.median(samples, axis=0), 1.0)
    with np.errstate(invalid="ignore"):
        ratio = np.var(samples, axis=0, ddof=1) / level
    valid = np.isfinite(ratio)
    pooled = [float(np.median(r[v])) if v.any() else 0.0 for r, v in zip(ratio, valid, strict=True)]
    median_of_mean = (1.0 - 2.0 / (9.0 * (n - 1))) ** 3
    ratios: npt.NDArray[np.float64] = np.array(pooled) / median_of_mean
    return ratios

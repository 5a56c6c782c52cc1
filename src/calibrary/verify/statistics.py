"""Robust statistics that also hold for samples of a few ADU."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

CLIP_SIGMA = 5.0
"""Far enough out that clipping Gaussian noise does not change its spread (4e-6 of it)."""
_MAD_TO_SIGMA = 1.4826
_ROUNDS = 3
_FIRST_GUESS = 8192
_LEAST_SIGMA = 0.3
"""Rounding to whole ADU alone makes this spread, ADU."""


def mad_sigma(values: Floats) -> float:
    """Return 1.4826 times the median absolute deviation: sigma for Gaussian noise."""
    if values.size == 0:
        return 0.0
    return float(_MAD_TO_SIGMA * np.median(np.abs(values - np.median(values))))


def clipped_stats(values: Floats) -> tuple[float, float]:
    """Return mean and standard deviation within 5 sigma of the median.

    Unlike the median absolute deviation it does not jump with the step of coarse samples.

    Parameters
    ----------
    values : ndarray
        Any shape; not finite ones are left out.

    Returns
    -------
    mean, sigma : float
        In the unit of the values; zeros for no values.
    """
    flat = values.ravel()
    kept = flat[np.isfinite(flat)]
    if kept.size == 0:
        return 0.0, 0.0
    # A first guess needs few values; the rounds that follow take all.
    few = kept[:: max(1, kept.size // _FIRST_GUESS)]
    centre, sigma = float(np.median(few)), mad_sigma(few)
    if sigma == 0.0:
        # More than half of the samples are equal: start from the ordinary spread.
        sigma = float(kept.std(dtype=np.float64))
    for _ in range(_ROUNDS):
        inside = kept[np.abs(kept - centre) <= CLIP_SIGMA * sigma] if sigma > 0 else kept
        if inside.size == 0:
            break
        centre = float(inside.mean(dtype=np.float64))
        # Exact enough in single precision once the level is taken off.
        sigma = float(np.sqrt(np.square(inside - inside.dtype.type(centre)).mean(dtype=np.float64)))
    return centre, sigma


def cell_levels(image: Floats, rows: int, columns: int, step: float = 1.0) -> NDArray[np.float64]:
    """Return the levels of a grid of `rows` × `columns` equal parts of an image.

    A level is the mean within 5 sigma of the part's median: neither cosmic rays nor the step of
    coarse samples move it.

    Parameters
    ----------
    image : ndarray (height, width)
        At least one pixel to each part; what is over at the end is left out.
    rows, columns : int
        Parts along each side.
    step : float
        What 1 ADU is in the unit of the image.

    Returns
    -------
    ndarray (rows, columns) float64
    """
    high, wide = image.shape[0] // rows, image.shape[1] // columns
    blocks = image[: high * rows, : wide * columns].reshape(rows, high, columns, wide)
    parts = blocks.transpose(0, 2, 1, 3).reshape(rows, columns, high * wide)
    centre = np.median(parts, axis=-1, keepdims=True)
    away = parts - centre
    limit = CLIP_SIGMA * max(_MAD_TO_SIGMA * float(np.median(np.abs(away))), _LEAST_SIGMA * step)
    levels: NDArray[np.float64] = np.clip(away, -limit, limit).mean(
        axis=-1, dtype=np.float64
    ) + centre[..., 0].astype(np.float64)
    return levels

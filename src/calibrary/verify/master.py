"""Figures and plots of a master by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibrary.records import FrameType
from calibrary.verify.hot import find_hot_pixels
from calibrary.verify.sampling import sample_positions
from calibrary.verify.statistics import cell_levels, clipped_stats

MASTER_SAMPLE = 1 << 20
"""Pixels from which levels and shape are taken: quantiles good to 0.1 %."""
GRID = (24, 32)
"""Rows and columns of the evenness map."""
PROFILE_POINTS = 128
HISTOGRAM_BINS = 128
LEAST_LEVEL = 3.0
"""Level of a dark, in units of its pixels' spread, from which on its evenness is told."""
HISTOGRAM_REACH = 4.0
"""The histogram goes so many times further up than down: hot pixels would make it one bin wide."""

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MasterMeasure:
    """What the pixels of a master tell."""

    figures: dict[str, float]
    plots: dict[str, Any]
    plane_levels: list[float]
    """Median at the four places of a Bayer pattern, row by row, ADU; equal for all if mono."""


def measure_master(
    master: Image, frame_type: FrameType, *, bayer_pattern: str | None, full_scale: float
) -> MasterMeasure:
    """Measure level, spread, shape and defects of a master.

    Parameters
    ----------
    master : ndarray (rows, width) float32
        ADU.
    frame_type : FrameType
        Of the frames it was made from.
    bayer_pattern : str, optional
        Levels are taken for each colour where there is one.
    full_scale : float
        ADU at which the camera's samples end.

    Returns
    -------
    MasterMeasure
        Figures by dotted name, plots as the report takes them.
    """
    at_row, at_column = sample_positions(master.shape[0], master.shape[1], MASTER_SAMPLE)
    sample = master[np.ix_(at_row, at_column)]
    finite = np.isfinite(sample)
    if not finite.all():
        sample = np.where(finite, sample, np.median(sample[finite]) if finite.any() else 0.0)
    figures = _levels(sample, full_scale)
    figures["level.nonfinite"] = float(1.0 - finite.mean())
    planes = _plane_levels(sample, bayer_pattern)
    even = _over_planes(sample, planes)
    rows, columns = (min(g, s) for g, s in zip(GRID, even.shape, strict=True))
    step = 1.0 / max(figures["level.median"], 1.0)
    grid = cell_levels(even, rows, columns, step)
    plots = {
        "histogram": _histogram(sample),
        "uniformity": {"grid": _digits(grid)},
        "profile": _profile(even, "", step)
        if frame_type is FrameType.FLAT
        else _profile(sample, "ADU"),
    }
    if frame_type is FrameType.FLAT:
        figures |= _flat_shape(sample, even, grid, full_scale)
    elif frame_type in (FrameType.DARK, FrameType.DARKFLAT):
        # Nothing is even or uneven about a level that the bias was already taken from.
        if figures["level.median"] > LEAST_LEVEL * figures["level.sigma"]:
            low, high = np.percentile(grid, (10, 90))
            figures["level.uniformity"] = float(high - low)
        figures["level.dark_fraction"] = figures["level.median"] / full_scale
        figures["dark.glow"] = float(grid.max() - 1.0) * figures["level.median"]
        plots["hot_pixels"] = _hot_pixels(master, figures)
    else:
        figures["level.bias_fraction"] = figures["level.median"] / full_scale
    return MasterMeasure(figures, plots, planes)


def _levels(sample: Image, full_scale: float) -> dict[str, float]:
    median = float(np.median(sample))
    _, sigma = clipped_stats(sample)
    return {
        "level.median": median,
        "level.mean": float(sample.mean(dtype=np.float64)),
        "level.stddev": float(sample.std(dtype=np.float64)),
        "level.sigma": sigma,
        "level.min": float(sample.min()),
        "level.max": float(sample.max()),
        "level.saturated": float((sample >= 0.999 * full_scale).mean()),
        "level.constant": float((sample == np.float32(median)).mean()),
    }


def _plane_levels(sample: Image, bayer_pattern: str | None) -> list[float]:
    if bayer_pattern is None:
        return [float(np.median(sample))] * 4
    return [float(np.median(sample[k // 2 :: 2, k % 2 :: 2])) for k in range(4)]


def _over_planes(sample: Image, planes: list[float]) -> Image:
    """Return the sample over the level of its colour."""
    even = np.empty_like(sample)
    for k, level in enumerate(planes):
        part = (slice(k // 2, None, 2), slice(k % 2, None, 2))
        even[part] = sample[part] / np.float32(level if level > 0 else 1.0)
    return even


def _flat_shape(
    sample: Image, even: Image, grid: NDArray[np.float64], full_scale: float
) -> dict[str, float]:
    rows, columns = grid.shape
    y = np.broadcast_to(np.linspace(-0.5, 0.5, rows)[:, None], grid.shape).ravel()
    x = np.broadcast_to(np.linspace(-0.5, 0.5, columns)[None, :], grid.shape).ravel()
    # Vignetting is even about the middle; what is left in the linear terms is a gradient.
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y], axis=1)
    fit = np.linalg.lstsq(terms, grid.ravel(), rcond=None)[0]
    centre = grid[rows // 3 : -(rows // 3) or None, columns // 3 : -(columns // 3) or None].mean()
    corners = grid[:: max(rows - 1, 1), :: max(columns - 1, 1)].mean()
    stddev = [float(sample[k // 2 :: 2, k % 2 :: 2].std(dtype=np.float64)) for k in range(4)]
    return {
        "flat.stddev": max(stddev) / full_scale,
        "flat.gradient": float(np.hypot(fit[1], fit[2]) / max(abs(fit[0]), 1e-6)),
        "flat.falloff": float(1.0 - corners / max(centre, 1e-6)),
        "flat.cold_fraction": float((even < 0.5).mean()),
    }


def _hot_pixels(master: Image, figures: dict[str, float]) -> dict[str, Any]:
    hot = find_hot_pixels(master)
    figures["hot.count"] = float(hot.count)
    figures["hot.fraction"] = hot.count / master.size
    figures["hot.sigma"] = hot.sigma
    return {
        "x": hot.columns.tolist(),
        "y": hot.rows.tolist(),
        "value": _digits(hot.values, 4),
        "width": master.shape[1],
        "height": master.shape[0],
        "count": hot.count,
    }


def _histogram(sample: Image) -> dict[str, Any]:
    low, middle, high = np.percentile(sample, (0.05, 50.0, 99.95))
    high = min(high, middle + HISTOGRAM_REACH * (middle - low)) if middle > low else high
    if not high > low:
        low, high = low - 0.5, high + 0.5
    # In float32 the values of an all but constant master are too few for so many bins.
    wide = sample.astype(np.float64)
    counts, edges = np.histogram(wide, HISTOGRAM_BINS, (float(low), float(high)))
    return {
        "edges_adu": _digits(edges),
        "counts": counts.tolist(),
        "above": float(f"{(sample > high).mean():.3g}"),
    }


def _profile(image: Image, unit: str, step: float = 1.0) -> dict[str, Any]:
    high, wide = image.shape
    across = image[high // 3 : high - high // 3]
    down = image[:, wide // 3 : wide - wide // 3]
    return {
        "rows": _digits(cell_levels(across, 1, min(PROFILE_POINTS, wide), step)[0]),
        "columns": _digits(cell_levels(down, min(PROFILE_POINTS, high), 1, step)[:, 0]),
        "unit": unit,
    }


def _digits(values: NDArray[Any], digits: int = 6) -> list[Any]:
    """Return nested lists of numbers with so many significant digits."""
    if values.ndim > 1:
        return [_digits(row, digits) for row in values]
    return [float(f"{value:.{digits}g}") for value in values]

"""The samples of a group seen together: each frame against the median of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calibrary.verify.sampling import Sample
from calibrary.verify.statistics import cell_levels, clipped_stats, mad_sigma

CELLS = 8
"""The large-scale grid has 8 × 8 parts."""
SIGNIFICANT = 6.0
"""A slope or departure below so many times its own uncertainty counts as nothing."""
OUTLIER_SCATTER = 8.0
"""A level stands out beyond so many times the scatter of the group's levels ..."""
OUTLIER_NOISE = 10.0
"""... or beyond so many times a frame's noise."""
MAX_PAIRS = 8
"""Pairs of frames from which the noise of a single one is measured."""

Maps = NDArray[np.float64]


@dataclass(frozen=True)
class GroupSample:
    """Figures of the frames of a group; arrays have one value for each of `index`."""

    index: list[int]
    """Places of the frames in the group's list."""
    levels: Maps
    """ADU."""
    noise: Maps
    """Fine-scale spread about the group's median frame, ADU."""
    noise_ratios: Maps
    """That over the group's, after what a flat's level makes of shot noise."""
    departures: Maps
    """Largest significant departure from the group's large-scale shape, fraction of the level."""
    frame_noise: float
    """Noise of a single frame from differences of pairs, ADU."""
    figures: dict[str, float] = field(default_factory=dict)
    plane_levels: list[float] = field(default_factory=list)
    plane_noise: list[float] = field(default_factory=list)


def examine_group(samples: Mapping[int, Sample], *, flat: bool) -> GroupSample:
    """Compare the samples of a group with one another.

    Parameters
    ----------
    samples : mapping
        Place in the group to sample; samples of equal shape, in the order they were taken.
    flat : bool
        Frames are scaled to a common level, and departures are fractions of it.
    """
    index = list(samples)
    stack = np.stack([samples[i].data for i in index])
    raw_levels = np.array([float(np.median(image)) for image in stack])
    scale = _scales(raw_levels) if flat else np.ones(len(index))
    if flat:
        stack *= scale[:, None, None].astype(np.float32)
    usual = np.median(stack, axis=0)
    stack -= usual
    base = float(np.median(usual))
    shifts = np.array([clipped_stats(residual)[0] for residual in stack])
    noise = np.array([_fine_noise(residual) for residual in stack])
    levels = raw_levels if flat else base + shifts
    shot = np.sqrt(scale) if flat else np.ones(len(index))
    ratios = _ratios(noise / np.where(shot > 0, shot, 1.0))
    cells = _cell_residuals(stack, shifts)
    frame_noise = _pair_noise(stack)
    figures = {"noise.frame": frame_noise, "inputs.noise_ratio": _largest_ratio(ratios)}
    departures = _departures(cells, base) if flat else np.zeros(len(index))
    if flat:
        figures["inputs.unevenness"] = float(departures.max())
        figures["inputs.lamp_drift"] = _drift(raw_levels) / max(float(np.median(raw_levels)), 1.0)
    elif frame_noise > 0:
        figures["inputs.level_drift"] = _drift(levels) / frame_noise
        figures["inputs.level_outlier"] = _outlier(levels, frame_noise) / frame_noise
        figures["inputs.leak"] = _growth(cells) / frame_noise
    planes = [_plane(stack, usual, place) for place in range(4)] if flat else []
    return GroupSample(
        index,
        levels,
        noise,
        ratios,
        departures,
        frame_noise,
        figures,
        [level for level, _ in planes],
        [sigma for _, sigma in planes],
    )


def _fine_noise(residual: NDArray[np.float32]) -> float:
    """Return the noise from neighbouring columns, which share light, cloud and row noise."""
    if residual.shape[1] < 2:
        return 0.0
    difference = residual[:, 1::2] - residual[:, : residual.shape[1] // 2 * 2 : 2]
    return clipped_stats(difference)[1] / float(np.sqrt(2))


def _scales(levels: Maps) -> Maps:
    usual = float(np.median(levels))
    return np.where(levels > 0, usual / np.where(levels > 0, levels, 1.0), 1.0)


def _ratios(noise: Maps) -> Maps:
    usual = float(np.median(noise))
    return noise / usual if usual > 0 else np.ones_like(noise)


def _largest_ratio(ratios: Maps) -> float:
    return float(max(ratios.max(), 1.0 / max(ratios.min(), 1e-3)))


def _cell_residuals(stack: NDArray[np.float32], shifts: Maps) -> Maps:
    """Return the large-scale residual maps [frames, cells, cells], each frame's shift removed."""
    rows, columns = (min(CELLS, side) for side in stack.shape[1:])
    maps = np.stack([cell_levels(residual, rows, columns) for residual in stack])
    return maps - shifts[:, None, None]


def _departures(cells: Maps, level: float) -> Maps:
    if level <= 0 or len(cells) < 3:
        return np.zeros(len(cells))
    relative = np.abs(cells - np.median(cells, axis=0)) / level
    uncertainty = mad_sigma(cells - np.median(cells, axis=0)) / level
    largest = relative.reshape(len(cells), -1).max(axis=1)
    return np.where(largest > SIGNIFICANT * uncertainty, largest, 0.0)


def _slope(values: Maps) -> tuple[Maps, float]:
    """Return the change from first to last of series along axis 0, and its uncertainty."""
    n = len(values)
    time = np.linspace(-0.5, 0.5, n)
    centred = values - values.mean(axis=0)
    slope = np.tensordot(time, centred, axes=1) / float(time @ time)
    rest = centred - np.multiply.outer(time, slope)
    sigma = float(np.sqrt((rest**2).mean() * n / max(n - 2, 1) / float(time @ time)))
    return slope, sigma


def _growth(cells: Maps) -> float:
    if len(cells) < 4:
        return 0.0
    slope, sigma = _slope(cells)
    largest = float(np.abs(slope).max())
    return largest if largest > SIGNIFICANT * sigma else 0.0


def _drift(levels: Maps) -> float:
    if len(levels) < 4:
        return 0.0
    slope, sigma = _slope(levels)
    return float(abs(slope)) if abs(slope) > SIGNIFICANT * sigma else 0.0


def _outlier(levels: Maps, frame_noise: float) -> float:
    largest = float(np.abs(levels - np.median(levels)).max())
    # Where half a group is of another kind its levels scatter too much for any to stand out.
    least = min(OUTLIER_SCATTER * mad_sigma(levels), OUTLIER_NOISE * frame_noise)
    return largest if largest > least else 0.0


def _pairs(stack: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return differences of neighbouring frames, over the root of two."""
    count = min(len(stack) // 2, MAX_PAIRS)
    starts = np.linspace(0, len(stack) - 2, count).astype(int)
    return [(stack[k + 1] - stack[k]) / np.float32(np.sqrt(2)) for k in starts]


def _pair_noise(stack: NDArray[np.float32]) -> float:
    sigmas = [clipped_stats(pair)[1] for pair in _pairs(stack)]
    return float(np.median(sigmas)) if sigmas else 0.0


def _plane(
    stack: NDArray[np.float32], usual: NDArray[np.float32], place: int
) -> tuple[float, float]:
    """Return level and single-frame noise at one place of the 2 × 2 pattern, ADU."""
    part = (slice(place // 2, None, 2), slice(place % 2, None, 2))
    return float(np.median(usual[part])), _pair_noise(stack[(slice(None), *part)])

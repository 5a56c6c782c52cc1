"""The scale of frames as Siril 1.0.6 measures it (``-norm=mul``).

Source: ``stacking/normalization.c``, ``algos/statistics_float.c`` (IKSSlite) and
``rt/rt_algo.cc`` (findMinMaxPercentile) of Siril. Its median comes from a histogram, and its steps
are in single precision: the factors, and with them the rounded samples, are only reproduced that
way.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from calibrary.formats.layout import ADU_FULL_SCALE
from calibrary.integrate.frames import Frames
from calibrary.integrate.levels import Levels, row_planes

MAD_LIMIT = 6.0
"""Samples further from the median, in median absolute deviations, do not count."""
_HISTOGRAM = 65536

Samples = npt.NDArray[np.float32]


def measure_siril_levels(frames: Frames, calibrator: Samples | None, threads: int) -> Levels:
    """Measure the location of each frame and channel; scale all to that of the first frame.

    Reads every frame whole.

    Parameters
    ----------
    calibrator
        ``[rows, width]``, ADU, or ``None``.

    Raises
    ------
    FrameLostError
        A frame cannot be read.
    """
    layout = frames.layout

    def measure(index: int) -> list[float]:
        image = np.empty((layout.rows, layout.width), np.float32)
        frames.read_adu(index, 0, layout.rows, image)
        if calibrator is not None:
            image -= calibrator
        image *= np.float32(1.0 / ADU_FULL_SCALE)
        return [location(plane) for plane in image.reshape(layout.channels, -1)]

    with ThreadPoolExecutor(threads) as pool:
        level = np.array(list(pool.map(measure, range(len(frames)))))
    factor = np.where(level == 0.0, 1.0, level[0] / np.where(level == 0.0, 1.0, level))
    planes = row_planes(layout.height, layout.channels, mosaic=False)
    return Levels(level * ADU_FULL_SCALE, factor, planes)


def location(samples: Samples) -> float:
    """Return Siril's location of samples: the median of those not far from the median.

    Zeros are no samples.
    """
    valid = samples[samples != 0]
    if not valid.size:
        return 0.0
    middle = np.float32(histogram_median(valid))
    spread = np.float32(histogram_median(np.abs(valid - middle)))
    low = np.float32(float(middle) - MAD_LIMIT * float(spread))
    high = np.float32(float(middle) + MAD_LIMIT * float(spread))
    return histogram_median(valid[(valid >= low) & (valid <= high)])


def histogram_median(samples: Samples) -> float:
    """Return the median of a histogram of at most 65536 bins, interpolated within its bin."""
    bottom, top = samples.min(), samples.max()
    if bottom == top:
        return float(bottom)
    bins = min(_HISTOGRAM, samples.size)
    scale = np.float32(np.float32(bins - 1) / np.float32(top - bottom))
    places = (scale * (samples - bottom)).astype(np.uint16)
    counts = np.cumsum(np.bincount(places, minlength=bins))
    half = np.float32(0.5) * np.float32(samples.size)
    k = int(np.searchsorted(counts, half)) + 1
    above = np.float32(counts[k - 1] - half)
    below = np.float32(half - (counts[k - 2] if k > 1 else 0))
    place = np.float32((below * np.float32(k) + above * np.float32(k - 1)) / (above + below))
    return float(np.clip(np.float32(place / scale + bottom), bottom, top))

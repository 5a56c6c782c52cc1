"""A master against the last one of the same setup."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from calibrary.records import FrameType
from calibrary.verify.master import MASTER_SAMPLE
from calibrary.verify.sampling import sample_positions
from calibrary.verify.statistics import clipped_stats

DIFFERENT_SIGMA = 6.0
"""BANZAI counts pixels that differ by more."""
DIFFERENT_FLAT = 0.05
"""A flat's pixel that changed by more has a new dust shadow, or a new place in the light path."""


def compare_previous(
    master: NDArray[np.float32],
    previous: NDArray[np.float32],
    frame_type: FrameType,
    figures: Mapping[str, float],
) -> dict[str, float]:
    """Compare a master with its predecessor, levels set equal.

    Parameters
    ----------
    master, previous : ndarray (rows, width) float32
        ADU.
    frame_type : FrameType
        Flats are compared by ratio, all others by difference.
    figures : mapping
        What is known of the master; ``noise.frame`` sets the scale of a change of level.
    """
    at = np.ix_(*sample_positions(master.shape[0], master.shape[1], MASTER_SAMPLE))
    new, old = master[at].astype(np.float64), previous[at].astype(np.float64)
    level, before = float(np.median(new)), float(np.median(old))
    if frame_type is FrameType.FLAT:
        if level <= 0 or before <= 0:
            return {}
        ratio = np.divide(new / level, old / before, out=np.ones_like(new), where=old > 0)
        return {"previous.fraction": float((np.abs(ratio - 1.0) > DIFFERENT_FLAT).mean())}
    change = new - old
    centre, sigma = clipped_stats(change)
    far = np.abs(change - centre) > DIFFERENT_SIGMA * max(sigma, 1e-6)
    found = {"previous.fraction": float(far.mean()), "previous.shift": level - before}
    single = figures.get("noise.frame")
    if single:
        found["previous.level"] = abs(level - before) / single
    return found

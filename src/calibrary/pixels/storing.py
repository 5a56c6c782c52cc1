"""How samples fit into [0, 1]: the pedestal they need, and which pixels are missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from calibrary.formats.cards import ADDED_PEDESTAL, MISSING_PIXELS
from calibrary.formats.layout import ADU_FULL_SCALE
from calibrary.pixels.master import CardLike
from calibrary.records import CalibraryError

CLIPPED_SHARE = 1e-4
"""A larger share of negative samples gets a pedestal; a smaller one is set to 0. The limit of
PixInsight's ImageCalibration."""
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Storing:
    """What is done so that a file can hold the samples of a master."""

    pedestal: int
    """ADU to add."""
    missing: int
    """Pixels without a sample."""


def storing_of(
    path: Path, data_adu: npt.NDArray[np.float32], *, in_unit_range: bool, is_flat: bool
) -> Storing:
    """Return how the samples of a master are to be stored.

    Parameters
    ----------
    path
        For the error's text.
    data_adu
        Any shape, float32, ADU.
    in_unit_range
        Samples are written as floats in [0, 1].
    is_flat
        A flat gets no pedestal: where it has no light it divides nothing.

    Raises
    ------
    CalibraryError
        The samples span more than 65535 ADU.
    """
    samples = data_adu.reshape(-1)
    missing = not_positive = negative = above = 0
    for start in range(0, samples.size, _CHUNK):
        piece = samples[start : start + _CHUNK]
        missing += piece.size - int(np.count_nonzero(np.isfinite(piece)))
        not_positive += int(np.count_nonzero(piece <= 0))
        negative += int(np.count_nonzero(piece < 0))
        above += int(np.count_nonzero(piece > ADU_FULL_SCALE))
    if not in_unit_range or is_flat or missing == samples.size:
        return Storing(0, missing)
    allowed = int(CLIPPED_SHARE * samples.size)
    finite = samples[np.isfinite(samples)] if max(not_positive, above) else samples[:0]
    pedestal = 0
    # A missing pixel is told by its 0, which no sample may then have.
    if not_positive if missing else negative > allowed:
        least = 0 if missing else allowed
        pedestal = max(0, math.floor(-float(np.partition(finite, least)[least])) + 1)
        # What was saturated stays so.
        near = (finite > ADU_FULL_SCALE - pedestal) & (finite < ADU_FULL_SCALE)
        above = int(np.count_nonzero(near))
    if above > allowed:
        raise CalibraryError(
            f"{path}: its samples go from {finite.min():.0f} to {finite.max():.0f} ADU, which do "
            "not fit into [0, 1]; set output.format to fits, and fits_units to adu"
        )
    return Storing(pedestal, missing)


def with_marks(cards: Sequence[CardLike], storing: Storing) -> list[CardLike]:
    """Return the cards of a master with what was done to its samples."""
    marked = list(cards)
    if storing.pedestal:
        told = next((value for keyword, value, _ in cards if keyword == "PEDESTAL"), None)
        before = float(told) if isinstance(told, int | float) else 0.0
        total = math.copysign(abs(before) + storing.pedestal, before)
        whole = int(total) if total.is_integer() else total
        marked.append(("PEDESTAL", whole, "[ADU] added to the pixels"))
        marked.append((ADDED_PEDESTAL, storing.pedestal, "[ADU] of it added to this master alone"))
    if storing.missing:
        marked.append(
            (MISSING_PIXELS, storing.missing, "pixels without a sample: 0 in XISF, NaN in FITS")
        )
    return marked

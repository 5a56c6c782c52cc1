"""What a dark adds to its bias."""

from __future__ import annotations

from collections.abc import Mapping

BEYOND_NOISE = 3.0
"""Signal of a dark, in units of a frame's noise, that may be a difference of level."""


def dark_figures(
    figures: Mapping[str, float],
    bias_level: float,
    exposure_s: float | None,
    egain: float | None,
) -> dict[str, float]:
    """Return signal and rate of a dark above a bias of the same settings.

    It needs no pixels: a bias that is made later, or found in the library, will do.

    Parameters
    ----------
    figures : mapping
        Figures of the dark: ``level.median`` and, if known, ``noise.frame``, ADU.
    bias_level : float
        Median of the bias master, ADU.
    exposure_s : float, optional
        Exposure of the dark.
    egain : float, optional
        Conversion gain, e-/ADU.

    Returns
    -------
    dict
        ``dark.signal`` (ADU), ``level.above_bias`` (in units of a frame's noise), ``dark.rate``
        (ADU/s), ``dark.rate_e`` (e-/s), ``dark.light`` (ADU/s of what is beyond noise), as far as
        they can be told.
    """
    signal = figures["level.median"] - bias_level
    found = {"dark.signal": signal}
    single = figures.get("noise.frame")
    if single:
        found["level.above_bias"] = signal / single
    if exposure_s:
        found["dark.rate"] = signal / exposure_s
        if single:
            # A bias may differ from short darks by some of its noise, whatever the exposure.
            found["dark.light"] = max(signal - BEYOND_NOISE * single, 0.0) / exposure_s
        if egain:
            found["dark.rate_e"] = found["dark.rate"] * egain
    return found

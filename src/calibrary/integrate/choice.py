"""Which rejection a group gets: `auto`, the defaults of each method, and the named profiles.

Nothing is compiled or imported here but tables, so that planning stays quick.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from calibrary.records import CalibraryError, FrameType


@dataclass(frozen=True, slots=True)
class Rejection:
    """A rejection method with all its parameters; see `calibrary.integrate.rejections`."""

    method: str
    low: float = 0.0
    """In the method's own unit: spreads, a fraction of the level, or a number of samples."""
    high: float = 0.0
    definition: str = "pixinsight"
    """Whose definition: ``pixinsight`` or ``siril``."""
    cutoff: float = 5.0
    """Winsorisation: samples further out, in spreads, count as the location; 0: none does."""
    outliers: float = 0.3
    """ESD: the largest fraction of the samples that may be outliers."""
    alpha: float = 0.05
    """ESD: the probability of finding an outlier where there is none."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Rejection:
        """Build it from what `resolve` returned; other keys are left alone."""
        return cls(**{k: v for k, v in data.items() if k in cls.__slots__})


DEFAULT_LIMITS: Mapping[str, tuple[float, float]] = {
    "none": (0.0, 0.0),
    "minmax": (1.0, 1.0),
    "percentile": (0.2, 0.1),
    "sigma": (4.0, 3.0),
    "winsorized": (4.0, 3.0),
    "averaged_sigma": (4.0, 3.0),
    "linear_fit": (5.0, 4.0),
    "esd": (0.0, 0.0),
    "median": (0.0, 0.0),
}
"""Low and high limit where the user gives none; those of PixInsight's ImageIntegration."""

_SIRIL_LIMITS: Mapping[str, tuple[float, float]] = {
    "sigma": (3.0, 3.0),
    "winsorized": (3.0, 3.0),
    "linear_fit": (5.0, 5.0),
    "percentile": (0.2, 0.1),
}
_SIRIL_METHODS = frozenset({"sigma", "winsorized", "linear_fit"})

FEWEST_FOR_WINSORIZED = 8
"""Below, a pixel's own samples tell too little about its noise: its row is asked."""
FEWEST_FOR_SIGMA = 15
"""Among n samples a single outlier raises the deviation it is measured by: a limit of 3 finds it
from 9 / (1 - 9/n) variances on, that is 4.7 standard deviations among 15, 9.5 among 10."""
FEWEST_TO_REJECT = 3


def _calibrary(frame_type: FrameType, n: int) -> Rejection:
    """Choose by what can be known about the noise of one pixel from `n` samples.

    Up to 7 the noise is pooled over the row (averaged sigma); up to 14 it is winsorised, because
    outliers inflate a plain deviation; from 15 on plain sigma clipping finds what matters, and
    rejects fewer good samples. The type does not matter: bias, dark and flat differ in level, not
    in the shape of their noise.
    """
    del frame_type
    if n < FEWEST_TO_REJECT:
        return Rejection("none")
    if n < FEWEST_FOR_WINSORIZED:
        return Rejection("averaged_sigma", 4.0, 3.0)
    return Rejection("winsorized" if n < FEWEST_FOR_SIGMA else "sigma", 4.0, 3.0)


def _anawbpps(frame_type: FrameType, n: int) -> Rejection:
    """Linear fit whatever the number of frames: 5 / 2.5 for flats, 4 / 2 for all others."""
    del n
    low, high = (5.0, 2.5) if frame_type is FrameType.FLAT else (4.0, 2.0)
    return Rejection("linear_fit", low, high)


def _wbpp(frame_type: FrameType, n: int) -> Rejection:
    """Do as WBPP 2.9 and 3.0.

    Percentile below 6 frames, winsorised up to 15 and for bias and dark, else linear fit.
    """
    if n < 6:
        return Rejection("percentile", 0.2, 0.1)
    dark = frame_type in (FrameType.BIAS, FrameType.DARK, FrameType.DARKFLAT)
    if n <= 15 or dark:
        return Rejection("winsorized", 4.0, 3.0)
    return Rejection("linear_fit", 5.0, 4.0)


def _siril(frame_type: FrameType, n: int) -> Rejection:
    """Siril has no automatic choice; its scripts stack everything with ``rej 3 3``."""
    del frame_type, n
    return Rejection("winsorized", 3.0, 3.0, definition="siril")


_PROFILES = {"calibrary": _calibrary, "anawbpps": _anawbpps, "wbpp": _wbpp, "siril": _siril}


def resolve(frame_type: FrameType, n: int, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Decide everything about one integration.

    Parameters
    ----------
    frame_type
        Of the group.
    n
        Number of frames.
    settings
        ``profile``, ``rejection`` (may be ``auto``), ``low``, ``high`` (``None``: the
        default) and ``normalization``.

    Returns
    -------
    integration
        Plain data: the fields of `Rejection`, and ``profile``, ``normalization``. With it the
        result of an integration is fixed.

    Raises
    ------
    CalibraryError
        The settings ask for what does not exist.
    """
    profile, name = settings.get("profile") or "calibrary", settings.get("rejection") or "auto"
    if profile not in _PROFILES:
        raise CalibraryError(
            f"integration profile '{profile}' is unknown; allowed: {', '.join(_PROFILES)}"
        )
    rejection = _PROFILES[profile](frame_type, n) if name == "auto" else _named(name, profile)
    limits = {k: float(settings[k]) for k in ("low", "high") if settings.get(k) is not None}
    return {
        **asdict(rejection),
        **limits,
        "profile": profile,
        "normalization": settings.get("normalization") or "none",
    }


def _named(name: str, profile: str) -> Rejection:
    if name not in DEFAULT_LIMITS:
        raise CalibraryError(
            f"rejection '{name}' is unknown; allowed: auto, {', '.join(DEFAULT_LIMITS)}"
        )
    if profile == "siril":
        low, high = _SIRIL_LIMITS.get(name, DEFAULT_LIMITS[name])
        definition = "siril" if name in _SIRIL_METHODS else "pixinsight"
        return Rejection(name, low, high, definition=definition)
    return Rejection(name, *DEFAULT_LIMITS[name])


def esd_critical_values(n: int, outliers: float, alpha: float) -> list[float]:
    """Return the critical values of the generalised ESD test, one for each possible outlier.

    Source: NIST/SEMATECH e-Handbook 1.3.5.17.3, from Student's t distribution.
    """
    # Imported here: no other method needs scipy.
    from scipy.special import stdtrit

    values = []
    for i in range(1, min(int(outliers * n), n - 2) + 1):
        t = float(stdtrit(n - i - 1, 1.0 - alpha / (2.0 * (n - i + 1))))
        values.append((n - i) * t / math.sqrt((n - i - 1 + t * t) * (n - i + 1)))
    return values

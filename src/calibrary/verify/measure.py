"""Everything that is measured of a candidate, with its inputs and its predecessor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from calibrary.checks import QC_KEYWORDS
from calibrary.records import FrameType, GroupPlan
from calibrary.records.keys import missing_keys
from calibrary.verify.dark import dark_figures
from calibrary.verify.inputs import FrameCheck, InputCheck
from calibrary.verify.master import MasterMeasure, measure_master
from calibrary.verify.previous import compare_previous

LEAST_REJECTED = 0.002
"""Shares of rejected samples below this do not stand out, whatever the median frame loses."""

Image = NDArray[np.float32]


class HalfDifferences(Protocol):
    """What odd and even frames tell of noise."""

    def noise(self) -> dict[int, float]:
        """Return the noise of the master after so many frames, ADU."""


class FrameStats(Protocol):
    """What verification needs to know of one frame that was combined."""

    @property
    def path(self) -> str:
        """As in the work order."""

    @property
    def scale(self) -> float:
        """Factor its samples were multiplied by."""

    @property
    def fraction(self) -> float:
        """Share of its samples that were rejected."""


class Integration(Protocol):
    """What verification needs to know of how a master came about."""

    @property
    def frames(self) -> Sequence[FrameStats]:
        """The frames that were combined."""

    @property
    def dropped(self) -> Sequence[tuple[str, str]]:
        """Frames that could not be combined after all, with the reason."""

    @property
    def halves(self) -> HalfDifferences:
        """Half differences of odd and even frames."""


def measure(
    plan: GroupPlan,
    master: Image,
    integration: Integration,
    inputs: InputCheck,
    *,
    previous: Image | None = None,
    bias_level: float | None = None,
    minimum: int | None = None,
) -> dict[str, Any]:
    """Measure a candidate.

    Parameters
    ----------
    plan : GroupPlan
        The work order.
    master : ndarray (rows, width) float32
        The candidate, ADU.
    integration : Integration
        How it came about: noise from halves, rejected samples of each frame.
    inputs : InputCheck
        What `check_frames` said of the inputs.
    previous : ndarray (rows, width), optional
        The last master of the same setup and settings, ADU.
    bias_level : float, optional
        Median of the bias master of the same settings, ADU; for darks.
    minimum : int, optional
        Smallest good number of frames.

    Returns
    -------
    dict
        ``figures`` (dotted name to number), ``frames`` (a record for each input), ``plots`` (as
        the report takes them) and ``facts`` (what is judged without a limit); plain data for JSON.
    """
    measured = measure_master(
        master,
        plan.frame_type,
        bayer_pattern=plan.keys.bayer_pattern,
        full_scale=inputs.full_scale,
    )
    figures = {**inputs.figures, **measured.figures}
    if minimum is not None:
        figures["frames.minimum"] = float(minimum)
    figures |= _rejection(plan, integration)
    figures["frames.n"] = float(len(integration.frames))
    noise_by_n = integration.halves.noise()
    figures |= _noise(plan, figures, noise_by_n.get(len(integration.frames)))
    figures |= _by_type(plan, figures, measured, inputs, bias_level)
    if previous is not None and previous.shape == master.shape:
        figures |= compare_previous(master, previous, plan.frame_type, figures)
    return {
        "figures": {name: _short(value) for name, value in sorted(figures.items())},
        "frames": _frames(inputs, integration),
        "plots": {**measured.plots, "noise": _noise_plot(figures, noise_by_n)},
        "facts": facts(plan),
    }


def facts(plan: GroupPlan) -> dict[str, Any]:
    """Return what the verdict takes from the work order itself."""
    calibrator = plan.calibrator
    return {
        "frame_type": plan.frame_type.value,
        "exposures": list(plan.exposures),
        "missing": missing_keys(plan.keys, plan.frame_type, plan.first_date_obs),
        "calibrator": None
        if calibrator is None
        else {"kind": calibrator.kind.value, "reason": calibrator.reason},
    }


def qc_cards(measured: Mapping[str, Any]) -> list[tuple[str, float, str]]:
    """Return the figures that go into the header of a master: keyword, value, comment.

    The trends of a sensor's health are read from these alone.
    """
    figures = measured["figures"]
    return [
        (keyword, float(figures[name]), comment)
        for name, (keyword, comment) in QC_KEYWORDS.items()
        if figures.get(name) is not None and math.isfinite(figures[name])
    ]


def _rejection(plan: GroupPlan, integration: Integration) -> dict[str, float]:
    shares = np.array([f.fraction for f in integration.frames])
    if shares.size == 0:
        return {}
    usual = max(float(np.median(shares)), LEAST_REJECTED)
    return {
        "rejection.fraction": float(shares.mean()),
        "rejection.excess": float(shares.mean()) - _taken_anyway(plan, shares.size),
        "rejection.frame_max": float(shares.max()),
        "rejection.frame_ratio": float(shares.max() / usual),
    }


def _taken_anyway(plan: GroupPlan, n: int) -> float:
    """Return the share of samples that min/max rejection takes whatever they are."""
    if plan.integration.get("method") != "minmax":
        return 0.0
    taken = float(plan.integration["low"]) + float(plan.integration["high"])
    return min(1.0, taken / n)


def _noise(
    plan: GroupPlan, figures: Mapping[str, float], measured: float | None
) -> dict[str, float]:
    """Compare the master's noise, from odd and even halves, with the square-root law."""
    single, n = figures.get("noise.frame", 0.0), figures["frames.n"]
    if measured is None or not math.isfinite(measured) or not single or not n:
        return {}
    kept = n * (1.0 - figures.get("rejection.fraction", 0.0))
    predicted = single / math.sqrt(kept)
    # Halves are averaged whatever the combination; a median of n has that much more noise.
    median = plan.integration.get("method") == "median"
    loss = math.sqrt(math.pi * n / (2 * n + math.pi - 2)) if median else 1.0
    return {
        "noise.master": measured * loss,
        "noise.predicted": predicted * loss,
        "noise.efficiency": measured / predicted,
    }


def _by_type(
    plan: GroupPlan,
    figures: Mapping[str, float],
    measured: MasterMeasure,
    inputs: InputCheck,
    bias_level: float | None,
) -> dict[str, float]:
    if plan.frame_type is FrameType.FLAT:
        return _flat(plan, figures, measured, inputs)
    single = figures.get("noise.frame", 0.0)
    found: dict[str, float] = {}
    if plan.frame_type is FrameType.BIAS:
        if single:
            found["level.spread"] = figures["level.sigma"] / single
            if plan.keys.egain:
                found["noise.read_e"] = single * plan.keys.egain
        if plan.keys.offset:
            found["level.per_offset"] = figures["level.median"] / plan.keys.offset
        return found
    if bias_level is not None:
        found |= dark_figures(figures, bias_level, plan.keys.exposure_s, plan.keys.egain)
    return found


def _flat(
    plan: GroupPlan, figures: Mapping[str, float], measured: MasterMeasure, inputs: InputCheck
) -> dict[str, float]:
    """Photon transfer: signal, noise and conversion gain of each colour."""
    found: dict[str, float] = {}
    if inputs.plane_levels:
        found["flat.level_low"] = float(np.median(inputs.plane_levels)) / inputs.full_scale
        found["flat.level_high"] = max(inputs.plane_levels) / inputs.full_scale
    pairs = [
        (signal, sigma)
        for signal, sigma in zip(measured.plane_levels, inputs.plane_noise, strict=False)
        if sigma > 0
    ]
    if not pairs:
        return found
    found["flat.frame_snr"] = min(signal / sigma for signal, sigma in pairs)
    loss = max(figures.get("noise.efficiency", 1.0), 1.0)
    kept = figures["frames.n"] * (1.0 - figures.get("rejection.fraction", 0.0))
    found["flat.snr"] = found["flat.frame_snr"] * math.sqrt(kept) / loss
    found["gain.measured"] = float(np.median([signal / sigma**2 for signal, sigma in pairs]))
    if plan.keys.egain and found["gain.measured"] > 0:
        ratio = found["gain.measured"] / plan.keys.egain
        found["gain.ratio"] = max(ratio, 1.0 / ratio)
    return found


def _noise_plot(figures: Mapping[str, float], noise_by_n: Mapping[int, float]) -> dict[str, Any]:
    single = figures.get("noise.frame")
    if not single:
        return {}
    curve = {1: single} | {n: sigma for n, sigma in noise_by_n.items() if math.isfinite(sigma)}
    counts = sorted(curve)
    return {
        "n": counts,
        "measured": [_short(curve[n]) for n in counts],
        "predicted": [_short(single / math.sqrt(n)) for n in counts],
        "unit": "ADU",
    }


def _frames(inputs: InputCheck, integration: Integration) -> list[dict[str, Any]]:
    stats = {str(f.path): f for f in integration.frames}
    dropped = {str(path): reason for path, reason in integration.dropped}
    return [
        _frame(check, stats.get(check.path), dropped.get(check.path)) for check in inputs.frames
    ]


def _frame(check: FrameCheck, stats: FrameStats | None, dropped: str | None) -> dict[str, Any]:
    reason = check.reason or dropped
    return {
        "path": check.path,
        "date_obs": check.date_obs,
        "temp_c": check.temp_c,
        "level": _short(check.level),
        "noise": _short(check.noise),
        "scale": _short(stats.scale) if stats else None,
        "rejected_fraction": _short(stats.fraction) if stats else None,
        "status": "set_aside" if reason else "used",
        "reason": reason or "",
    }


def _short(value: float | None) -> float | None:
    """Return a number of six significant digits; what is not finite is unknown."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.6g}")

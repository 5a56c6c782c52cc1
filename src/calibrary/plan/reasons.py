"""Why a candidate does or does not calibrate a flat, in figures and in words."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any

from calibrary.config import Config
from calibrary.config.model import gap_hours
from calibrary.library.names import decimal
from calibrary.plan.candidates import EXACT_KEYS, KEYS, MEASURED_KEYS, Candidate, Comparison
from calibrary.records import FrameType

_WORDS = {
    "camera_serial": "serial number of the camera",
    "x_binning": "binning in x",
    "y_binning": "binning in y",
    "readout_mode": "readout mode",
    "usb_limit": "USB limit",
    "x_origin": "first column",
    "y_origin": "first row",
    "bayer_pattern": "Bayer pattern",
    "row_order": "row order",
    "samples": "sample format",
}
_REMEDIES = {
    "gain": "if the header lacks it, set it in the overrides",
    "offset": "if the header lacks it, set it in the overrides",
    "use": "take more frames, or lift what the overrides forbid",
    "exposure": "take dark-flats of exactly the flat's exposure",
    "time": "take dark-flats right after the flats, or widen match.window",
    "temperature": "take darks at the flats' temperature, or widen tolerance.temperature",
    "telescope": "name both alike under aliases.telescope, or pin it in the overrides",
    "camera": "name both alike under aliases.camera, or pin it in the overrides",
    "camera_serial": "if it is one camera, name both alike under aliases.camera_serial",
}


def hours(value: float) -> str:
    """Return a time span in words, such as ``4 h 12 min``."""
    minutes = round(abs(value) * 60)
    if minutes < 60:
        return f"{minutes} min" if minutes else f"{round(abs(value) * 3600)} s"
    whole, rest = divmod(minutes, 60)
    if whole >= 48:
        return f"{abs(value) / 24:.1f} days"
    return f"{whole} h {rest} min" if rest else f"{whole} h"


class Explainer:
    """Puts one comparison into figures and words."""

    def __init__(self, flat: Candidate, comparison: Comparison, config: Config) -> None:
        self.flat = flat
        self.comparison = comparison
        self.config = config

    def excluded_by(self, index: int, of: FrameType) -> list[str]:
        """Return the keys that rule a candidate out as a calibrator of the type `of`.

        A dark may be looked at as the dark-flat it would be inside the window.
        """
        flags = self.comparison.excluded[index].tolist()
        keys = [key for key, out in zip(KEYS, flags, strict=True) if out]
        if of is FrameType.DARKFLAT and self.comparison.outside[index] and "time" not in keys:
            delta = abs(self.comparison.temperature_delta[index])
            if not delta > self.config.tolerance.temperature.flat:
                keys = [key for key in keys if key != "temperature"]
            keys.append("time")
        return keys

    def record(self, index: int, candidate: Candidate, of: FrameType) -> dict[str, Any]:
        """Return what is told of a candidate in ``matches.json``."""
        keys = self.excluded_by(index, of)
        return {
            "excluded_by": keys,
            "text": "; ".join(self._sentence(key, index, candidate, of) for key in keys),
            "remedy": _remedy(keys),
            "differences": self._differences(keys, index, candidate, of),
        }

    def _differences(
        self, out: Sequence[str], index: int, candidate: Candidate, of: FrameType
    ) -> dict[str, dict[str, Any]]:
        """Return every key that differs, and every measured one with delta and tolerance."""
        found: dict[str, dict[str, Any]] = {}
        for key in EXACT_KEYS:
            mine, its = self.flat.values[key], candidate.values[key]
            if mine != its and not (key == "samples" and candidate.in_library):
                found[key] = {"flat": mine, "candidate": its, "excludes": key in out}
                if _numeric(mine) and _numeric(its):
                    found[key]["delta"] = its - mine  # type: ignore[operator]
        for key in MEASURED_KEYS:
            delta, tolerance, unit = self._measured(key, index, of)
            found[key] = {
                "delta": _plain(delta),
                "tolerance": _plain(tolerance),
                "unit": unit,
                "excludes": key in out,
            }
        return found

    def _measured(self, key: str, index: int, of: FrameType) -> tuple[float, float, str]:
        c, tolerance = self.comparison, self.config.tolerance
        bias = of is FrameType.BIAS
        if key == "exposure":
            limit = math.nan if bias else float(c.exposure_tolerance[index])
            return float(c.exposure_delta[index]), limit, "s"
        if key == "temperature":
            limit = tolerance.temperature.flat
            if of is FrameType.DARK:
                limit = tolerance.temperature.dark
            return float(c.temperature_delta[index]), math.nan if bias else limit, "°C"
        window = gap_hours(self.config.match.window) if of is FrameType.DARKFLAT else math.nan
        return float(c.time_delta[index]), window, "h"

    def text(self, index: int, candidate: Candidate, of: FrameType) -> str:
        """Return in one line what rules a candidate out, with delta and tolerance."""
        keys = self.excluded_by(index, of)
        return "; ".join(self._sentence(key, index, candidate, of) for key in keys)

    def _sentence(self, key: str, index: int, candidate: Candidate, of: FrameType) -> str:
        if key == "use":
            return candidate.obstacle or "forbidden by the overrides"
        if key in EXACT_KEYS:
            mine, its = _show(self.flat.values[key]), _show(candidate.values[key])
            return f"{_WORDS.get(key, key)} {its} against the flat's {mine}"
        delta, tolerance, unit = self._measured(key, index, of)
        if key == "time":
            if math.isnan(delta):
                return "time of one of the two unknown"
            side = "later" if delta > 0 else "earlier"
            return f"taken {hours(delta)} {side} than the flats, window {hours(tolerance)}"
        field = "exposure_s" if key == "exposure" else "temp_c"
        pair = [_figure(getattr(side, field), unit) for side in (candidate, self.flat)]
        values = f"{key} {pair[0]} against the flat's {pair[1]}"
        if math.isnan(delta):
            return values
        return f"{values}: {_signed(delta)} {unit}, tolerance {_short(tolerance)} {unit}"


def _remedy(keys: Sequence[str]) -> str:
    """Return what would let a candidate in; empty if there is nothing the user can do."""
    if not all(key in _REMEDIES for key in keys):
        return ""
    return "; ".join(_REMEDIES[key] for key in keys)


def _numeric(value: Hashable) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


def _short(value: float) -> str:
    return decimal(float(f"{value:.4g}"))


def _signed(delta: float) -> str:
    return ("+" if delta > 0 else "") + _short(delta)


def _figure(value: float | None, unit: str) -> str:
    return "unknown" if value is None else f"{decimal(value)} {unit}"


def _show(value: Hashable) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, float):
        return decimal(value)
    if isinstance(value, tuple):
        return ("normalised " if value[1] else "") + str(value[0])
    return str(value)

"""Why a candidate does or does not calibrate a flat, in figures and in words."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any

from calibrary.config import Config
from calibrary.config.model import gap_hours
from calibrary.plan.candidates import MEASURED, USE, Candidate, Comparison
from calibrary.records import FrameType
from calibrary.records.keys import key_named
from calibrary.records.text import decimal

_REMEDIES = {
    USE: "take more frames, or lift what the overrides forbid",
    "time": "take dark-flats right after the flats, or widen match.window",
}
_FIELDS = {"exposure": "exposure_s", "temperature": "temp_c"}
"""The keys behind what is compared within a tolerance."""


def hours(value: float) -> str:
    """Return a time span in words, such as ``4 h 12 min``."""
    minutes = round(abs(value) * 60)
    if minutes < 60:
        return f"{minutes} min" if minutes else f"{round(abs(value) * 3600)} s"
    whole, rest = divmod(minutes, 60)
    if whole >= 48:
        return f"{abs(value) / 24:.1f} days"
    return f"{whole} h {rest} min" if rest else f"{whole} h"


def exposures_in_words(exposures: Sequence[float]) -> str:
    """Return several exposures, such as ``27 exposures from 1 to 12 s``."""
    first, last = (float(f"{exposures[i]:.3g}") for i in (0, -1))
    return f"{len(exposures)} exposures from {decimal(first)} to {decimal(last)} s"


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
        columns = self.comparison.columns
        keys = [key for key, out in zip(columns, flags, strict=True) if out]
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
        for key, mine in self.flat.values.items():
            its = candidate.values[key]
            if mine != its and (key_named(key).told_by_masters or not candidate.in_library):
                found[key] = {"flat": mine, "candidate": its, "excludes": key in out}
                if _numeric(mine) and _numeric(its):
                    found[key]["delta"] = its - mine  # type: ignore[operator]
        for key in MEASURED:
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
        if key == USE:
            return candidate.obstacle or "forbidden by the overrides"
        if key in self.flat.values:
            mine, its = _show(self.flat.values[key]), _show(candidate.values[key])
            return f"{key_named(key).words} {its} against the flat's {mine}"
        delta, tolerance, unit = self._measured(key, index, of)
        if key == "time":
            if math.isnan(delta):
                return "time of one of the two unknown"
            side = "later" if delta > 0 else "earlier"
            return f"taken {hours(delta)} {side} than the flats, window {hours(tolerance)}"
        its, mine = (_figure(getattr(side, _FIELDS[key]), unit) for side in (candidate, self.flat))
        if key == "exposure" and len(self.flat.exposures) > 1:
            return f"exposure {its} against {exposures_in_words(self.flat.exposures)} of the flats"
        if its == mine == "unknown":
            return f"{key} of both unknown"
        values = f"{key} {its} against the flat's {mine}"
        if math.isnan(delta):
            return values
        return f"{values}: {_signed(delta)} {unit}, tolerance {_short(tolerance)} {unit}"


def _remedy(keys: Sequence[str]) -> str:
    """Return what would let a candidate in; empty if there is nothing the user can do."""
    remedies = [_REMEDIES.get(key) or key_named(_FIELDS.get(key, key)).remedy for key in keys]
    return "; ".join(remedies) if all(remedies) else ""


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
    return str(value)

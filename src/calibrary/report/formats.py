"""How quantities are written for people: in the report and on the terminal."""

from __future__ import annotations

import math

from calibrary.records import FrameType, GroupPlan, Verdict

UNKNOWN = "–"

TYPE_NAMES = {
    FrameType.BIAS: "Bias",
    FrameType.DARK: "Dark",
    FrameType.DARKFLAT: "Dark-flat",
    FrameType.FLAT: "Flat",
}
VERDICT_MARKS = {Verdict.PASS: "✓", Verdict.WARN: "▲", Verdict.FAIL: "✕"}
OUTCOME_NAMES = {
    "published": "built",
    "reused": "up to date",
    "kept": "kept as it was",
    "refused": "not published",
    "not_built": "not built",
}


def number(value: object, digits: int = 4) -> str:
    """Write a number with `digits` significant digits, thousands apart; text as it is."""
    if value is None or value == "":
        return UNKNOWN
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if not math.isfinite(value):
        return "not finite"
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -4:
        return f"{value:.{digits - 1}e}".replace("-", "\u2212")
    decimals = max(0, digits - 1 - magnitude)
    text = f"{value:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace(",", "\u202f").replace("-", "\u2212")


def exposure(seconds: float | None) -> str:
    """Write an exposure time, right to 1 µs: ``120 s``, ``2.31845 s``."""
    if seconds is None:
        return UNKNOWN
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + " s"


def temperature(celsius: float | None) -> str:
    """Write a temperature to 0.1 °C."""
    return UNKNOWN if celsius is None else number(round(celsius, 1)) + " °C"


def duration(seconds: float) -> str:
    """Write a span of time in the units a person would use."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def data_size(count: float) -> str:
    """Write a number of bytes in decimal units, as disks are sold."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.4g} TB"


def title(plan: GroupPlan) -> str:
    """Return what a master is in two or three words: ``Dark 120 s``, ``Flat Ha``."""
    keys = plan.keys
    name = TYPE_NAMES[plan.frame_type]
    if plan.frame_type is FrameType.BIAS:
        return name
    if plan.frame_type is FrameType.FLAT:
        return f"{name} {keys.filter or ('CFA' if keys.bayer_pattern else 'no filter')}"
    return f"{name} {exposure(keys.exposure_s)}"


def label(plan: GroupPlan) -> str:
    """Return what a master is, with the temperature where it matters: ``Dark 120 s −10 °C``."""
    thermal = plan.frame_type in (FrameType.DARK, FrameType.DARKFLAT)
    if not thermal or plan.keys.temp_c is None:
        return title(plan)
    return f"{title(plan)} {temperature(plan.keys.temp_c)}"


def count(n: int, what: str) -> str:
    """Return a number with its noun: ``1 frame``, ``12 frames``."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"

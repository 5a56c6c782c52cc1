"""One group as the page shows it: every value named, formatted and ready for the template."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from calibrary.config.model import FrameCounts, Frames
from calibrary.records import Status, Verdict
from calibrary.records.keys import binding_keys
from calibrary.report import formats
from calibrary.report.attention import remedy
from calibrary.report.charts import captions, chart_data
from calibrary.report.explanation import explanation
from calibrary.report.results import MasterResult

_NO_LIMITS = ("none", "median")
_HEEDED = {"winsorized": ("cutoff",), "esd": ("alpha", "outliers")}
"""Parameters of a rejection beside its low and high limits."""
_WORST_FIRST = {Verdict.FAIL: 0, Verdict.WARN: 1, Verdict.PASS: 2}


def master_view(master: MasterResult, frames: Frames) -> dict[str, Any]:
    """Return the values of one group by the names that the templates use."""
    plan, keys, figures = master.plan, master.plan.keys, master.figures
    charts = chart_data(master.record)
    name = formats.title(plan)
    view = {
        "group": plan.group,
        "anchor": f"m-{plan.group}",
        "setup": plan.setup,
        "type": plan.frame_type.value,
        "title": name,
        "night": keys.night or (plan.first_date_obs or "")[:10],
        "temp_c": keys.temp_c,
        "camera_short": _camera_short(master),
        "readout_mode": keys.readout_mode or "",
        "mosaic": bool(keys.bayer_pattern),
        "verdict": master.verdict.value,
        "outcome": master.outcome,
        "outcome_name": formats.OUTCOME_NAMES.get(master.outcome, master.outcome),
        "reason": master.reason,
        "remedy": remedy(master),
        "warnings": master.record.get("warnings") or list(plan.warnings),
        "n_combined": master.record.get("n_combined") or master.n_frames,
        "counts": counts_of(frames, plan.frame_type.value),
        "level": figures.get("level.median"),
        "noise": figures.get("noise.master"),
        "sort_title": _sort_title(master),
        "tests": sorted(
            master.record.get("tests") or (), key=lambda t: _WORST_FIRST[Verdict(t["verdict"])]
        ),
        "facts": _facts(master),
        "charts": captions(charts),
        "chart_data": charts,
        "has_frames": "frames" in charts,
        "match": explanation(master),
        "set_aside": [frame for frame in master.frames if frame["status"] == Status.SET_ASIDE],
        **_preview(master.preview),
    }
    searched = (name, plan.group, plan.setup, view["night"], _camera(master), master.reason)
    return {**view, "search_text": " ".join(str(text) for text in searched).lower()}


def counts_of(frames: Frames, frame_type: str) -> dict[str, int]:
    """Return minimum, recommended and optimal number of frames of one type."""

    def pick(counts: FrameCounts) -> int:
        return int(getattr(counts, frame_type))

    return {
        "minimum": pick(frames.minimum),
        "recommended": pick(frames.recommended),
        "optimal": pick(frames.optimal),
    }


def _camera(master: MasterResult) -> str:
    keys = master.plan.keys
    told = [key for key in binding_keys() if key.name not in _SHOWN_APART and key.told_by_masters]
    values = [(key, key.value(keys)) for key in told]
    parts = [
        f"gain {formats.number(keys.gain)}" if keys.gain is not None else "gain unknown",
        f"offset {formats.number(keys.offset)}" if keys.offset is not None else "offset unknown",
        f"{keys.x_binning}×{keys.y_binning}",
        *(f"{key.words} {key.shown(value)}" for key, value in values if value),
    ]
    return ", ".join(parts)


_SHOWN_APART = frozenset(
    (
        *("camera", "telescope", "gain", "offset", "x_binning", "y_binning"),
        *("width", "height", "channels", "bayer_pattern"),
    )
)
"""Keys that the page shows elsewhere, or in words of their own."""


def _camera_short(master: MasterResult) -> str:
    keys = master.plan.keys
    gain, offset = formats.number(keys.gain), formats.number(keys.offset)
    return f"G{gain} O{offset} {keys.x_binning}×{keys.y_binning}"


def _sort_title(master: MasterResult) -> str:
    """Types in the order they are built, exposures by length and not by their digits."""
    plan = master.plan
    rank = list(formats.TYPE_NAMES).index(plan.frame_type)
    return f"{rank} {plan.keys.exposure_s or 0:015.6f} {plan.keys.filter or ''}"


def _facts(master: MasterResult) -> list[tuple[str, str]]:
    plan, keys, record = master.plan, master.plan.keys, master.record
    calibrator = record.get("calibrator") or {}
    facts = [
        ("Group", plan.group),
        ("Master", record.get("master") or plan.master),
        ("Frames", _frames_used(master)),
        ("Taken", _span(plan.first_date_obs, plan.last_date_obs)),
        ("Exposure", formats.exposure(keys.exposure_s)),
        ("Temperature", formats.temperature(keys.temp_c)),
        ("Camera", _camera(master)),
        ("Filter", keys.filter or ""),
        ("Image", f"{keys.width} × {keys.height}, {keys.bayer_pattern or 'monochrome'}"),
        ("Calibrated with", calibrator.get("master") or calibrator.get("kind") or ""),
        ("Integration", _integration(record.get("integration") or plan.integration)),
        ("Time", formats.duration(master.seconds) if master.seconds else ""),
        ("Data read", formats.data_size(master.bytes_read) if master.bytes_read else ""),
    ]
    return [(label, str(value)) for label, value in facts if value]


def _frames_used(master: MasterResult) -> str:
    used = master.record.get("n_combined")
    if used is None:
        return str(master.n_frames)
    return f"{used} of {master.n_frames}" if used != master.n_frames else str(used)


def _integration(settings: Mapping[str, Any]) -> str:
    """Write the settings that were decided and that the rejection heeds."""
    method = str(settings.get("method", "unknown"))
    shown = ["low", "high", *_HEEDED.get(method, ())] if method not in _NO_LIMITS else []
    limits = [f"{n} {formats.number(settings[n])}" for n in shown if settings.get(n) is not None]
    normalised = str(settings.get("normalization", "none"))
    return ", ".join(
        [
            f"rejection {method.replace('_', ' ')}",
            *limits,
            "not normalised" if normalised == "none" else f"normalised, {normalised}",
            f"profile {settings.get('profile', 'unknown')}",
        ]
    )


def _span(first: str | None, last: str | None) -> str:
    """Write the time from first to last exposure, the day once if it is one."""
    if not first:
        return ""
    start, end = _minute(first), _minute(last or first)
    if start == end:
        return f"{start} UTC"
    return f"{start} to {end[11:] if start[:10] == end[:10] else end} UTC"


def _minute(date: str) -> str:
    try:
        return datetime.fromisoformat(date).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return date


def _preview(path: Path | None) -> dict[str, Any]:
    """Return the preview as a data URI; a damaged one counts as none."""
    if path is None:
        return {"preview": None}
    data = path.read_bytes()
    try:
        with Image.open(BytesIO(data)) as image:
            size, kind = image.size, (image.format or "").lower()
    except UnidentifiedImageError:
        return {"preview": None}
    uri = f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
    return {"preview": uri, "preview_size": size}

"""The data of the charts, packed for the page.

The page draws a chart when it comes into view, from JSON that is kept compressed until then;
plotly.js, which draws it, is kept the same way.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from calibrary.report.formats import number

SIGNIFICANT_DIGITS = 5
"""More than a screen can show."""

SHOWN_HOT_PIXELS = 400
"""Enough to see a pattern; a thousand would be half of the page."""

CUT_ANYWAY = 0.0006
"""The outermost pixels that no histogram shows."""

CAPTIONS = {
    "histogram": "Histogram of the master's pixels",
    "noise": "Noise against the number of frames, measured and as 1/√N",
    "hot_pixels": "Where the hot pixels are",
    "uniformity": "Evenness: large-scale level over the mean",
    "profile": "Profile through the centre, along rows and columns",
    "frames": "Level, rejected fraction and sensor temperature of each frame over time",
}
"""Kind of chart to caption, in the order they are shown."""


def pack(data: object) -> str:
    """Return JSON of `data`, compressed, as base64 text: safe anywhere in a page."""
    text = json.dumps(_rounded(data), separators=(",", ":"), sort_keys=True)
    return pack_text(text)


def pack_text(text: str) -> str:
    """Return `text` compressed, as base64; the same bytes for the same text."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode("ascii")


def chart_data(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the charts of one master need, by kind of chart.

    Parameters
    ----------
    record
        ``verify/<group>.json``.
    """
    plots = {kind: plot for kind, plot in (record.get("plots") or {}).items() if plot}
    if "hot_pixels" in plots:
        plots["hot_pixels"] = _brightest(plots["hot_pixels"])
    frames = record.get("frames") or ()
    if frames:
        plots["frames"] = _columns(frames)
    return {kind: plots[kind] for kind in CAPTIONS if kind in plots}


def captions(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return kind and caption of each chart, in the order they are shown."""
    told = dict(CAPTIONS)
    above = data.get("histogram", {}).get("above", 0.0)
    if above > CUT_ANYWAY:
        told["histogram"] += f"; {100 * above:.2g} % lie above"
    if "hot_pixels" in data:
        listed, count = len(data["hot_pixels"]["x"]), data["hot_pixels"]["count"]
        which = f"the brightest {listed} of {number(count)}" if listed < count else f"all {listed}"
        told["hot_pixels"] += f": {which}"
    return [(kind, told[kind]) for kind in data]


def _brightest(hot: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the first of the hot pixels, which come the brightest first."""
    return {
        key: value[:SHOWN_HOT_PIXELS] if isinstance(value, list) else value
        for key, value in hot.items()
    }


def _columns(frames: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Turn the list of frames into columns: half the size, and what a chart wants."""
    names = ("date_obs", "level", "rejected_fraction", "temp_c", "status", "reason")
    columns = {name: [frame.get(name) for frame in frames] for name in names}
    return {"name": [PurePath(str(frame["path"])).name for frame in frames], **columns}


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [item if isinstance(item, str | int) else _rounded(item) for item in value]
    return value

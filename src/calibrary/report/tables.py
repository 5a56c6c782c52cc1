"""Rows of the page's plain tables, as the template shows them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from calibrary.records import FrameType
from calibrary.report.formats import TYPE_NAMES
from calibrary.report.results import SetAside

SET_ASIDE_COLUMNS = (
    ("name", "File", "name"),
    ("type", "Type", "word"),
    ("reason", "Reason", "text"),
    ("folder", "Folder", "name"),
)
"""Key, heading and kind of each column: ``text``, ``word`` (never broken), ``name`` (broken where
it can be), ``number``, ``badge``, ``setting`` or ``todo`` (wide)."""

COVERAGE_COLUMNS = (
    ("setup", "Setup", "name"),
    ("type", "Type", "word"),
    ("setting", "Setting", "setting"),
    ("status", "Status", "badge"),
    ("masters", "Masters", "number"),
    ("newest", "Newest", "word"),
    ("age_days", "Age / d", "number"),
    ("n_frames", "Frames", "number"),
    ("shoot_next", "What to do", "todo"),
)

_STATUS = {
    "ok": ("pass", "ok"),
    "stale": ("warn", "stale"),
    "below_minimum": ("warn", "few frames"),
    "missing": ("warn", "missing"),
    "too_few": ("fail", "too few frames"),
    "failed": ("fail", "failed"),
}
"""Status of a row of ``coverage.csv`` to the tone it is shown in and its words."""


def set_aside_row(frame: SetAside) -> dict[str, str]:
    """Return a frame that was set aside by the keys of `SET_ASIDE_COLUMNS`."""
    path = PurePath(frame.path)
    return {
        "name": path.name,
        "type": _type_name(frame.frame_type),
        "reason": str(frame.reason),
        "folder": str(path.parent),
    }


def coverage_row(row: Mapping[str, str]) -> dict[str, Any]:
    """Return a row of ``coverage.csv`` by the keys of `COVERAGE_COLUMNS`."""
    tone, words = _STATUS.get(row["status"], ("", row["status"]))
    return {
        **row,
        "type": _type_name(row["frame_type"]),
        "status": {"tone": tone, "words": words},
    }


def _type_name(frame_type: str) -> str:
    return TYPE_NAMES.get(FrameType(frame_type), frame_type)

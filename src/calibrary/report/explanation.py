"""Why a flat is calibrated by what it is: the plan's candidates as a small table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calibrary.report.formats import number
from calibrary.report.results import MasterResult


def explanation(master: MasterResult) -> dict[str, Any] | None:
    """Return the sentence and the table that explain the match; None for all but flats."""
    calibrator = master.record.get("calibrator") or {}
    if not master.match and not calibrator:
        return None
    candidates = (master.match or {}).get("candidates", [])
    names = list(dict.fromkeys(name for c in candidates for name in c))
    shown = [name for name in names if name not in ("differences", "chosen")]
    keys = list(dict.fromkeys(key for c in candidates for key in c.get("differences") or {}))
    rows = [
        {
            "chosen": bool(c.get("chosen")),
            "cells": [
                *(number(c.get(name)) for name in shown),
                *(number((c.get("differences") or {}).get(key)) for key in keys),
            ],
        }
        for c in candidates
    ]
    columns = [name.replace("_", " ") for name in (*shown, *keys)]
    return {"text": _sentence(calibrator), "columns": columns, "rows": rows}


def _sentence(calibrator: Mapping[str, Any]) -> str:
    if not calibrator:
        return ""
    what = calibrator.get("master") or calibrator.get("group") or "nothing"
    kind = calibrator.get("kind") or "none"
    reason = calibrator.get("reason")
    return f"Subtracted: {what} ({kind})." + (f" {reason}" if reason else "")

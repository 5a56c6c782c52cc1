"""What became of each group of a run, as its results folder tells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from calibrary.records import VOID, Action, Verdict

_ERROR = " ERROR "
_UNEXPECTED = "unexpected error"


def standing(results: Path, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the verdict of a group; of one that has none, the reason why.

    Parameters
    ----------
    results
        The results folder.
    plan
        The group's entry in ``plan/groups.json``.

    Returns
    -------
    dict
        As in ``verify/<group>.json``; without a verdict on this very work order at least
        ``verdict, outcome, reason, master, calibrator``.
    """
    if plan["action"] == Action.TOO_FEW:
        return _without(Verdict.WARN, plan["reason"])
    verdict = _read(results / f"verify/{plan['group']}.json")
    measured = _read(results / f"candidates/{plan['group']}.json")
    if verdict is not None and measured is not None and verdict["digest"] == plan["digest"]:
        return verdict
    reason = _failure(results, plan, measured)
    # What was published before is still there.
    before = verdict or _read((results / f"verify/{plan['group']}.json").with_suffix(VOID)) or {}
    return _without(Verdict.FAIL, reason) | {"master": before.get("master")}


def _without(verdict: Verdict, reason: str) -> dict[str, Any]:
    return {
        "verdict": verdict,
        "outcome": "not_built",
        "reason": reason,
        "master": None,
        "calibrator": None,
    }


def _read(path: Path) -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record


def _failure(results: Path, plan: Mapping[str, Any], measured: Mapping[str, Any] | None) -> str:
    """Return why a group has no verdict, from the log of the job that should have made it."""
    group = plan["group"]
    is_measured = measured is not None and measured.get("digest") == plan["digest"]
    stage, work = ("publish", "publishing") if is_measured else ("integrate", "integration")
    log = results / f"logs/{stage}/{group}.log"
    lock = results / ".lock"  # its time is that of the start of the run
    if not log.exists() or (lock.exists() and log.stat().st_mtime < lock.stat().st_mtime):
        calibrator = (plan["calibrator"] or {}).get("group")
        waits = f": it waits for {calibrator}, which failed" if calibrator else ""
        return f"not built in this run{waits}"
    error = _last_error(log)
    if error is None:
        return f"its {work} was killed before it ended (out of memory?); run again; see {log}"
    return f"its {work} failed: {error}"


def _last_error(log: Path) -> str | None:
    """Return what a job's log says of the error that ended it."""
    text = log.read_text(encoding="utf-8", errors="replace")
    _, found, told = text.rpartition(_ERROR)
    if not found:
        return None
    first, *traceback = told.strip().splitlines() or [""]
    if first != _UNEXPECTED or not traceback:
        return first
    return f"{first} ({traceback[-1].strip()}); please report it with {log}"

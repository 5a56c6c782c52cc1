"""Why a flat is calibrated by what it is: the plan's candidates as a small table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from calibrary.report.formats import TYPE_NAMES, number
from calibrary.report.results import MasterResult

SHOWN_OF_A_RUNG = 3
"""Candidates shown of each rung of the ladder, the nearest first; matches.json has them all."""

_MEASURED = ("exposure", "temperature", "time")


def explanation(master: MasterResult) -> dict[str, Any] | None:
    """Return the sentence and the table that explain the match; None for all but flats."""
    calibrator = master.record.get("calibrator") or (master.match and _planned(master))
    if not calibrator:
        return None
    match = master.match or {}
    candidates = match.get("candidates", ())
    shown = list(_nearest(candidates))
    hidden = len(candidates) - len(shown) + sum((match.get("not_listed") or {}).values())
    return {
        "text": _sentence(calibrator),
        "rows": [_row(c) for c in shown],
        "hidden": hidden,
    }


def _planned(master: MasterResult) -> dict[str, Any]:
    calibrator = master.plan.calibrator
    if calibrator is None:
        return {}
    return {
        "kind": calibrator.kind.value,
        "group": calibrator.group,
        "master": calibrator.master,
        "reason": calibrator.reason,
    }


def _nearest(candidates: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the first candidates of each rung, and the chosen one wherever it stands."""
    seen: Counter[str] = Counter()
    for candidate in candidates:
        seen[candidate["rung"]] += 1
        if candidate["chosen"] or seen[candidate["rung"]] <= SHOWN_OF_A_RUNG:
            yield candidate


def _row(candidate: Mapping[str, Any]) -> dict[str, Any]:
    differences = candidate["differences"]
    origin = "in the library" if candidate["source"] == "library" else "of this run"
    return {
        "chosen": candidate["chosen"],
        "name": PurePosixPath(candidate["candidate"]).name,
        "what": f"{TYPE_NAMES.get(candidate['type'], candidate['type'])} {origin}",
        "deltas": [number((differences.get(key) or {}).get("delta")) for key in _MEASURED],
        "why": _why(candidate),
    }


def _why(candidate: Mapping[str, Any]) -> str:
    if candidate["chosen"]:
        return "chosen"
    if candidate["rank"] is not None:
        return f"fits, number {candidate['rank']} of its kind"
    remedy = candidate.get("remedy")
    return f"{candidate['text']} – {remedy}" if remedy else str(candidate["text"])


def _sentence(calibrator: Mapping[str, Any]) -> str:
    name = calibrator.get("master") or calibrator.get("group")
    kind = TYPE_NAMES.get(calibrator["kind"], calibrator["kind"])
    what = f"Subtracted: {PurePosixPath(name).name} ({kind})." if name else "Nothing is subtracted."
    reason = calibrator.get("reason")
    if not reason:
        return what
    return f"{what} {reason[0].upper()}{reason[1:]}{'' if reason.endswith('.') else '.'}"

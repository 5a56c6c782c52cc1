"""What needs the user's attention after a run, the worst first, each with what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from calibrary.records import Action, GroupPlan, Verdict
from calibrary.report import formats
from calibrary.report.results import MasterResult, Results

_RANK = {Verdict.FAIL: 0, Verdict.WARN: 1, Verdict.PASS: 2}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that needs attention."""

    verdict: Verdict
    what: str
    reason: str
    remedy: str


def attention(results: Results) -> list[Item]:
    """Return what needs attention, the worst first: masters, then frames that were set aside."""
    found = [m for m in results.masters if m.verdict is not Verdict.PASS]
    found.sort(key=lambda m: _RANK[m.verdict])
    setups = {master.plan.setup for master in results.masters}
    items = [_of_master(master, several=len(setups) > 1) for master in found]
    return [*items, *_of_frames(results)]


def _of_master(master: MasterResult, *, several: bool) -> Item:
    plan = master.plan
    night = (plan.first_date_obs or "")[:10]
    camera = plan.keys.camera if several else None
    what = " ".join(filter(None, (formats.label(plan), night, camera)))
    return Item(master.verdict, what, _reason(master), remedy(master))


def _failed(master: MasterResult) -> list[dict[str, object]]:
    """Return the tests that decided the verdict."""
    return [t for t in master.record.get("tests") or () if t["verdict"] == master.verdict]


def _reason(master: MasterResult) -> str:
    for test in _failed(master):
        if test["name"] == "frames.n":
            few = f"{test['figure']:.0f} frames, {test['limit']:.0f} wanted"
            rest = [str(t["message"]) for t in _failed(master) if t is not test]
            return "; ".join([few, *rest[:1]])
    return master.reason


def remedy(master: MasterResult) -> str:
    """Return what to do about a master that did not pass; empty where there is nothing."""
    plan = master.plan
    if plan.action is Action.TOO_FEW:
        return f"shoot {plan.required - master.n_frames} more, or leave it"
    told: list[str] = []
    for test in _failed(master):
        figure, limit = test.get("figure"), test.get("limit")
        if test["name"] == "frames.n" and isinstance(figure, float) and isinstance(limit, float):
            told.append(f"shoot {limit - figure:.0f} more")
        elif test["name"] == "calibrator.step":
            told.append(dark_flat_advice(plan))
        elif test.get("remedy") and test["remedy"] not in told:
            told.append(str(test["remedy"]))
    if master.verdict is Verdict.FAIL:
        told = [*told[:1], f"calibrary explain {plan.group}"]
    return "; ".join(told[:2])


def dark_flat_advice(plan: GroupPlan) -> str:
    """Return what to do about flats that got something else than a dark-flat."""
    if len(plan.exposures) > 1:
        return "fine for a twilight: no one dark-flat fits all exposures"
    if plan.keys.exposure_s is None:
        return "tell the exposure under `set` in the overrides, or go on"
    return f"shoot dark-flats of {formats.exposure(plan.keys.exposure_s)}, or go on"


def _of_frames(results: Results) -> Iterable[Item]:
    for frames in results.set_aside_alike():
        reason = frames[0].reason
        many = len(frames) > 1
        name = Path(frames[0].path.replace("\\", "/")).name
        what = f"{formats.count(len(frames), 'frame') if many else name} set aside"
        where = ["manifest.csv lists them"] if many else []
        yield Item(
            Verdict.WARN, what, reason.text, "; ".join(filter(None, [reason.remedy, *where]))
        )

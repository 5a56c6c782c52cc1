"""What a run would do to each master, and why, without doing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from calibrary.config import Config
from calibrary.records import Action, GroupPlan

SHOWN_ALIKE = 20
"""Groups named for one and the same reason; the others are counted."""


def forecast(config: Config, voided: Collection[str] = ()) -> list[str]:
    """Return a line for each master that would be built or not, and a line of sum.

    Of thousands with one and the same reason, the first are named.

    Parameters
    ----------
    config
        The configuration.
    voided
        Groups whose master has gone, or whose calibrator changed with the limits.
    """
    from calibrary.manifest import index_frames
    from calibrary.plan.write import plan_run

    results = Path(config.results)
    cache = results / "cache/headers.sqlite"
    plan = plan_run(index_frames(config.source, cache, extras=config.headers), config)
    old = dict(orders(results))
    lines = []
    alike: Counter[tuple[str, str]] = Counter()
    for group in plan.groups:
        reason = why(group, old.get(group.group), voided, results)
        if not reason:
            continue
        verb = "would build" if group.action is Action.BUILD else "would not build"
        alike[verb, reason] += 1
        if alike[verb, reason] <= SHOWN_ALIKE:
            lines.append(f"{verb} {group.group} ({len(group.frames)} frames): {reason}")
    lines += [
        f"{verb} {count - SHOWN_ALIKE} more: {reason}"
        for (verb, reason), count in alike.items()
        if count > SHOWN_ALIKE
    ]
    up_to_date = len(plan.groups) - alike.total()
    return [*lines, f"{up_to_date} of {len(plan.groups)} groups are up to date"]


def orders(results: Path) -> Iterator[tuple[str, GroupPlan]]:
    """Yield the groups of the last plan, by name."""
    for path in sorted((results / "plan/sheets").glob("*.json")):
        yield path.stem, GroupPlan.from_json(path.read_text(encoding="utf-8"))


def why(
    group: GroupPlan,
    old: GroupPlan | None,
    voided: Collection[str],
    results: Path,
) -> str:
    """Return why something happens to a group; empty where nothing does."""
    if group.action is not Action.BUILD:
        return group.reason if group.action in (Action.TOO_FEW, Action.FOREIGN) else ""
    if group.group in voided:
        return "its master is gone from the library, or its calibrator's verdict changed"
    if old is None:
        return "new group"
    if old.digest != group.digest:
        return changes(old, group)
    if not (results / f"verify/{group.group}.json").exists():
        return "never finished"
    return ""


def changes(old: GroupPlan, new: GroupPlan) -> str:
    """Return in words what made a work order another one."""
    told = []
    before = {Path(frame.path).name: frame for frame in old.frames}
    after = {Path(frame.path).name: frame for frame in new.frames}
    counts = {
        "added": len(after.keys() - before.keys()),
        "removed": len(before.keys() - after.keys()),
        "changed": sum(
            (before[name].size_bytes, before[name].mtime_ns)
            != (after[name].size_bytes, after[name].mtime_ns)
            for name in before.keys() & after.keys()
        ),
    }
    told += [f"{n} {'frame' if n == 1 else 'frames'} {what}" for what, n in counts.items() if n]
    told += [
        f"{key} {old.integration.get(key)} is now {value}"
        for key, value in sorted(new.integration.items())
        if old.integration.get(key) != value
    ]
    name = _subtracted(new)
    if _subtracted(old) != name:
        told.append(f"calibrated by {name or 'nothing'} now")
    return ", ".join(told) or "its calibrator is built anew"


def _subtracted(plan: GroupPlan) -> str | None:
    if plan.calibrator is None:
        return None
    return plan.calibrator.group or plan.calibrator.master

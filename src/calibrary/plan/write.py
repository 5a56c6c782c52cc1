"""The plan as files: what the workflow, the report and `calibrary explain` read."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from calibrary.config import Config
from calibrary.files import write_text_atomic
from calibrary.library.index import published_digests, read_library
from calibrary.manifest import read_frames, write_frames
from calibrary.plan.overrides import load_overrides
from calibrary.plan.planning import Plan, make_plan
from calibrary.records import (
    CALIBRATION_TYPES,
    Action,
    CalibraryError,
    Frame,
    GroupPlan,
    Status,
)

log = logging.getLogger(__name__)


def plan_run(frames: Sequence[Frame], config: Config) -> Plan:
    """Plan a run with what the library holds and the user corrects; nothing is written.

    Raises
    ------
    CalibraryError
        The overrides are not valid.
    """
    results = Path(config.results)
    overrides = load_overrides(Path(config.overrides) if config.overrides else None)
    masters = read_library(Path(config.library), results / "cache/headers.sqlite")
    return make_plan(frames, masters, config, overrides, published_digests(results))


def write_plan(index: Path, config: Config) -> None:
    """Plan a run and write it below the results folder.

    Writes ``plan/frames.csv`` (every frame with its group and fate), ``plan/sheets/<group>.json``
    (the work orders), ``matches.json``, ``plan/settings.json`` (tolerances and the like, for
    `calibrary explain`) and, last, ``plan/groups.json`` (the work orders without
    their frames). The same frames give the same bytes; sheets that did not change are not
    touched, sheets of groups that are gone are removed.

    Parameters
    ----------
    index : Path
        The frames as `calibrary.manifest.write_frames` wrote them.

    Raises
    ------
    CalibraryError
        The overrides are not valid, or there is no calibration frame at all.
    """
    results = Path(config.results)
    plan = plan_run(read_frames(index), config)
    if not plan.groups:
        raise CalibraryError(nothing_found(plan.frames, config))
    _log(plan)
    write_frames(plan.frames, results / "plan/frames.csv")
    _write_sheets(plan.groups, results / "plan/sheets")
    write_text_atomic(
        results / "matches.json",
        json.dumps(plan.matches, sort_keys=True, separators=(",", ":")) + "\n",
    )
    settings = config.model_dump(mode="json", include={"tolerance", "session", "match"})
    write_text_atomic(results / "plan/settings.json", json.dumps(settings, sort_keys=True) + "\n")
    groups = [json.dumps(_without_frames(group), sort_keys=True) for group in plan.groups]
    write_text_atomic(results / "plan/groups.json", "[\n" + ",\n".join(groups) + "\n]\n")


def nothing_found(frames: Sequence[Frame], config: Config) -> str:
    """Return in one line what was looked for where, and what was found instead."""
    where = ", ".join(config.source)
    wanted = ", ".join(CALIBRATION_TYPES)
    text = f"{where}: no calibration files found; looked for frames of type {wanted}"
    if not frames:
        remedy = "is the disk plugged in? Else correct `source`"
        return f"{text}, but there are no FITS or XISF files; {remedy}"
    said = Counter(frame.type_said or f"none ({frame.frame_type})" for frame in frames)
    values = ", ".join(f"{value} ({count})" for value, count in sorted(said.items())[:12])
    first = next((f for f in frames if f.reason), frames[0])
    reason = f"; {first.path}: {first.reason}" if first.reason else ""
    return f"{text} in {len(frames)} files; IMAGETYP values found: {values}{reason}"


def _log(plan: Plan) -> None:
    groups_with: dict[str, list[str]] = {}
    for group in plan.groups:
        if group.action in (Action.TOO_FEW, Action.FOREIGN):
            log.warning("%s: not built: %s", group.group, group.reason)
        for warning in group.warnings:
            groups_with.setdefault(warning, []).append(group.group)
    for warning, names in groups_with.items():
        others = f" and {len(names) - 1} other groups" if len(names) > 1 else ""
        log.warning("%s%s: %s", names[0], others, warning)
    aside = sum(frame.status is Status.SET_ASIDE for frame in plan.frames)
    if aside:
        log.warning("set aside: %d of %d files; manifest.csv says why", aside, len(plan.frames))


def _without_frames(group: GroupPlan) -> dict[str, Any]:
    light = dataclasses.replace(group, frames=()).to_dict()
    del light["frames"]
    n_bytes = sum(frame.size_bytes for frame in group.frames)
    return {**light, "n_frames": len(group.frames), "n_bytes": n_bytes}


def _write_sheets(groups: Sequence[GroupPlan], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {f"{group.group}.json": group for group in groups}
    for path in folder.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name, group in wanted.items():
        path, text = folder / name, group.to_json() + "\n"
        if not (path.exists() and path.read_text(encoding="utf-8") == text):
            write_text_atomic(path, text)

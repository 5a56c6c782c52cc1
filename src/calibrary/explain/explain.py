"""Why a file is in its group, and what calibrates a group: told from the results of a run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from calibrary.config.model import Tolerance
from calibrary.manifest import read_frames
from calibrary.plan.clusters import MICRO, limit_of, to_micro
from calibrary.records import CalibraryError, Frame, FrameType, GroupKeys, Key, Status
from calibrary.records.keys import Rule, all_keys, key_named
from calibrary.records.text import decimal
from calibrary.results import standing

_LISTED = 5
"""Other groups, or candidates of one rung, that are shown."""

_NEAR = 3
"""A group that differs in more keys than this needs no explanation."""

_STATUS_WORDS = {
    Status.USED: "used",
    Status.SET_ASIDE: "set aside",
    Status.IGNORED: "ignored",
}


def explain_target(target: str, results: Path) -> list[str]:
    """Return the explanation of a group or a file, line by line.

    Parameters
    ----------
    target : str
        Name of a group, path of a file, or its name alone where only one has it.
    results : Path
        The results folder of a run; nothing else is read.

    Raises
    ------
    CalibraryError
        There is no plan there, or nothing in it is called so.
    """
    groups = {group["group"]: group for group in _read(results / "plan/groups.json", results)}
    if target in groups:
        return _explain_group(groups[target], groups, results)
    frame = _find_frame(target, read_frames(results / "plan/frames.csv"), results)
    lines = [frame.path, *_explain_frame(frame, groups, results)]
    if frame.group in groups:
        lines += ["", *_explain_group(groups[frame.group], groups, results)]
    return lines


def _read(path: Path, results: Path) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        msg = f"{path}: cannot be read; run the workflow first, or give --results ({results} now)"
        raise CalibraryError(msg) from None


def _find_frame(target: str, frames: Iterable[Frame], results: Path) -> Frame:
    whole = os.path.abspath(target)  # noqa: PTH100 - links stay as the index has them
    ending = "/" + target.replace(os.sep, "/").lstrip("/")
    found = []
    for frame in frames:
        if frame.path in (target, whole):
            return frame
        if frame.path.replace(os.sep, "/").endswith(ending):
            found.append(frame)
    if len(found) == 1:
        return found[0]
    if found:
        several = f"{len(found)} files are called so"
        msg = f"{target}: {several}; give more of the path, as in {found[0].path}"
        raise CalibraryError(msg)
    msg = f"{target}: no group and no file of the run in {results}; groups.csv lists the groups"
    raise CalibraryError(msg)


def _explain_frame(
    frame: Frame, groups: Mapping[str, Mapping[str, Any]], results: Path
) -> Iterator[str]:
    source = f" (from the {frame.type_source})" if frame.type_source else ""
    yield f"  type     {frame.frame_type}{source}"
    yield f"  status   {_STATUS_WORDS[frame.status]}"
    if frame.reason:
        yield f"  because  {frame.reason}"
    if frame.group is None:
        return
    yield f"  group    {frame.group}"
    group = groups.get(frame.group)
    if group is not None and group["frame_type"] != frame.frame_type:
        yield (
            f"  why a {group['frame_type']}: a flat of the same settings and exposure was taken "
            "within match.window"
        )
    for reason in _set_aside_later(frame, results):
        yield f"  but      {reason}"
    yield f"  exposure {_show(frame.exposure_s, 's')}, temperature {_temperature(frame)}"
    yield f"  taken    {frame.date_obs or 'unknown'} UTC, night {frame.night or 'unknown'}"


def _set_aside_later(frame: Frame, results: Path) -> Iterator[str]:
    """Yield why the checks before integration left a frame of the group out."""
    measured = results / "candidates" / f"{frame.group}.json"
    if measured.exists():
        for checked in _read(measured, results)["frames"]:
            if checked["path"] == frame.path and checked["status"] == Status.SET_ASIDE:
                yield f"left out of the master: {checked['reason']}"


def _temperature(frame: Frame) -> str:
    set_c, ccd_c = _show(frame.set_temp_c, "°C"), _show(frame.ccd_temp_c, "°C")
    return f"{_show(frame.temp_c, '°C')} (set {set_c}, sensor {ccd_c})"


def _explain_group(
    group: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]], results: Path
) -> list[str]:
    name = group["group"]
    settings = _read(results / "plan/settings.json", results)
    lines = [name, f"  frames   {group['n_frames']}, {_span(group)}"]
    told = GroupKeys(**group["keys"])
    frame_type = FrameType(group["frame_type"])
    keys = (key for key in all_keys() if key.parts(frame_type) and key.value(told) is not None)
    alike = ", ".join(f"{key.words} {key.told(told)}" for key in keys)
    lines += [f"  alike in {alike}", f"  master   {group['master']}"]
    lines.append(f"  action   {group['action']}{_because(group['reason'])}")
    record = standing(results, group)
    lines.append(f"  verdict  {record['verdict']}{_because(record['reason'])}")
    lines += [f"  warning  {warning}" for warning in group["warnings"]]
    lines += _other_groups(group, groups, settings)
    if group["calibrator"] is not None:
        lines += _explain_match(group, _read(results / "matches.json", results).get(name, {}))
    return lines


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _span(group: Mapping[str, Any]) -> str:
    first, last = group["first_date_obs"], group["last_date_obs"]
    return f"{first} to {last} UTC" if first else "dates unknown"


def _other_groups(
    group: Mapping[str, Any],
    groups: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Any],
) -> list[str]:
    """Return what keeps the nearest groups of the same type apart from this one."""
    frame_type, mine = FrameType(group["frame_type"]), GroupKeys(**group["keys"])
    parting = [key for key in all_keys() if key.parts(frame_type)]
    differing = []
    for other in groups.values():
        if other["frame_type"] == group["frame_type"] and other["group"] != group["group"]:
            its = GroupKeys(**other["keys"])
            keys = [key for key in parting if key.value(its) != key.value(mine)]
            if len(keys) <= _NEAR:
                differing.append((len(keys), other["group"], [key.name for key in keys]))
    lines = []
    for _, name, names in sorted(differing)[:_LISTED]:
        its = GroupKeys(**groups[name]["keys"])
        parts = [_apart(key_named(key), its, mine, frame_type, settings) for key in names]
        if not parts:
            session = settings["session"][group["frame_type"]]
            parts = [f"another session ({session}): {_span(groups[name])}"]
        lines.append(f"  not with {name}: {'; '.join(parts)}")
    return lines


def _apart(
    key: Key,
    theirs: GroupKeys,
    mine: GroupKeys,
    frame_type: FrameType,
    settings: Mapping[str, Any],
) -> str:
    its, own = key.value(theirs), key.value(mine)
    text = f"{key.words} {key.told(theirs)} against {key.told(mine)}"
    if key.rule is not Rule.TOLERANCE or not (isinstance(its, float) and isinstance(own, float)):
        return text
    limit = limit_of(key, frame_type, Tolerance.model_validate(settings["tolerance"]))
    tolerance = limit(to_micro(max(its, own))) / MICRO
    return f"{text}, {key.shown(abs(its - own))} apart, tolerance {key.shown(tolerance)}"


def _explain_match(group: Mapping[str, Any], match: Mapping[str, Any]) -> list[str]:
    calibrator = group["calibrator"]
    chosen = calibrator["group"] or calibrator["master"] or "nothing"
    lines = [f"  calibrated with {chosen} ({calibrator['kind']}){_because(calibrator['reason'])}"]
    shown: dict[str, int] = {}
    for candidate in match.get("candidates", ()):
        rung = candidate["rung"]
        shown[rung] = shown.get(rung, 0) + 1
        if shown[rung] > _LISTED:
            continue
        fate = f"rank {candidate['rank']}" if candidate["rank"] else candidate["text"]
        if candidate["chosen"]:
            fate = "chosen"
        lines.append(f"    {rung:8} {candidate['candidate']}: {fate}")
        if candidate["remedy"] and shown[rung] == 1:
            lines.append(f"    {'':8} to change it: {candidate['remedy']}")
    return lines


def _show(value: object, unit: str) -> str:
    if value is None:
        return "unknown"
    text = decimal(value) if isinstance(value, float) else str(value)
    return f"{text} {unit}".rstrip()

"""What is below the source folders, what would be built of it, and what is amiss."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from calibrary.config import Config
from calibrary.plan.planning import Plan
from calibrary.records import (
    CALIBRATION_TYPES,
    Action,
    CalibratorKind,
    Frame,
    FrameType,
    GroupPlan,
    Reason,
    ReasonCode,
    Status,
    Verdict,
)
from calibrary.report import formats
from calibrary.report.attention import Item
from calibrary.workflow.forecast import orders, why

PLURALS = {
    FrameType.BIAS: "bias",
    FrameType.DARK: "darks",
    FrameType.DARKFLAT: "dark-flats",
    FrameType.FLAT: "flats",
}

SECONDS_A_MASTER = 2.5
"""What a job costs beside reading, s: its start, measuring, writing (2 cores, measured)."""

PREPARING_S = 30
"""What compiling the methods of a first run costs, s (2 cores, measured)."""

_SAMPLE_BYTES = 100_000_000
"""What is read to find out how fast the disk is."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What `calibrary check` says."""

    found: str
    """How many files of which type."""
    cameras: str
    would: str
    """What a run would build, and what that costs."""
    amiss: tuple[Item, ...]


def survey(plan: Plan, config: Config) -> Survey:
    """Say what a plan comes to; frames are read only to see how fast that is.

    Parameters
    ----------
    plan
        What a run would do.
    config
        The configuration, with the library and the results of that run.
    """
    amiss = (*_of_groups(plan.groups, config), *_of_frames(plan.frames))
    return Survey(_found(plan), _cameras(plan.groups), _would(plan, config), amiss)


def _found(plan: Plan) -> str:
    counts = Counter[FrameType]()
    for group in plan.groups:
        counts[group.frame_type] += len(group.frames)
    kinds = [f"{counts[kind]} {PLURALS[kind]}" for kind in CALIBRATION_TYPES if counts[kind]]
    text = f"{formats.count(len(plan.frames), 'file')}: {', '.join(kinds) or 'nothing to build'}"
    lights = sum(frame.frame_type is FrameType.LIGHT for frame in plan.frames)
    return f"{text}; {formats.count(lights, 'light')} left out" if lights else text


def _cameras(groups: Sequence[GroupPlan]) -> str:
    setups = dict.fromkeys(
        f"{g.keys.camera or 'unknown camera'} on {g.keys.telescope or 'unknown telescope'}"
        for g in groups
    )
    return f"{formats.count(len(setups), 'camera')}: {', '.join(setups)}"


def _would(plan: Plan, config: Config) -> str:
    results = Path(config.results)
    old = dict(orders(results))
    build = [
        group
        for group in plan.groups
        if group.action is Action.BUILD and why(group, old.get(group.group), (), results)
    ]
    if not build:
        return "everything is up to date"
    n_bytes = sum(frame.size_bytes for group in build for frame in group.frames)
    pixels = sum(g.keys.width * g.keys.height * g.keys.channels for g in build)
    first = not any((results / "candidates").glob("*.json"))
    seconds = (
        n_bytes / _bytes_per_second(build) + SECONDS_A_MASTER * len(build) + PREPARING_S * first
    )
    return (
        f"would build {formats.count(len(build), 'master')}: {formats.data_size(n_bytes)} to "
        f"read, {_about(seconds)}, {formats.data_size(4 * pixels)} of masters"
    )


def _about(seconds: float) -> str:
    if seconds < 60:
        return "less than a minute"
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes < 90 else f"about {seconds / 3600:.1f} h"


def _bytes_per_second(groups: Sequence[GroupPlan]) -> float:
    """Read some frames from all over, and return how fast that was."""
    paths = [Path(group.frames[len(group.frames) // 2].path) for group in groups]
    started, read = time.perf_counter(), 0
    for path in paths[:: max(1, len(paths) // 5)]:
        try:
            with path.open("rb", buffering=0) as file:
                while read < _SAMPLE_BYTES and (some := file.read(1 << 22)):
                    read += len(some)
        except OSError:
            continue
    return max(1e6, read / max(1e-6, time.perf_counter() - started))


def _of_groups(groups: Sequence[GroupPlan], config: Config) -> Iterator[Item]:
    for group in groups:
        n = len(group.frames)
        what = f"{formats.label(group)} {(group.first_date_obs or '')[:10]}".rstrip()
        least = getattr(config.frames.minimum, group.frame_type.value)
        if group.action is Action.TOO_FEW:
            more = f"shoot {group.required - n} more, or leave it"
            yield Item(Verdict.FAIL, what, f"not built: {n} frames, {group.required} needed", more)
        elif group.action is Action.BUILD and n < least:
            yield Item(Verdict.WARN, what, f"{n} frames, {least} wanted", f"shoot {least - n} more")
    for group in groups:
        calibrator = group.calibrator
        if calibrator is None or calibrator.kind is CalibratorKind.DARKFLAT:
            continue
        if group.action is not Action.BUILD:
            continue
        used = {
            CalibratorKind.DARK: "a dark",
            CalibratorKind.LIBRARY: "a master of the library",
            CalibratorKind.BIAS: "a bias",
        }.get(calibrator.kind, "nothing")
        exposure = formats.exposure(group.keys.exposure_s)
        what = f"{formats.title(group)} {exposure} {(group.first_date_obs or '')[:10]}".rstrip()
        remedy = f"shoot dark-flats of {exposure}, or go on"
        yield Item(Verdict.WARN, what, f"no dark-flats match: {used} will be used", remedy)


def _of_frames(frames: Sequence[Frame]) -> Iterator[Item]:
    alike: dict[ReasonCode, list[tuple[Frame, Reason]]] = {}
    for frame in frames:
        aside = frame.status is Status.SET_ASIDE and frame.frame_type is not FrameType.LIGHT
        if aside and frame.reason is not None:
            alike.setdefault(frame.reason.code, []).append((frame, frame.reason))
    for some in sorted(alike.values(), key=lambda some: -len(some)):
        first, reason = some[0]
        name = Path(first.path.replace("\\", "/")).name
        what = f"{len(some)} files" if len(some) > 1 else name
        yield Item(Verdict.WARN, f"{what} left out", reason.text, reason.remedy)

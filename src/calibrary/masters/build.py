"""Make the candidate of one group: check its frames, integrate them, measure what came out."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibrary import progress
from calibrary.files import write_text_atomic
from calibrary.integrate.engine import Integration, integrate
from calibrary.integrate.frames import IntegrationError, MixedFramesError
from calibrary.masters.header import master_header
from calibrary.masters.preview import render_preview
from calibrary.pixels.reading import FrameReader, read_image, without_missing
from calibrary.pixels.writing import write_master
from calibrary.records import (
    Action,
    CalibraryError,
    GroupPlan,
    InputFrame,
    UnreachableError,
)
from calibrary.verify.inputs import MAX_SET_ASIDE, InputCheck, check_frames
from calibrary.verify.measure import measure
from calibrary.verify.standalone import measure_file

logger = logging.getLogger(__name__)

SUFFIXES = {"xisf": (".xisf",), "fits": (".fits",), "both": (".xisf", ".fits")}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the inputs and outputs of a job lie.

    `measured` names the figures' JSON file; the candidates lie beside it under the same stem.
    """

    measured: Path
    preview: Path
    library: Path
    candidates: Path
    """The folder with the other groups' candidates, where a flat finds its calibrator."""


class NothingToBuildError(Exception):
    """The frames of a group give no master; the text is the reason."""


def build_group(
    plan: GroupPlan,
    place: Place,
    *,
    output: Mapping[str, Any],
    calibrator_usable: Callable[[Path], bool],
    threads: int,
    mem_mb: int,
) -> None:
    """Write candidate, figures and preview of one group.

    Parameters
    ----------
    plan
        The work order. A master that is there already is measured, not made.
    place
        Where everything goes.
    output
        The configuration's ``output``: format, codec, shuffle, checksum, FITS units.
    calibrator_usable
        Tells of a calibrator's figures whether it passes verification.
    threads, mem_mb
        What the job may use: threads, and resident memory in MB (10⁶ bytes).

    Raises
    ------
    UnreachableError
        Frames are away just now, or changed while the job ran; nothing is recorded.
    CalibraryError
        The library's master, for a group that is only measured, cannot be read; or there is no
        room to write.
    """
    started = time.monotonic()
    for suffix in SUFFIXES["both"]:
        place.measured.with_suffix(suffix).unlink(missing_ok=True)
    calibrator = _Calibrator.choose(plan, place, calibrator_usable)
    record: dict[str, Any] = {
        "group": plan.group,
        "digest": plan.digest,
        "failure": "",
        "header": {},
        "n_combined": 0,
        "bytes_read": 0,
        "calibrator": calibrator.record if calibrator else None,
        "figures": {},
        "frames": [],
        "plots": {},
    }
    master: NDArray[np.float32] | None = None
    try:
        if plan.action is Action.BUILD:
            master, made = _integrated(plan, place, calibrator, output, threads, mem_mb)
        else:
            existing = place.library / plan.master
            master = without_missing(read_image(existing)[0])
            made = measure_file(existing, plan.frame_type)
        record.update(made)
    except NothingToBuildError as reason:
        # A file that is just being copied is no bad one.
        _require_unchanged(plan.frames)
        logger.warning("%s: not built: %s", plan.group, reason)
        record["failure"] = f"not built: {reason}"
    record["seconds"] = round(time.monotonic() - started, 3)
    place.preview.parent.mkdir(parents=True, exist_ok=True)
    place.preview.write_bytes(render_preview(master, plan.keys.bayer_pattern, plan.keys.channels))
    write_text_atomic(place.measured, json.dumps(record))


@dataclass(frozen=True, slots=True)
class _Calibrator:
    """What is really subtracted: the plan's choice, or the published master in its stead."""

    path: Path | None
    record: dict[str, Any]
    missing: str = ""
    """Why the flats cannot be calibrated, and so not be built."""

    @classmethod
    def choose(
        cls, plan: GroupPlan, place: Place, usable: Callable[[Path], bool]
    ) -> _Calibrator | None:
        if plan.calibrator is None:
            return None
        chosen = plan.calibrator
        record = {
            "kind": chosen.kind,
            "group": chosen.group,
            "master": chosen.master,
            "reason": chosen.reason,
            "used": None,
        }
        if chosen.master is None:
            return cls(None, record)
        published = place.library / chosen.master
        if chosen.group is None:
            return cls(published, record | {"used": "library"})
        measured = place.candidates / f"{chosen.group}.json"
        if usable(measured):
            for suffix in SUFFIXES["both"]:
                candidate = measured.with_suffix(suffix)
                if candidate.exists():
                    return cls(candidate, record | {"used": "candidate"})
            # A group whose master was in the library already has no candidate.
            return cls(published, record | {"used": "candidate"})
        if published.exists():
            reason = f"{chosen.group} failed verification; the published master it would replace"
            return cls(published, record | {"used": "published", "reason": reason})
        missing = f"its calibrator {chosen.group} failed verification and has no published master"
        return cls(None, record | {"used": "none", "reason": missing}, missing)


def _integrated(
    plan: GroupPlan,
    place: Place,
    calibrator: _Calibrator | None,
    output: Mapping[str, Any],
    threads: int,
    mem_mb: int,
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Integrate, measure and write the candidate; return its pixels and its figures."""
    if calibrator is not None and calibrator.missing:
        raise NothingToBuildError(calibrator.missing)
    path = calibrator.path if calibrator else None
    used, inputs, integration = _combined(plan, place, path, threads, mem_mb)
    previous = _previous(plan, place)
    measured = measure(plan, integration.master, integration, inputs, previous=previous)
    _require_unchanged(plan.frames)
    record = calibrator.record if calibrator else None
    header = master_header(plan, used, integration, measured, record)
    figures = measured["figures"]
    missing = integration.missing
    figures["pixels.missing"] = 0.0 if missing is None else float(np.count_nonzero(missing))
    for suffix in SUFFIXES[output["format"]]:
        changed = write_master(
            place.measured.with_suffix(suffix),
            integration.marked,
            height=plan.keys.height,
            channels=plan.keys.channels,
            output=output,
            threads=threads,
            **header,
        )
        share = changed / integration.master.size
        figures["pixels.changed"] = max(share, figures.get("pixels.changed", 0.0))
    return integration.master, {
        **measured,
        "header": header,
        "n_combined": len(used),
        "bytes_read": integration.bytes_read,
    }


def _combined(
    plan: GroupPlan, place: Place, calibrator: Path | None, threads: int, mem_mb: int
) -> tuple[list[InputFrame], InputCheck, Integration]:
    """Check the frames and integrate those that are good; each is opened, and unpacked, once."""
    scratch = place.measured.parent
    opened: dict[str, FrameReader] = {}
    odd: dict[str, str] = {}
    try:
        inputs = check_frames(plan, scratch=scratch, opened=opened)
        while True:
            set_aside = odd | {check.path: check.reason or "" for check in inputs.set_aside}
            used = [frame for frame in plan.frames if frame.path not in set_aside]
            _require_enough(plan, used, set_aside)
            try:
                integration = integrate(
                    [Path(frame.path) for frame in used],
                    plan.integration,
                    calibrator=calibrator,
                    bayer_pattern=plan.keys.bayer_pattern,
                    threads=threads,
                    mem_mb=mem_mb,
                    scratch=scratch,
                    opened=opened,
                    progress=progress.tell,
                )
                break
            except MixedFramesError as mixed:
                odd = _odd_ones(mixed, len(plan.frames))
                opened.clear()
            except IntegrationError as error:
                raise NothingToBuildError(str(error)) from None
    finally:
        for reader in opened.values():
            reader.close()
    integration.dropped += odd.items()
    set_aside |= integration.dropped
    used = [frame for frame in used if frame.path not in set_aside]
    _require_enough(plan, used, set_aside)
    return used, inputs, integration


def _odd_ones(mixed: MixedFramesError, n_frames: int) -> dict[str, str]:
    """Return the frames that differ from most of the group, and how.

    Raises
    ------
    NothingToBuildError
        They are too many to tell which are the right ones.
    """
    (usual, _), *others = mixed.kinds.items()
    odd = {
        path: f"{kind}, those of the group {usual}: it cannot be combined with them"
        for kind, paths in others
        for path in paths
    }
    if len(odd) > MAX_SET_ASIDE * n_frames:
        raise NothingToBuildError(str(mixed)) from None
    return odd


def _require_unchanged(frames: Sequence[InputFrame]) -> None:
    """Check that the files are those of the work order, before their pixels count.

    Raises
    ------
    UnreachableError
        One was replaced, or is away or still being written.
    """
    for frame in frames:
        try:
            stat = Path(frame.path).stat()
        except OSError as error:
            text = f"cannot be reached any more ({error.strerror})"
            raise UnreachableError(frame.path, text) from None
        if (stat.st_size, stat.st_mtime_ns) != (frame.size_bytes, frame.mtime_ns):
            text = "changed while the workflow ran"
            raise UnreachableError(frame.path, text, "run again when it is complete")


def _require_enough(
    plan: GroupPlan, used: Sequence[InputFrame], set_aside: Mapping[str, str]
) -> None:
    if len(used) >= plan.required:
        return
    reasons = "; ".join(f"{Path(path).name}: {why}" for path, why in list(set_aside.items())[:3])
    msg = f"{len(used)} usable frames of {len(plan.frames)}, {plan.required} required ({reasons})"
    raise NothingToBuildError(msg)


def _previous(plan: GroupPlan, place: Place) -> NDArray[np.float32] | None:
    """Return the master before this one, for comparison, where it can be read."""
    for name in (plan.master, plan.previous):
        path = name and place.library / name
        if path and path.exists():
            try:
                return without_missing(read_image(path)[0])
            except CalibraryError as error:
                logger.warning("the previous master is not compared: %s", error)
    return None

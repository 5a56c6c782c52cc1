"""Existing masters, wherever they lie, into the structure of the library."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from calibrary.files import appearing
from calibrary.library.index import complete
from calibrary.library.master_names import setup_of
from calibrary.library.names import master_stem
from calibrary.records import CalibraryError, Frame, FrameType, keys_of

_CHUNK = 1 << 22
_ENDING = re.compile(r"(\.fits?|\.fts)?\.(gz|fz)$|\.(fits?|fts|xisf)$")


class Deed(StrEnum):
    """What is done with a file."""

    COPY = "copy"
    MOVE = "move"
    SAME = "already there"
    COLLISION = "collision"
    NO_MASTER = "no master"


@dataclass(frozen=True, slots=True)
class Step:
    """One file and where it goes."""

    source: Path
    target: Path | None
    deed: Deed
    reason: str = ""


def plan_steps(source: Path, library: Path, *, move: bool) -> list[Step]:
    """Return what is to be done with every image file below a folder.

    A master goes to the folder and name of the guide's pattern, made from its header and, where
    that is silent, its file name. A name that is taken, in the library or by another of the
    files, is a collision: the file stays where it is.

    Raises
    ------
    CalibraryError
        The folder is missing or cannot be read.
    """
    from calibrary.manifest.indexing import index_frames

    _require_folders(source, library)
    root = os.path.abspath(source)  # noqa: PTH100 - links stay as they are
    frames = [complete(frame, root) for frame in index_frames([source], None)]
    steps: list[Step] = []
    taken: dict[str, Path] = {}
    for frame in frames:
        step = _step(frame, library, move=move)
        if step.target is not None and step.deed is not Deed.SAME:
            other = taken.setdefault(str(step.target).casefold(), step.source)
            if other != step.source:
                step = _second(step, other)
        steps.append(step)
    return steps


def _require_folders(source: Path, library: Path) -> None:
    if not source.is_dir():
        what = (
            "is a file; give the folder it is in" if source.exists() else "there is no such folder"
        )
        raise CalibraryError(f"{source}: {what}")
    if library.exists() and not library.is_dir():
        raise CalibraryError(f"{library}: is a file; give the root of the library")


def _second(step: Step, other: Path) -> Step:
    """Return what becomes of a file whose place another file of the same run takes."""
    if _same_file(step.source, other):
        return Step(step.source, step.target, Deed.SAME, f"the same bytes as {other}")
    reason = f"{other} goes there too; rename or merge them"
    return Step(step.source, step.target, Deed.COLLISION, reason)


def _step(frame: Frame, library: Path, *, move: bool) -> Step:
    source = Path(frame.path)
    kind = frame.master_of
    if frame.frame_type is not FrameType.MASTER or kind is None or not frame.width:
        return Step(source, None, Deed.NO_MASTER, _why_not(frame))
    if kind not in (FrameType.BIAS, FrameType.DARK, FrameType.DARKFLAT, FrameType.FLAT):
        return Step(source, None, Deed.NO_MASTER, f"a master {kind} is no calibration master")
    known = frame.telescope is not None or frame.camera is not None
    # A name has both in one word, sanitised.
    setup = None if known else setup_of(frame.path.replace(os.sep, "/"))
    stem = master_stem(kind, keys_of(frame), frame.date_obs, setup)
    ending = _ENDING.search(source.name.lower())
    target = library / (stem + (ending[0] if ending else source.suffix))
    if not target.exists():
        told = "" if known or setup else "neither header nor name tells telescope and camera"
        return Step(source, target, Deed.MOVE if move else Deed.COPY, told)
    if _same_file(source, target):
        return Step(source, target, Deed.SAME)
    reason = "another file has this name in the library; nothing is overwritten"
    return Step(source, target, Deed.COLLISION, reason)


def _why_not(frame: Frame) -> str:
    if frame.frame_type is FrameType.MASTER:
        if frame.width:
            return "neither header nor name tells what it is a master of"
        return str(frame.reason or "its image cannot be read")
    return f"{frame.reason or f'a raw {frame.frame_type}'}; only masters are put into the library"


def _same_file(source: Path, target: Path) -> bool:
    if source.samefile(target):
        return True
    if source.stat().st_size != target.stat().st_size:
        return False
    with source.open("rb") as first, target.open("rb") as second:
        while chunk := first.read(_CHUNK):
            if chunk != second.read(_CHUNK):
                return False
    return True


def carry_out(steps: Iterable[Step], done: Callable[[Step], None]) -> None:
    """Copy or move; `done` is called after each file.

    A file is written beside its place, flushed to the disk and renamed, and a source is removed
    only after that: an interrupted run leaves every master whole and can be run again.

    Raises
    ------
    CalibraryError
        A file cannot be read or written; what was done before stays.
    """
    for step in steps:
        if step.target is not None and step.deed in (Deed.COPY, Deed.MOVE):
            try:
                with appearing(step.target, replace=False) as beside:
                    shutil.copy2(step.source, beside)
                if step.deed is Deed.MOVE:
                    step.source.unlink()
            except OSError as error:
                reason = error.strerror or str(error)
                msg = f"{step.source}: not put to {step.target} ({reason}); mend it and run again"
                raise CalibraryError(msg) from None
            done(step)


def summary(steps: Sequence[Step]) -> dict[Deed, int]:
    """Return how many files there are of each deed."""
    return {deed: n for deed in Deed if (n := sum(step.deed is deed for step in steps))}

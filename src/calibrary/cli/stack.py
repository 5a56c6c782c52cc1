"""`calibrary stack`: one integration without the workflow."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from calibrary.records import (
    CALIBRATION_TYPES,
    Action,
    CalibraryError,
    Calibrator,
    CalibratorKind,
    Frame,
    FrameType,
    GroupKeys,
    GroupPlan,
    InputFrame,
)
from calibrary.records.keys import Rule, all_keys

if TYPE_CHECKING:
    from calibrary.integrate.engine import Integration

RejectionName = Literal[
    "auto", "none", "minmax", "percentile", "sigma", "winsorized", "averaged_sigma", "linear_fit",
    "esd", "median",
]  # fmt: skip
ProfileName = Literal["calibrary", "anawbpps", "wbpp", "siril"]
_SUFFIXES = (".xisf", ".fits", ".fit", ".fts")


def stack(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="FITS or XISF frames.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The master: .xisf, .fits, .fit or .fts.")
    ],
    rejection: Annotated[RejectionName, typer.Option(help="Rejection method.")] = "auto",
    low: Annotated[float | None, typer.Option(min=0.0, help="Low rejection limit.")] = None,
    high: Annotated[float | None, typer.Option(min=0.0, help="High rejection limit.")] = None,
    profile: Annotated[
        ProfileName, typer.Option(help="Whose definitions and defaults.")
    ] = "calibrary",
    type_: Annotated[
        Literal["bias", "dark", "darkflat", "flat"] | None,
        typer.Option("--type", help="What the frames are, where their headers do not say."),
    ] = None,
    calibrator: Annotated[
        Path | None, typer.Option(help="Master that is subtracted from every frame.")
    ] = None,
    normalize: Annotated[
        Literal["none", "multiplicative"] | None,
        typer.Option(help="Scaling of the frames; flats are scaled if nothing is said."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Processor cores to use.")] = 2,
    memory: Annotated[int, typer.Option(min=300, help="Memory to use, MB.")] = 1000,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
) -> None:
    """Combine frames into one master."""
    from calibrary.headers.reading import read_header
    from calibrary.integrate.choice import resolve
    from calibrary.integrate.engine import integrate

    _check_output(output, files, overwrite)
    frames = [read_header(file).frame for file in files]
    frame_type = _frame_type(frames[0], type_)
    _tell_mixture(frames, frame_type)
    scaling = normalize or ("multiplicative" if frame_type is FrameType.FLAT else "none")
    settings = {
        "profile": profile,
        "rejection": rejection,
        "low": low,
        "high": high,
        "normalization": scaling,
    }
    plan = _plan(frames, frame_type, resolve(frame_type, len(files), settings), calibrator)
    with _progress(f"{len(files)} frames") as report:
        made = integrate(
            files,
            plan.integration,
            calibrator=calibrator,
            bayer_pattern=plan.keys.bayer_pattern,
            threads=threads,
            mem_mb=memory,
            progress=report,
        )
    _write(output, plan, made, threads)
    _summarise(output, plan.integration, made)


def _tell_mixture(frames: list[Frame], frame_type: FrameType) -> None:
    """Say on standard error in what the frames differ; stacking them is the user's own choice."""
    types = sorted({frame.frame_type for frame in frames})
    if len(types) > 1:
        print(f"calibrary: the frames differ in type: {', '.join(types)}", file=sys.stderr)
    for key in all_keys():
        values = {key.value(frame) for frame in frames}
        if len(values) > 1 and key.rule is not Rule.SESSION and key.parts(frame_type):
            told = ", ".join(sorted(key.shown(value) for value in values)[:4])
            print(f"calibrary: the frames differ in {key.words}: {told}", file=sys.stderr)


def _frame_type(frame: Frame, told: str | None) -> FrameType:
    if told is not None:
        return FrameType(told)
    if frame.frame_type not in CALIBRATION_TYPES:
        raise CalibraryError(
            f"{frame.path}: is a {frame.frame_type.value} frame by its header; say what to make of "
            "it with --type bias, dark, darkflat or flat"
        )
    return frame.frame_type


def _plan(
    frames: list[Frame],
    frame_type: FrameType,
    integration: dict[str, Any],
    calibrator: Path | None,
) -> GroupPlan:
    """Return the work order of a stack: what the header of a master is made from."""
    first = frames[0]
    keys: dict[str, Any] = {name: getattr(first, name, None) for name in GroupKeys.__slots__}
    keys |= {
        "x_binning": first.x_binning or 1,
        "y_binning": first.y_binning or 1,
        "channels": first.channels or 1,
    }
    inputs = tuple(
        InputFrame(**{name: getattr(frame, name) for name in InputFrame.__slots__})
        for frame in frames
    )
    dates = sorted(frame.date_obs for frame in frames if frame.date_obs)
    digest = hashlib.sha256(
        repr(([(f.path, f.size_bytes, f.mtime_ns) for f in frames], integration)).encode()
    )
    return GroupPlan(
        group="stack",
        frame_type=frame_type,
        setup="",
        action=Action.BUILD,
        digest=digest.hexdigest(),
        keys=GroupKeys(**keys),
        frames=inputs,
        first_date_obs=dates[0] if dates else None,
        last_date_obs=dates[-1] if dates else None,
        master="",
        integration=integration,
        calibrator=Calibrator(CalibratorKind.LIBRARY, master=str(calibrator))
        if calibrator
        else None,
    )


def _check_output(output: Path, files: list[Path], overwrite: bool) -> None:
    if output.suffix.lower() not in _SUFFIXES:
        raise CalibraryError(f"{output}: must end in {', '.join(_SUFFIXES)}")
    if not output.exists():
        return
    if any(output.samefile(file) for file in files if file.exists()):
        raise CalibraryError(f"{output}: is one of the frames; choose another output")
    if not overwrite:
        raise CalibraryError(f"{output}: exists; choose another output, or give --overwrite")


@contextmanager
def _progress(description: str) -> Iterator[Callable[[float], None] | None]:
    """Show a progress bar on a terminal, nothing in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=1.0)
        yield lambda done: bar.update(task, completed=done)


def _write(output: Path, plan: GroupPlan, made: Integration, threads: int) -> None:
    from calibrary.masters.header import master_header
    from calibrary.pixels.writing import write_master

    lost = {path for path, _ in made.dropped}
    used = [frame for frame in plan.frames if frame.path not in lost]
    subtracted = None
    if plan.calibrator is not None:
        subtracted = {"kind": plan.calibrator.kind.value, "master": plan.calibrator.master}
    changed = write_master(
        output,
        made.marked,
        height=made.master.shape[0] // plan.keys.channels,
        channels=plan.keys.channels,
        threads=threads,
        **master_header(plan, used, made, {"figures": {}}, subtracted),
    )
    for count, what in (
        (0 if made.missing is None else int(made.missing.sum()), "have no sample in any frame"),
        (changed, "are outside 0 to 65535 ADU, and were set to the nearer of the two"),
    ):
        if count:
            print(f"calibrary: {output}: {count} pixels {what}", file=sys.stderr)


def _summarise(output: Path, integration: dict[str, Any], made: Integration) -> None:
    for path, reason in made.dropped:
        told = reason if path in reason else f"{path}: {reason}"
        print(f"calibrary: left out: {told}", file=sys.stderr)
    total = made.master.size * len(made.frames)
    limits = f" {integration['low']:g} / {integration['high']:g}"
    print(
        f"{output}: {len(made.frames)} frames, {integration['method']}"
        f"{limits if integration['low'] or integration['high'] else ''}, rejected "
        f"{made.rejected_low / total:.4%} low, {made.rejected_high / total:.4%} high, "
        f"{made.seconds:.2f} s"
    )

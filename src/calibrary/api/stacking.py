"""One integration without the workflow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from calibrary.api.reading import frame_files
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
TypeName = Literal["bias", "dark", "darkflat", "flat"]
Scaling = Literal["none", "multiplicative"]

MASTER_SUFFIXES = (".xisf", ".fits", ".fit", ".fts")


@dataclass(frozen=True, slots=True)
class Stack:
    """What came of combining frames."""

    data: npt.NDArray[np.float32]
    """The master: ``[height, width]``, or ``[channels, height, width]``; ADU. NaN where no frame
    has a sample."""
    frame_type: FrameType
    n_frames: int
    """Frames that went into it."""
    rejected_low: float
    """Share of all samples that were rejected as too low."""
    rejected_high: float
    dropped: tuple[tuple[str, str], ...]
    """Path and reason of frames that could not be read."""
    mixture: tuple[str, ...]
    """In what the frames differ though they should not, in words."""
    order: GroupPlan
    """What was combined and how; the header of the master is made from it."""
    made: Integration
    """What the engine returned."""

    def write(self, path: str | PathLike[str], *, overwrite: bool = False, threads: int = 2) -> int:
        """Write the master with a full header: ``.xisf`` in [0, 1], or ``.fits`` in ADU.

        Returns
        -------
        int
            Pixels outside 0 to 65535 ADU that the format cannot hold, set to the nearer of both.

        Raises
        ------
        CalibraryError
            The suffix is another, the file is one of the frames, it exists and `overwrite` is not
            said, or it cannot be written.
        """
        from calibrary.masters.header import master_header
        from calibrary.pixels.writing import write_master

        target = Path(path)
        check_output(target, [Path(f.path) for f in self.order.frames], overwrite=overwrite)
        lost = {name for name, _ in self.dropped}
        used = [frame for frame in self.order.frames if frame.path not in lost]
        subtracted = None
        if self.order.calibrator is not None:
            kind, master = self.order.calibrator.kind, self.order.calibrator.master
            subtracted = {"kind": kind.value, "master": master}
        channels = self.order.keys.channels
        changed: int = write_master(
            target,
            self.made.marked,
            height=self.made.master.shape[0] // channels,
            channels=channels,
            threads=threads,
            **master_header(self.order, used, self.made, {"figures": {}}, subtracted),
        )
        return changed


def stack(
    paths: Iterable[str | PathLike[str]] | str | PathLike[str],
    *,
    rejection: RejectionName = "auto",
    low: float | None = None,
    high: float | None = None,
    profile: ProfileName = "calibrary",
    frame_type: TypeName | None = None,
    calibrator: str | PathLike[str] | None = None,
    normalize: Scaling | None = None,
    threads: int = 2,
    memory_mb: int = 1000,
    progress: Callable[[float], None] | None = None,
) -> Stack:
    """Combine frames into one master: the mean of what rejection leaves.

    Parameters
    ----------
    paths
        FITS or XISF frames of one size, or folders of them.
    rejection, low, high
        Method and its limits, in its own units; None: the default for this type.
    profile
        Whose definitions and defaults.
    frame_type
        What the frames are, where their headers do not say.
    calibrator
        A master that is subtracted from every frame first.
    normalize
        Scaling of the frames before rejection; None: multiplicative for flats, else none.
    threads, memory_mb
        What may be used: processor cores, and memory in MB. They change no bit of the master.
    progress
        Called with the finished fraction.

    Raises
    ------
    CalibraryError
        No frame can be read, or frames do not fit together.

    Examples
    --------
    >>> import calibrary
    >>> dark = calibrary.stack("night/darks", rejection="sigma", low=4, high=3)
    >>> dark.n_frames, dark.data.shape
    (5, (64, 96))
    >>> dark.write("master_dark.xisf")
    0
    """
    from calibrary.headers.reading import read_header
    from calibrary.integrate.choice import resolve
    from calibrary.integrate.engine import integrate

    files = frame_files(paths)
    if not files:
        raise CalibraryError("no frames to combine were given")
    frames = [read_header(file).frame for file in files]
    kind = _frame_type(frames[0], frame_type)
    settings = {
        "profile": profile,
        "rejection": rejection,
        "low": low,
        "high": high,
        "normalization": normalize or ("multiplicative" if kind is FrameType.FLAT else "none"),
    }
    subtracted = Path(calibrator) if calibrator is not None else None
    order = _order(frames, kind, resolve(kind, len(files), settings), subtracted)
    made = integrate(
        files,
        order.integration,
        calibrator=subtracted,
        bayer_pattern=order.keys.bayer_pattern,
        threads=threads,
        mem_mb=memory_mb,
        progress=progress,
    )
    channels = order.keys.channels
    marked = made.marked
    rows, width = marked.shape
    total = made.master.size * len(made.frames)
    return Stack(
        data=marked.reshape(channels, rows // channels, width) if channels > 1 else marked,
        frame_type=kind,
        n_frames=len(made.frames),
        rejected_low=made.rejected_low / total,
        rejected_high=made.rejected_high / total,
        dropped=tuple((str(path), str(reason)) for path, reason in made.dropped),
        mixture=tuple(_mixture(frames, kind)),
        order=order,
        made=made,
    )


def check_output(output: Path, files: Sequence[Path], *, overwrite: bool) -> None:
    """Refuse to write a master where it must not go.

    Raises
    ------
    CalibraryError
        The suffix is unknown, the file is one of the frames, or exists.
    """
    if output.suffix.lower() not in MASTER_SUFFIXES:
        raise CalibraryError(f"{output}: must end in {', '.join(MASTER_SUFFIXES)}")
    if not output.exists():
        return
    if any(output.samefile(file) for file in files if file.exists()):
        raise CalibraryError(f"{output}: is one of the frames; choose another output")
    if not overwrite:
        raise CalibraryError(f"{output}: exists; choose another output, or give --overwrite")


def _mixture(frames: Sequence[Frame], frame_type: FrameType) -> Iterable[str]:
    types = sorted({frame.frame_type for frame in frames})
    if len(types) > 1:
        yield f"type: {', '.join(types)}"
    for key in all_keys():
        values = {key.value(frame) for frame in frames}
        if len(values) > 1 and key.rule is not Rule.SESSION and key.parts(frame_type):
            yield f"{key.words}: {', '.join(sorted(key.shown(value) for value in values)[:4])}"


def _frame_type(frame: Frame, told: str | None) -> FrameType:
    if told is not None:
        return FrameType(told)
    if frame.frame_type not in CALIBRATION_TYPES:
        raise CalibraryError(
            f"{frame.path}: is a {frame.frame_type.value} frame by its header; say what to make of "
            "it with --type bias, dark, darkflat or flat"
        )
    return frame.frame_type


def _order(
    frames: Sequence[Frame],
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

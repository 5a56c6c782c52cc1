"""Integrate a stack of frames into a master: bands of rows, as memory allows, in threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from calibrary.integrate.frames import FrameLostError, Frames, IntegrationError, check_alike
from calibrary.integrate.job import Job
from calibrary.integrate.levels import Levels, measure_levels
from calibrary.integrate.noise import HalfDifferences
from calibrary.integrate.siril_levels import measure_siril_levels
from calibrary.pixels.reading import FrameReader, read_image

Image = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FrameStats:
    """What became of one frame of an integration."""

    path: str
    scale: float
    """What its samples were multiplied with; the mean over the planes of a mosaic."""
    level: float | None
    """Median of the central part above the calibrator, ADU; measured only when scaled."""
    rejected_low: int
    rejected_high: int
    nonfinite: int
    """Samples that were NaN or infinite."""
    fraction: float
    """Samples rejected or not finite, of all its samples."""


@dataclass(slots=True)
class Integration:
    """A master and what was learnt while it was made."""

    master: Image
    """``[rows, width]``, ADU."""
    frames: list[FrameStats]
    """In the order of the paths, without those dropped."""
    kept_counts: list[int]
    """Pixels by the number of samples kept: ``kept_counts[k]`` have k of them."""
    halves: HalfDifferences
    """Odd against even frames: the noise of the master."""
    rejected_low: int = 0
    rejected_high: int = 0
    nonfinite: int = 0
    missing: npt.NDArray[np.bool_] | None = None
    """``[rows, width]``, pixels without a sample in any frame; ``None`` where there are none. Only
    so that the master can be measured do they have its median in `master`."""
    dropped: list[tuple[str, str]] = field(default_factory=list)
    """``(path, reason)`` of frames that could not be read."""
    bytes_read: int = 0
    seconds: float = 0.0

    @property
    def marked(self) -> Image:
        """The master as it is to be written: NaN where pixels are missing."""
        if self.missing is None:
            return self.master
        return np.where(self.missing, np.float32(np.nan), self.master)


def integrate(
    paths: Sequence[Path | str],
    integration: Mapping[str, Any],
    *,
    calibrator: Path | Image | None = None,
    bayer_pattern: str | None = None,
    threads: int = 1,
    mem_mb: int = 2048,
    progress: Callable[[float], None] | None = None,
    scratch: Path | None = None,
    opened: Mapping[str, FrameReader] | None = None,
) -> Integration:
    """Combine frames into a master: the mean of what rejection leaves.

    The master has the same bits for any number of threads and any memory.

    Parameters
    ----------
    paths
        FITS or XISF files of one geometry, sample format and scale.
    integration
        What `choice.resolve` returned.
    calibrator
        A master, file or ``[rows, width]`` in ADU, that is subtracted from every frame first.
    bayer_pattern
        Of the sensor; with multiplicative normalisation each colour is scaled by itself.
    threads
        Bands in work at the same time.
    mem_mb
        Memory the process may take, MB; see `resources.memory_mb`.
    progress
        Called with the finished fraction.
    scratch
        Folder for unpacked frames.
    opened
        Frames that are open already, by path; they are closed here.

    Raises
    ------
    IntegrationError
        No frame can be read; frames, or frames and the calibrator, do not fit together.
    UnreachableError
        A file is away just now.
    CalibraryError
        The calibrator cannot be read.
    """
    started = time.perf_counter()
    frames = Frames([Path(p) for p in paths], scratch, threads, opened)
    try:
        while True:
            _require_frames(frames)
            try:
                result = _integrate_once(
                    frames, integration, calibrator, bool(bayer_pattern), threads, mem_mb, progress
                )
                break
            except FrameLostError as lost:
                frames.drop(lost.index, lost.reason)
    finally:
        frames.close()
    result.dropped = frames.dropped
    result.seconds = time.perf_counter() - started
    return result


def _require_frames(frames: Frames) -> None:
    if not frames:
        reasons = frames.dropped[0][1] if frames.dropped else "none given"
        raise IntegrationError(f"no frame to integrate can be read: {reasons}")


def _calibrator(calibrator: Path | Image | None, frames: Frames) -> Image | None:
    if calibrator is None:
        return None
    name = "the calibrator" if isinstance(calibrator, np.ndarray) else str(calibrator)
    image = calibrator if isinstance(calibrator, np.ndarray) else read_image(calibrator)[0]
    layout = frames.layout
    if image.shape != (layout.rows, layout.width):
        raise IntegrationError(
            f"{name}: {image.shape[1]} x {image.shape[0]} cannot be subtracted from "
            f"{frames.paths[0]}: {layout.width} x {layout.rows}; take another calibrator"
        )
    return np.ascontiguousarray(image, np.float32)


def _integrate_once(
    frames: Frames,
    integration: Mapping[str, Any],
    calibrator: Path | Image | None,
    mosaic: bool,
    threads: int,
    mem_mb: int,
    progress: Callable[[float], None] | None,
) -> Integration:
    check_alike(frames)
    dark = _calibrator(calibrator, frames)
    levels = None
    if integration.get("normalization") == "multiplicative":
        if integration.get("profile") == "siril":
            levels = measure_siril_levels(frames, dark, threads)
        else:
            levels = measure_levels(frames, dark, mosaic, threads)
    job = Job(frames, integration, dark, levels, threads)
    job.run(mem_mb, progress)
    low, high, nonfinite = (int(total) for total in job.counted.sum(axis=1))
    return Integration(
        master=job.master,
        frames=_frame_stats(frames, job, levels),
        kept_counts=job.kept_counts.tolist(),
        halves=job.halves,
        rejected_low=low,
        rejected_high=high,
        nonfinite=nonfinite,
        missing=_fill_missing(job.master) if nonfinite else None,
        bytes_read=len(frames) * frames.layout.rows * frames.layout.row_bytes,
    )


def _frame_stats(frames: Frames, job: Job, levels: Levels | None) -> list[FrameStats]:
    stats = []
    for k, path in enumerate(frames.paths):
        low, high, nonfinite = (int(count) for count in job.counted[:, k])
        stats.append(
            FrameStats(
                path=str(path),
                scale=1.0 if levels is None else float(levels.factor[k].mean()),
                level=None if levels is None else float(levels.level[k].mean()),
                rejected_low=low,
                rejected_high=high,
                nonfinite=nonfinite,
                fraction=(low + high + nonfinite) / job.master.size,
            )
        )
    return stats


def _fill_missing(master: Image) -> npt.NDArray[np.bool_] | None:
    """Give pixels that no frame has a sample of the median of the master; return which they are."""
    missing = ~np.isfinite(master)
    if not missing.any():
        return None
    master[missing] = np.median(master[~missing]) if not missing.all() else 0.0
    return missing

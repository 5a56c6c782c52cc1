"""Series of frames on disk, as a capture program saves them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np

from calibrary.records import FrameType
from calibrary.simulate.defects import Defect
from calibrary.simulate.files import write_fits, write_xisf
from calibrary.simulate.frames import Shot, make_frames, true_master
from calibrary.simulate.headers import Facts, Program, night_of, nina_properties
from calibrary.simulate.scene import DEFAULT_SCENE, Scene
from calibrary.simulate.sensor import Sensor

Container = Literal["fits", "xisf", "xisf_lz4"]

PAUSE_S = 2.0
"""Time between the end of an exposure and the start of the next, s."""


@dataclass(frozen=True)
class Camera:
    """A camera on its telescope, and the program that runs it."""

    name: str
    telescope: str
    sensor: Sensor
    program: Program
    gain: int
    """The gain setting."""
    offset: int
    """The offset setting."""
    readout_mode: str | None = None
    usb_limit: int | None = None


@dataclass(frozen=True)
class Series:
    """Frames of one kind taken in a row."""

    frame_type: FrameType
    count: int
    start: str
    """UTC, ISO 8601."""
    exposure_s: float = 0.0
    temp_c: float = -10.0
    filter: str | None = None
    scene: Scene = DEFAULT_SCENE
    container: Container = "fits"
    defects: tuple[Defect, ...] = ()
    truncate_last: bool = False
    """Power fails while the last file is being written."""

    @property
    def start_time(self) -> datetime:
        """Start of the first exposure."""
        return datetime.fromisoformat(self.start).replace(tzinfo=UTC)


def write_series(
    folder: Path, camera: Camera, series: Series, *, seed: int = 0, first_number: int = 1
) -> list[Path]:
    """Take a series and save its frames below `folder`.

    File times are those at which the real program would have written, so that two runs of equal
    seed give equal folders.

    Returns
    -------
    list of Path
        The files, in the order they were taken.
    """
    shots = make_frames(
        camera.sensor,
        series.frame_type,
        series.count,
        exposure_s=series.exposure_s,
        temp_c=series.temp_c,
        scene=series.scene,
        defects=series.defects,
        seed=seed,
    )
    step = timedelta(seconds=series.exposure_s + PAUSE_S)
    paths = []
    for index, shot in enumerate(shots):
        start = series.start_time + index * step
        facts = _facts(camera, series, shot, start, first_number + index)
        path = _save(folder, camera.program, series.container, facts, shot.data)
        if series.truncate_last and index == series.count - 1:
            os.truncate(path, path.stat().st_size * 2 // 3)
        written = (start + timedelta(seconds=series.exposure_s + 1)).timestamp()
        os.utime(path, (written, written))
        paths.append(path)
    return paths


def _facts(camera: Camera, series: Series, shot: Shot, start: datetime, number: int) -> Facts:
    return Facts(
        frame_type=series.frame_type,
        camera=camera.name,
        telescope=camera.telescope,
        start=start,
        exposure_s=series.exposure_s,
        set_temp_c=series.temp_c,
        ccd_temp_c=shot.ccd_temp_c,
        gain=camera.gain,
        offset=camera.offset,
        egain=camera.sensor.gain,
        number=number,
        filter=series.filter,
        readout_mode=camera.readout_mode,
        usb_limit=camera.usb_limit,
        bayer_pattern=camera.sensor.bayer_pattern,
        pixel_um=camera.sensor.pixel_um,
    )


def _save(
    folder: Path, program: Program, container: Container, facts: Facts, data: np.ndarray[Any, Any]
) -> Path:
    keywords = program.keywords(facts)
    if container == "fits":
        suffix = ".fits" if program.name == "N.I.N.A." else ".fit"
        path = folder / program.path(facts, suffix)
        write_fits(path, data, keywords)
        return path
    path = folder / program.path(facts, ".xisf")
    write_xisf(
        path,
        data,
        keywords,
        nina_properties(facts),
        image_type=program.image_type[facts.frame_type],
        creator="N.I.N.A. 3.1.2.9001 (x64)",
        compress=container == "xisf_lz4",
    )
    return path


def truth_name(camera: Camera, series: Series) -> str:
    """Return a readable file name for the true master of a series, without suffix."""
    parts = [
        camera.name.replace(" ", "_"),
        series.frame_type.value,
        series.filter if series.frame_type is FrameType.FLAT else None,
        None if series.frame_type is FrameType.BIAS else f"{series.exposure_s:g}s",
        f"{series.temp_c:g}C",
        night_of(series.start_time),
    ]
    return "_".join(p for p in parts if p)


def write_truth(folder: Path, camera: Camera, series: Series) -> Path:
    """Write the true noiseless master of a series as float32 FITS in ADU."""
    master = true_master(
        camera.sensor,
        series.frame_type,
        exposure_s=series.exposure_s,
        temp_c=series.temp_c,
        scene=series.scene,
    )
    path = folder / f"{truth_name(camera, series)}.fits"
    write_fits(path, master.astype(np.float32), [("BUNIT", "adu", "Unit of the samples")])
    return path

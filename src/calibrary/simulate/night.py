"""The demo: what two small observatories bring home from one night and a bit of the next."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from calibrary.files import write_text_atomic
from calibrary.records import CalibraryError, FrameType
from calibrary.simulate.defects import Defect
from calibrary.simulate.headers import ASIAIR, NINA
from calibrary.simulate.scene import Scene
from calibrary.simulate.sensor import Sensor
from calibrary.simulate.series import Camera, Series, truth_name, write_series, write_truth

DEFAULT_SIZE = (512, 384)
"""Width and height of the demo's frames, pixels."""

BIAS, DARK, DARKFLAT, FLAT = (
    FrameType.BIAS,
    FrameType.DARK,
    FrameType.DARKFLAT,
    FrameType.FLAT,
)


def mono_camera(size: tuple[int, int] = DEFAULT_SIZE, seed: int = 1) -> Camera:
    """Return the demo's monochrome camera, run by N.I.N.A."""
    sensor = Sensor(
        *size,
        gain=0.333,
        offset_adu=500.0,
        read_noise_e=1.7,
        row_noise_e=0.15,
        dark_e_s=0.003,
        glow_e_s=0.08,
        hot_fraction=3e-4,
        seed=seed,
    )
    return Camera(
        "QHY600M",
        'Edge HD 8"',
        sensor,
        NINA,
        gain=56,
        offset=10,
        readout_mode="High Gain Mode",
        usb_limit=10,
    )


def colour_camera(size: tuple[int, int] = DEFAULT_SIZE, seed: int = 1) -> Camera:
    """Return the demo's colour camera, run by an ASIAIR, which names the mount as telescope."""
    sensor = Sensor(
        *size,
        gain=0.25,
        offset_adu=500.0,
        read_noise_e=1.4,
        row_noise_e=0.1,
        dark_e_s=0.002,
        glow_e_s=0.0,
        hot_fraction=5e-4,
        bayer_pattern="RGGB",
        seed=seed + 1,
    )
    return Camera("ZWO ASI2600MC Pro", "ZWO AM5", sensor, ASIAIR, gain=100, offset=50)


def _flats(name: str, dust: int, falloff: float, level: float = 0.5) -> dict[str, Any]:
    return {"filter": name, "scene": Scene(level, corner_falloff=falloff, seed=dust)}


FIRST_EVENING = date(2025, 11, 10)
"""When the demo begins, if nothing is said."""


def mono_series(evening: date = FIRST_EVENING) -> list[Series]:
    """Return what the monochrome camera takes: one full night, and little of the next."""
    first, second = f"{evening}T", f"{evening + timedelta(days=1)}T"
    saturated = Defect("saturated", 2.5, frame=4)
    return [
        Series(FLAT, 20, first + "16:05:00", 0.5, **_flats("L", 1, 0.28)),
        Series(FLAT, 20, first + "16:10:00", 1.5, **_flats("R", 2, 0.26)),
        Series(FLAT, 20, first + "16:15:00", 1.5, **_flats("G", 3, 0.25)),
        Series(FLAT, 21, first + "16:20:00", 1.5, defects=(saturated,), **_flats("B", 4, 0.24)),
        Series(FLAT, 20, first + "16:25:00", 6.0, container="xisf", **_flats("Ha", 5, 0.22)),
        Series(DARKFLAT, 16, first + "16:35:00", 0.5),
        Series(DARKFLAT, 16, first + "16:40:00", 1.5),
        Series(DARKFLAT, 16, first + "16:45:00", 6.0, container="xisf"),
        Series(BIAS, 50, first + "17:00:00", container="xisf_lz4"),
        Series(DARK, 16, first + "18:00:00", 120.0),
        Series(DARK, 16, first + "18:40:00", 300.0, container="xisf"),
        Series(DARK, 16, first + "20:30:00", 120.0, 0.0),
        Series(DARK, 16, first + "21:10:00", 300.0, 0.0, container="xisf"),
        # The second evening is short of time: few bias frames, and no dark-flats for Ha.
        Series(FLAT, 20, second + "16:05:00", 0.5, **_flats("L", 6, 0.28)),
        Series(FLAT, 20, second + "16:10:00", 8.0, **_flats("Ha", 7, 0.22, 0.35)),
        Series(DARKFLAT, 16, second + "16:20:00", 0.5),
        Series(BIAS, 20, second + "16:30:00"),
    ]


def colour_series(evening: date = FIRST_EVENING) -> list[Series]:
    """Return what the colour camera takes; its last file is cut short by a power failure."""
    first = f"{evening}T"
    return [
        Series(FLAT, 24, first + "15:50:00", 0.8, scene=Scene(0.45, 0.3, seed=9)),
        Series(DARKFLAT, 16, first + "15:55:00", 0.8),
        Series(BIAS, 50, first + "16:00:00"),
        Series(DARK, 16, first + "17:00:00", 60.0),
        Series(DARK, 16, first + "17:30:00", 180.0),
        Series(DARK, 10, first + "19:00:00", 60.0, 0.0),
        Series(DARK, 17, first + "19:30:00", 180.0, 0.0, truncate_last=True),
    ]


def demo(
    size: tuple[int, int], seed: int, evening: date = FIRST_EVENING
) -> list[tuple[str, Camera, list[Series]]]:
    """Return folder, camera and series of both observatories."""
    return [
        ("NINA", mono_camera(size, seed), mono_series(evening)),
        ("ASIAIR", colour_camera(size, seed), colour_series(evening)),
    ]


def simulate_night(
    out: Path,
    seed: int = 1,
    *,
    frames: int | None = None,
    size: tuple[int, int] = DEFAULT_SIZE,
    evening: date = FIRST_EVENING,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write the demo's frames to ``out/frames`` and their truth to ``out/truth``.

    Parameters
    ----------
    out : Path
        Folder to fill; it must not hold ``frames`` or ``truth`` yet.
    seed : int
        Same seed, same bytes and same file times.
    frames : int, optional
        Frames of every series, instead of the demo's mixed counts.
    size : (int, int)
        Width and height, pixels.
    evening : date
        The first of its two evenings.
    progress : callable, optional
        Called with the number of series done and their total.

    Returns
    -------
    int
        Number of frames written.

    Raises
    ------
    CalibraryError
        `out` has been filled before.
    """
    for name in ("frames", "truth"):
        if (out / name).exists():
            raise CalibraryError(f"{out / name} exists already; give another folder or remove it")
    work = [
        (folder, camera, series if frames is None else replace(series, count=frames))
        for folder, camera, all_series in demo(size, seed, evening)
        for series in all_series
    ]
    truth = []
    numbers: dict[str, int] = {}
    for index, (folder, camera, series) in enumerate(work):
        first = numbers.get(folder, 0) + 1
        numbers[folder] = first + series.count - 1
        paths = write_series(
            out / "frames" / folder, camera, series, seed=_mix(seed, index), first_number=first
        )
        write_truth(out / "truth", camera, series)
        truth.append(_record(out, camera, series, paths))
        if progress is not None:
            progress(index + 1, len(work))
    _write_json(out / "truth" / "truth.json", {"seed": seed, "series": truth})
    return sum(numbers.values())


def _mix(seed: int, index: int) -> int:
    return seed * 1000 + index


def _record(out: Path, camera: Camera, series: Series, paths: list[Path]) -> dict[str, Any]:
    return {
        "truth": f"{truth_name(camera, series)}.fits",
        "camera": dataclasses.asdict(replace(camera, program=camera.program.name)),  # type: ignore[arg-type]
        "series": dataclasses.asdict(series),
        "frames": [p.relative_to(out).as_posix() for p in paths],
    }


def _write_json(path: Path, data: dict[str, Any]) -> None:
    import json

    write_text_atomic(path, json.dumps(data, indent=1) + "\n")

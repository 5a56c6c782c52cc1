"""Simulated groups on disk with their work orders, for the tests of verification."""

from dataclasses import replace
from pathlib import Path

from calibrary.records import (
    Action,
    Calibrator,
    CalibratorKind,
    FrameType,
    GroupKeys,
    GroupPlan,
    InputFrame,
)
from calibrary.simulate.headers import NINA
from calibrary.simulate.scene import Scene
from calibrary.simulate.sensor import Sensor
from calibrary.simulate.series import Camera, Series, write_series

SENSOR = Sensor(256, 192, gain=0.333, read_noise_e=1.7, row_noise_e=0.15, glow_e_s=0.08)
EXPOSURE_S = {
    FrameType.BIAS: 0.0,
    FrameType.DARK: 120.0,
    FrameType.DARKFLAT: 2.0,
    FrameType.FLAT: 2.0,
}


def write_group(
    folder: Path,
    frame_type: FrameType,
    count: int = 16,
    *,
    sensor: Sensor = SENSOR,
    defects=(),
    seed: int = 1,
    scene: Scene | None = None,
    container="fits",
    egain: float | None = None,
) -> GroupPlan:
    """Write a group of frames and return its work order."""
    camera = Camera("QHY600M", "Edge", sensor, NINA, gain=56, offset=10)
    series = Series(
        frame_type,
        count,
        "2025-11-10T18:00:00",
        EXPOSURE_S[frame_type],
        defects=tuple(defects),
        scene=scene or Scene(),
        container=container,
    )
    paths = write_series(folder, camera, series, seed=seed)
    return plan_of(paths, frame_type, sensor, egain=egain)


def plan_of(paths, frame_type: FrameType, sensor: Sensor, egain: float | None = None) -> GroupPlan:
    exposure = EXPOSURE_S[frame_type]
    keys = GroupKeys(
        telescope="Edge",
        camera="QHY600M",
        exposure_s=exposure,
        temp_c=-10.0,
        gain=56.0,
        offset=10.0,
        readout_mode=None,
        usb_limit=None,
        x_binning=1,
        y_binning=1,
        filter="L" if frame_type is FrameType.FLAT else None,
        bayer_pattern=sensor.bayer_pattern,
        width=sensor.width,
        height=sensor.height,
        channels=1,
        sample_format="uint16",
        normalised=False,
        x_origin=None,
        y_origin=None,
        night="2025-11-10",
        egain=sensor.gain if egain is None else egain,
    )
    frames = tuple(InputFrame(str(p), 0, 0, None, exposure, -10.0, _temperature(p)) for p in paths)
    calibrator = Calibrator(CalibratorKind.DARKFLAT) if frame_type is FrameType.FLAT else None
    return GroupPlan(
        group="g",
        frame_type=frame_type,
        setup="Edge_QHY600M",
        action=Action.BUILD,
        digest="",
        keys=keys,
        frames=frames,
        first_date_obs="2025-11-10T18:00:00",
        last_date_obs="2025-11-10T19:00:00",
        master="m.xisf",
        integration={},
        calibrator=calibrator,
    )


def _temperature(path: Path) -> float | None:
    """Read CCD-TEMP where a FITS header has it, with no help from the code under test."""
    text = path.read_bytes()[:8640].decode("latin-1")
    cards = [text[i : i + 80] for i in range(0, len(text), 80)]
    values = [c[10:30] for c in cards if c.startswith("CCD-TEMP=")]
    return float(values[0]) if values else None


def without_temperatures(plan: GroupPlan) -> GroupPlan:
    """Return the work order of a camera that tells no temperature."""
    return replace(plan, frames=tuple(replace(f, ccd_temp_c=None) for f in plan.frames))

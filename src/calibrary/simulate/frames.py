"""Sequences of frames and the master they should give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from calibrary.records import FrameType
from calibrary.simulate.defects import Defect, Exposure, afflict
from calibrary.simulate.scene import Scene
from calibrary.simulate.sensor import FloatMap, RawFrame, Sensor

LAMP_JITTER = 0.003
"""Spread of a lamp's brightness from flat to flat."""


@dataclass(frozen=True)
class Shot:
    """One simulated frame."""

    data: RawFrame
    ccd_temp_c: float
    """The temperature the sensor had, °C."""


def make_frames(
    sensor: Sensor,
    frame_type: FrameType,
    count: int,
    *,
    exposure_s: float = 0.0,
    temp_c: float = -10.0,
    scene: Scene | None = None,
    defects: Sequence[Defect] = (),
    seed: int = 0,
) -> Iterator[Shot]:
    """Take a sequence of equal frames.

    Frame `i` depends on the sensor, its conditions, `seed` and `i` alone.

    Parameters
    ----------
    sensor : Sensor
        The camera.
    frame_type : FrameType
        Bias, dark, dark-flat or flat; a flat is lit by `scene`, a bias has no exposure.
    count : int
        Number of frames.
    exposure_s, temp_c : float
        Exposure and set temperature.
    scene : Scene, optional
        Light path of the flats.
    defects : sequence of Defect
        What goes wrong.
    seed : int
        Seed of the sequence.

    Yields
    ------
    Shot
        Raw samples (rows, width) uint16 and the temperature they were taken at.
    """
    lit = frame_type is FrameType.FLAT
    light_e = (scene or Scene()).light_map(sensor) if lit else None
    time_s = 0.0 if frame_type is FrameType.BIAS else exposure_s
    for index in range(count):
        rng = np.random.default_rng([sensor.seed, seed, index])
        lamp = 1.0 + LAMP_JITTER * rng.standard_normal()
        exposure = Exposure(
            sensor,
            time_s,
            temp_c + 0.05 * rng.standard_normal(),
            None if light_e is None else light_e * lamp,
        )
        for defect in defects:
            exposure = afflict(exposure, defect, index, count)
        data = exposure.sensor.expose(
            rng, exposure.exposure_s, exposure.temp_c, exposure.light_e, exposure.cosmic_rays
        )
        yield Shot(data, exposure.temp_c)


def true_master(
    sensor: Sensor,
    frame_type: FrameType,
    *,
    exposure_s: float = 0.0,
    temp_c: float = -10.0,
    scene: Scene | None = None,
) -> FloatMap:
    """Return the master that endless good frames would give, (rows, width) ADU.

    A flat is what remains after its dark-flat is subtracted.
    """
    if frame_type is FrameType.FLAT:
        return (scene or Scene()).flat_map(sensor)
    if frame_type is FrameType.BIAS:
        return sensor.bias_map.copy()
    return sensor.dark_map(exposure_s, temp_c)

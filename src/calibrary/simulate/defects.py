"""What goes wrong at the telescope, as changes to single exposures of a sequence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from calibrary.simulate.sensor import FloatMap, Sensor, unit_grid

DefectKind = Literal[
    "light_leak",
    "uncovered",
    "cloud",
    "lamp_drift",
    "condensation",
    "cooler_failure",
    "saturated",
    "cosmic_ray_storm",
    "wrong_gain",
]


@dataclass(frozen=True)
class Defect:
    """One thing that goes wrong.

    ``strength`` has the unit of its kind:

    ==================  ======  ==============================================================
    kind                frames  strength
    ==================  ======  ==============================================================
    light_leak          all     light at the leaking edge in the last frame, ADU; grows
    uncovered           one     light on a dark, ADU
    cloud               one     depth of a smooth dark band across a flat, fraction
    lamp_drift          all     light lost from the first to the last flat, fraction
    condensation        all     light lost in the middle of the last flat, fraction; grows
    cooler_failure      all     warming from the first to the last frame, °C
    saturated           one     factor on the light of a flat
    cosmic_ray_storm    one     factor on the rate of cosmic rays
    wrong_gain          one     e-/ADU of the frame over that of its header
    ==================  ======  ==============================================================
    """

    kind: DefectKind
    strength: float
    frame: int = -1
    """Which frame, for a kind that befalls one; from 0, negative from the end."""


@dataclass(frozen=True)
class Exposure:
    """Under what conditions one frame is taken."""

    sensor: Sensor
    exposure_s: float
    temp_c: float
    light_e: FloatMap | None = None
    cosmic_rays: float = 1.0


def afflict(exposure: Exposure, defect: Defect, index: int, count: int) -> Exposure:
    """Return the conditions of frame `index` of `count` with the defect in force."""
    if defect.kind in _SINGLE:
        hit = index == defect.frame % count
        return _SINGLE[defect.kind](exposure, defect.strength) if hit else exposure
    progress = index / max(count - 1, 1)
    return _GROWING[defect.kind](exposure, defect.strength * progress)


def _add_light(exposure: Exposure, light_e: FloatMap) -> Exposure:
    return replace(
        exposure, light_e=light_e if exposure.light_e is None else exposure.light_e + light_e
    )


def _dim(exposure: Exposure, factor: FloatMap | float) -> Exposure:
    return (
        exposure
        if exposure.light_e is None
        else replace(exposure, light_e=exposure.light_e * factor)
    )


def _light_leak(exposure: Exposure, adu: float) -> Exposure:
    sensor = exposure.sensor
    _, x = unit_grid(*sensor.shape)
    edge = np.broadcast_to(np.exp(-x / 0.3), sensor.shape)
    return _add_light(exposure, adu * sensor.gain * edge)


def _uncovered(exposure: Exposure, adu: float) -> Exposure:
    sensor = exposure.sensor
    y, x = unit_grid(*sensor.shape)
    even = 1.0 - 0.25 * ((x - 0.5) ** 2 + (y - 0.5) ** 2) / 0.5
    return _add_light(exposure, adu * sensor.gain * even * sensor.response_map)


def _cloud(exposure: Exposure, depth: float) -> Exposure:
    y, x = unit_grid(*exposure.sensor.shape)
    return _dim(exposure, 1.0 - depth * np.exp(-(((x + 0.5 * y - 0.6) / 0.25) ** 2)))


def _condensation(exposure: Exposure, depth: float) -> Exposure:
    y, x = unit_grid(*exposure.sensor.shape)
    r2 = (x - 0.5) ** 2 + (y - 0.5) ** 2
    return _dim(exposure, 1.0 - depth * np.exp(-r2 / 0.04))


def _saturated(exposure: Exposure, factor: float) -> Exposure:
    return _dim(exposure, factor)


def _lamp_drift(exposure: Exposure, lost: float) -> Exposure:
    return _dim(exposure, 1.0 - lost)


def _cooler_failure(exposure: Exposure, warming_c: float) -> Exposure:
    return replace(exposure, temp_c=exposure.temp_c + warming_c)


def _cosmic_ray_storm(exposure: Exposure, factor: float) -> Exposure:
    return replace(exposure, cosmic_rays=exposure.cosmic_rays * factor)


def _wrong_gain(exposure: Exposure, ratio: float) -> Exposure:
    sensor = exposure.sensor
    return replace(exposure, sensor=replace(sensor, gain=sensor.gain * ratio))


_SINGLE: Mapping[str, Callable[[Exposure, float], Exposure]] = {
    "uncovered": _uncovered,
    "cloud": _cloud,
    "saturated": _saturated,
    "cosmic_ray_storm": _cosmic_ray_storm,
    "wrong_gain": _wrong_gain,
}
_GROWING: Mapping[str, Callable[[Exposure, float], Exposure]] = {
    "light_leak": _light_leak,
    "lamp_drift": _lamp_drift,
    "condensation": _condensation,
    "cooler_failure": _cooler_failure,
}

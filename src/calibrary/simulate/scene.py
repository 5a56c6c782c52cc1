"""What lights a flat: a nearly even source seen through a telescope with vignetting and dust."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calibrary.simulate.sensor import FloatMap, Sensor, unit_grid


@dataclass(frozen=True)
class Scene:
    """The light path of one filter."""

    level: float = 0.5
    """Mean level of a flat above the bias as a fraction of full scale."""
    corner_falloff: float = 0.25
    """Light lost in the corners by vignetting."""
    gradient: float = 0.01
    """Difference of illumination between left and right edge."""
    dust: int = 8
    """Number of dust shadows."""
    dust_depth: float = 0.06
    colours: tuple[float, float, float] = (0.7, 1.0, 0.8)
    """Light in red, green and blue pixels of a colour camera, relative to green."""
    seed: int = 1

    def light_map(self, sensor: Sensor) -> FloatMap:
        """Return the mean photo-electrons of every pixel of one flat, pixel response included."""
        light = self._transmission(sensor) * sensor.response_map
        if sensor.bayer_pattern is not None:
            light *= self._mosaic(sensor, sensor.bayer_pattern)
        target = self.level * sensor.full_scale * sensor.gain
        return light * (target / float(light.mean()))

    def flat_map(self, sensor: Sensor) -> FloatMap:
        """Return the noiseless flat above bias and dark, ADU."""
        return self.light_map(sensor) / sensor.gain

    def _transmission(self, sensor: Sensor) -> FloatMap:
        light: FloatMap
        y, x = unit_grid(sensor.height, sensor.width)
        wide, high = sensor.width * (x - 0.5), sensor.height * (y - 0.5)
        # Squared distance from the middle, 1 in the corners.
        r2 = (wide**2 + high**2) / ((sensor.width / 2) ** 2 + (sensor.height / 2) ** 2)
        light = (1.0 - self.corner_falloff * r2) * (1.0 + self.gradient * (x - 0.5))
        rng = np.random.default_rng([sensor.seed, 4, self.seed])
        for _ in range(self.dust):
            light *= self._donut(rng, sensor)
        return light

    def _donut(self, rng: np.random.Generator, sensor: Sensor) -> FloatMap:
        y0, x0 = rng.uniform(0, sensor.height), rng.uniform(0, sensor.width)
        outer = rng.uniform(0.02, 0.06) * sensor.width
        y = np.arange(sensor.height)[:, None] - y0
        x = np.arange(sensor.width)[None, :] - x0
        r = np.hypot(x, y)
        # The shadow of the secondary mirror makes a ring of it; its edge is soft.
        ring = _soft_step(outer - r) * _soft_step(r - 0.35 * outer)
        return 1.0 - self.dust_depth * rng.uniform(0.3, 1.0) * ring

    def _mosaic(self, sensor: Sensor, pattern: str) -> FloatMap:
        factor = np.empty(sensor.shape)
        for place, colour in enumerate(pattern):
            factor[place // 2 :: 2, place % 2 :: 2] = self.colours["RGB".index(colour)]
        return factor


DEFAULT_SCENE = Scene()


def _soft_step(distance: FloatMap) -> FloatMap:
    return 1.0 / (1.0 + np.exp(np.clip(-distance, -50.0, 50.0)))

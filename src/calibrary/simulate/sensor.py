"""A camera sensor: from photons, time and temperature to raw samples.

Every map is drawn once from the sensor's own seed, so two sensors of equal parameters are the
same piece of silicon. Rates and noise are in electrons, levels in ADU; `gain` joins them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

FloatMap = NDArray[np.float64]
RawFrame = NDArray[np.uint16]


@dataclass(frozen=True)
class Sensor:
    """A sensor and its electronics; the defaults are those of a small cooled CMOS camera."""

    width: int = 512
    height: int = 384
    gain: float = 0.8
    """Conversion gain, e-/ADU."""
    offset_adu: float = 500.0
    """Mean bias level, ADU."""
    read_noise_e: float = 3.5
    row_noise_e: float = 0.3
    """Noise that the pixels of one row share, new in every frame."""
    offset_jitter_adu: float = 0.1
    """Spread of the bias level from frame to frame, ADU."""
    pattern_adu: float = 1.5
    """Spread of the fixed pattern from pixel to pixel, ADU; columns add a third of it."""
    dark_e_s: float = 0.004
    """Median dark current at `reference_c`, e-/s."""
    reference_c: float = -10.0
    doubling_c: float = 6.0
    """Dark current doubles with every so many °C."""
    hot_fraction: float = 5e-4
    """Share of pixels whose dark current is far above the others'."""
    hot_e_s: float = 2.0
    """Median dark current of a hot pixel at `reference_c`, e-/s; log-normal, sigma 1."""
    glow_e_s: float = 0.15
    """Amplifier glow in its corner at `reference_c`, e-/s."""
    prnu: float = 0.006
    """Spread of the pixels' response to light."""
    cosmic_rays_cm2_min: float = 1.0
    pixel_um: float = 3.76
    full_scale: int = 65535
    bayer_pattern: str | None = None
    seed: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return (self.height, self.width)

    @cached_property
    def bias_map(self) -> FloatMap:
        """The noiseless bias frame, ADU."""
        rng = np.random.default_rng([self.seed, 1])
        pixels = rng.normal(0.0, self.pattern_adu, self.shape)
        columns = rng.normal(0.0, self.pattern_adu / 3, self.width)
        level: FloatMap = self.offset_adu + pixels + columns
        return level

    @cached_property
    def dark_rate_map(self) -> FloatMap:
        """Dark current of every pixel at `reference_c`, glow included, e-/s."""
        rng = np.random.default_rng([self.seed, 2])
        rate: FloatMap = self.dark_e_s * rng.lognormal(0.0, 0.3, self.shape)
        hot = rng.random(self.shape) < self.hot_fraction
        rate[hot] += self.hot_e_s * rng.lognormal(0.0, 1.0, int(hot.sum()))
        y, x = unit_grid(self.height, self.width)
        corner = np.hypot(1.0 - x, 1.0 - y)
        rate += self.glow_e_s * np.exp(-corner / 0.35)
        return rate

    @cached_property
    def response_map(self) -> FloatMap:
        """Response of every pixel to light, mean 1."""
        rng = np.random.default_rng([self.seed, 3])
        return 1.0 + rng.normal(0.0, self.prnu, self.shape)

    def dark_electrons(self, exposure_s: float, temp_c: float) -> FloatMap:
        """Return the mean number of thermal electrons of every pixel."""
        growth = math.pow(2.0, (temp_c - self.reference_c) / self.doubling_c)
        return self.dark_rate_map * (growth * exposure_s)

    def dark_map(self, exposure_s: float, temp_c: float) -> FloatMap:
        """Return the noiseless dark frame, bias included, ADU."""
        level = self.bias_map + self.dark_electrons(exposure_s, temp_c) / self.gain
        return np.minimum(level, self.full_scale)

    def expose(
        self,
        rng: np.random.Generator,
        exposure_s: float,
        temp_c: float,
        light_e: FloatMap | None = None,
        cosmic_rays: float = 1.0,
    ) -> RawFrame:
        """Take one frame.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of all that is random in a frame.
        exposure_s, temp_c : float
            Exposure and true temperature of the sensor.
        light_e : ndarray (rows, width), optional
            Mean number of photo-electrons of every pixel, pixel response included.
        cosmic_rays : float
            Factor on the rate of cosmic rays.

        Returns
        -------
        ndarray (rows, width) uint16
            Raw samples, ADU.
        """
        mean_e = self.dark_electrons(exposure_s, temp_c)
        if light_e is not None:
            mean_e = mean_e + light_e
        electrons = rng.poisson(mean_e).astype(np.float64)
        electrons += rng.normal(0.0, self.read_noise_e, self.shape)
        electrons += rng.normal(0.0, self.row_noise_e, (self.height, 1))
        self._add_cosmic_rays(rng, electrons, exposure_s, cosmic_rays)
        adu = electrons / self.gain + self.bias_map + rng.normal(0.0, self.offset_jitter_adu)
        return np.clip(np.rint(adu), 0, self.full_scale).astype(np.uint16)

    def _add_cosmic_rays(
        self, rng: np.random.Generator, electrons: FloatMap, exposure_s: float, factor: float
    ) -> None:
        area_cm2 = self.width * self.height * (self.pixel_um * 1e-4) ** 2
        # Readout takes time too, and a short frame can be hit while it waits for it.
        minutes = (exposure_s + 1.0) / 60.0
        hits = rng.poisson(self.cosmic_rays_cm2_min * area_cm2 * minutes * factor)
        for _ in range(hits):
            length = 1 + rng.poisson(3.0)
            angle = rng.uniform(0.0, np.pi)
            steps = np.arange(length)
            y = (rng.uniform(0, self.height) + steps * np.sin(angle)).astype(int)
            x = (rng.uniform(0, self.width) + steps * np.cos(angle)).astype(int)
            inside = (y >= 0) & (y < self.height) & (x >= 0) & (x < self.width)
            electrons[y[inside], x[inside]] += rng.exponential(2500.0)


def unit_grid(height: int, width: int) -> tuple[FloatMap, FloatMap]:
    """Return row and column coordinates in [0, 1], as a column and a row that broadcast."""
    y = np.linspace(0.0, 1.0, height)[:, None]
    x = np.linspace(0.0, 1.0, width)[None, :]
    return y, x

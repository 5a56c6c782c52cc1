"""Figures of a master by itself, against images of known make."""

import json

import numpy as np
import pytest

from calibrary.records import FrameType
from calibrary.simulate.scene import Scene
from calibrary.simulate.sensor import Sensor
from calibrary.verify.hot import LISTED, find_hot_pixels
from calibrary.verify.master import measure_master

SENSOR = Sensor(512, 384, prnu=0.002)


def measure(image, frame_type, bayer=None):
    return measure_master(
        image.astype(np.float32), frame_type, bayer_pattern=bayer, full_scale=65535.0
    )


def noise(level, sigma, shape=(384, 512), seed=1):
    return np.random.default_rng(seed).normal(level, sigma, shape)


def test_hot_pixels_are_counted_and_placed_edges_corners_and_neighbours_too():
    image = noise(500.0, 1.0).astype(np.float32)
    places = [(0, 0), (0, 200), (383, 511), (100, 100), (100, 101), (101, 100), (300, 1), (257, 77)]
    for row, column in places:
        image[row, column] += 40.0
    hot = find_hot_pixels(image)
    assert hot.count == len(places)
    assert sorted(zip(hot.rows.tolist(), hot.columns.tolist(), strict=True)) == sorted(places)
    assert hot.values == pytest.approx(40.0, abs=5)


def test_glow_and_colour_are_no_hot_pixels():
    y, x = np.mgrid[0:384, 0:512]
    image = noise(500.0, 1.0) + 200 * np.exp(-np.hypot(x, y) / 60)
    image[0::2, 0::2] += 300
    assert find_hot_pixels(image.astype(np.float32)).count == 0


def test_only_the_brightest_hot_pixels_are_listed():
    image = noise(500.0, 1.0)
    rng = np.random.default_rng(3)
    image[rng.random(image.shape) < 0.01] += rng.uniform(50, 500)
    hot = find_hot_pixels(image.astype(np.float32))
    assert hot.count > LISTED == len(hot.values)
    assert np.all(np.diff(hot.values) <= 0)


@pytest.mark.parametrize("falloff", [0.0, 0.15, 0.3])
def test_ordinary_vignetting_keeps_to_the_guides_limit_and_is_no_gradient(falloff):
    flat = Scene(0.5, corner_falloff=falloff, gradient=0.0, dust=8).flat_map(SENSOR)
    figures = measure(flat, FrameType.FLAT).figures
    assert figures["flat.stddev"] < 0.06
    assert figures["flat.gradient"] < 0.02
    assert figures["flat.falloff"] == pytest.approx(0.9 * falloff, abs=0.05)
    assert figures["flat.cold_fraction"] == 0.0


@pytest.mark.parametrize("gradient", [0.1, 0.3])
def test_a_gradient_is_measured_edge_to_edge(gradient):
    flat = Scene(0.5, corner_falloff=0.2, gradient=gradient, dust=0).flat_map(SENSOR)
    figures = measure(flat, FrameType.FLAT).figures
    assert figures["flat.gradient"] == pytest.approx(gradient, rel=0.15)


def test_a_colour_flat_is_judged_colour_by_colour():
    sensor = Sensor(512, 384, prnu=0, bayer_pattern="RGGB")
    flat = Scene(0.5, 0.0, 0.0, 0, colours=(0.4, 1.0, 0.7)).flat_map(sensor)
    measured = measure(flat, FrameType.FLAT, "RGGB")
    assert measured.figures["flat.stddev"] < 0.001
    assert measured.figures["flat.cold_fraction"] == 0.0
    red, green, also_green, blue = measured.plane_levels
    assert red / green == pytest.approx(0.4, rel=1e-3)
    assert blue / also_green == pytest.approx(0.7, rel=1e-3)
    assert np.ptp(measured.plots["uniformity"]["grid"]) < 1e-3


def test_levels_of_a_dark():
    figures = measure(noise(500.0, 3.0), FrameType.DARK).figures
    assert figures["level.median"] == pytest.approx(500.0, abs=0.1)
    assert figures["level.sigma"] == pytest.approx(3.0, rel=0.02)
    assert figures["level.uniformity"] < 0.005
    assert figures["hot.count"] == 0


def test_a_dark_with_a_bright_half_is_uneven():
    image = noise(500.0, 3.0)
    image[:, :256] += 400
    assert measure(image, FrameType.DARK).figures["level.uniformity"] > 0.4


def test_a_dark_that_its_bias_was_taken_from_is_not_called_uneven():
    y, _ = np.mgrid[0:384, 0:512]
    image = noise(1.0, 5.0) + y / 200
    assert "level.uniformity" not in measure(image, FrameType.DARK).figures


def test_dead_and_saturated_images_say_so():
    assert measure(np.full((384, 512), 512.0), FrameType.BIAS).figures["level.constant"] == 1.0
    assert measure(np.full((384, 512), 65535.0), FrameType.FLAT).figures["level.saturated"] == 1.0


def test_missing_pixels_are_counted_and_do_no_harm():
    image = noise(500.0, 3.0)
    image[10:20, 10:20] = np.nan
    figures = measure(image, FrameType.DARK).figures
    assert figures["level.nonfinite"] == pytest.approx(100 / image.size)
    assert all(np.isfinite(v) for v in figures.values())


@pytest.mark.parametrize("frame_type", ["bias", "dark", "flat"])
@pytest.mark.parametrize("shape", [(384, 512), (16, 16), (1000, 37)])
def test_plots_are_small_and_plain_whatever_the_size(frame_type, shape):
    image = noise(3000.0, 300.0, shape)
    image[0, 0] = 60000
    plots = measure(image, FrameType(frame_type)).plots
    text = json.dumps(plots, allow_nan=False)
    assert len(text) < 40_000
    assert len(plots["histogram"]["edges_adu"]) == len(plots["histogram"]["counts"]) + 1
    assert ("hot_pixels" in plots) == (frame_type == "dark")

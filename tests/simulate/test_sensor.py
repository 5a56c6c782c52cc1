"""The sensor model against what its parameters promise."""

from dataclasses import replace

import numpy as np
import pytest

from calibrary.records import FrameType
from calibrary.simulate.frames import make_frames, true_master
from calibrary.simulate.scene import Scene
from calibrary.simulate.sensor import Sensor

QUIET = Sensor(128, 96, row_noise_e=0, offset_jitter_adu=0, cosmic_rays_cm2_min=0)


def stack(sensor, frame_type, count, **kwargs):
    return np.stack([s.data for s in make_frames(sensor, frame_type, count, **kwargs)]).astype(
        float
    )


def test_equal_seeds_give_equal_frames_and_other_seeds_other_ones():
    first, again, other = (
        stack(QUIET, FrameType.DARK, 2, exposure_s=60, seed=seed) for seed in (5, 5, 6)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_a_frame_does_not_depend_on_how_many_follow():
    few = stack(QUIET, FrameType.BIAS, 2)
    assert np.array_equal(few, stack(QUIET, FrameType.BIAS, 5)[:2])


def test_read_noise_is_the_spread_of_a_pair_difference():
    a, b = stack(QUIET, FrameType.BIAS, 2)
    measured_e = (a - b).std() / np.sqrt(2) * QUIET.gain
    assert measured_e == pytest.approx(QUIET.read_noise_e, rel=0.03)


@pytest.mark.parametrize("frame_type", [FrameType.BIAS, FrameType.DARK, FrameType.FLAT])
def test_the_mean_of_many_frames_tends_to_the_truth(frame_type):
    n = 60
    frames = stack(QUIET, frame_type, n, exposure_s=30.0)
    truth = true_master(QUIET, frame_type, exposure_s=30.0)
    if frame_type is FrameType.FLAT:
        frames -= QUIET.dark_map(30.0, -10.0)
        frames *= truth.mean() / frames.mean(axis=(1, 2), keepdims=True)
    error = (frames.mean(axis=0) - truth) / (frames.std(axis=0, ddof=1) / np.sqrt(n))
    # Truth that is n standard errors away would be a wrong truth; hot pixels may saturate.
    assert abs(np.median(error)) < 0.1
    assert np.percentile(np.abs(error), 68.3) == pytest.approx(1.0, abs=0.1)


def test_dark_signal_grows_with_time_and_doubles_with_the_doubling_temperature():
    signal = QUIET.dark_map(100, -10) - QUIET.bias_map
    assert np.allclose(QUIET.dark_map(200, -10) - QUIET.bias_map, 2 * signal)
    warmer = QUIET.dark_map(100, -10 + QUIET.doubling_c) - QUIET.bias_map
    assert np.allclose(warmer, 2 * signal)


def test_glow_sits_in_its_corner_and_hot_pixels_stand_out():
    rate = Sensor(128, 96, hot_fraction=0.01).dark_rate_map
    assert np.median(rate[-16:, -16:]) > 5 * np.median(rate[:16, :16])
    assert 0.002 < (rate > 0.5).mean() < 0.02


def test_shot_noise_gives_back_the_gain():
    sensor = replace(QUIET, gain=1.7)
    a, b = stack(sensor, FrameType.FLAT, 2, scene=Scene(0.4, corner_falloff=0, dust=0))
    ratio = a.mean() / b.mean()
    signal = a.mean() - sensor.offset_adu
    variance = (a - b * ratio).var() / 2
    assert signal / variance == pytest.approx(1.7, rel=0.05)


def test_a_flat_has_the_level_and_the_vignetting_of_its_scene():
    scene = Scene(0.5, corner_falloff=0.3, gradient=0, dust=0)
    truth = scene.flat_map(replace(QUIET, prnu=0))
    assert truth.mean() == pytest.approx(0.5 * 65535)
    assert truth[0, 0] / truth.max() == pytest.approx(0.7, abs=0.01)


def test_a_bayer_mosaic_has_a_level_for_every_colour():
    sensor = replace(QUIET, prnu=0, bayer_pattern="RGGB")
    truth = Scene(corner_falloff=0, gradient=0, dust=0, colours=(0.5, 1.0, 0.8)).flat_map(sensor)
    green = truth[0::2, 1::2].mean()
    assert truth[0::2, 0::2].mean() == pytest.approx(0.5 * green)
    assert truth[1::2, 1::2].mean() == pytest.approx(0.8 * green)
    assert truth[1::2, 0::2].mean() == pytest.approx(green)


def test_cosmic_rays_come_at_their_rate():
    sensor = replace(QUIET, cosmic_rays_cm2_min=400.0, hot_fraction=0, glow_e_s=0)
    frames = stack(sensor, FrameType.DARK, 20, exposure_s=59.0)
    hit = (frames - np.median(frames, axis=0) > 100).sum() / 20
    area = 128 * 96 * (sensor.pixel_um * 1e-4) ** 2
    # About four pixels a track, some too faint to count or off the edge.
    assert hit == pytest.approx(400 * area * 4, rel=0.35)

"""Row jumps and periodic patterns in one frame need no test of their own: two others tell them."""

import astropy.io.fits
import numpy as np
import pytest

from calibrary.records import FrameType

from .groups import SENSOR, write_group
from .test_ground_truth import SET_ASIDE, verify

FRAME_NOISE = SENSOR.read_noise_e / SENSOR.gain
"""ADU."""


def rows_jump(shape, rng):
    pattern = np.zeros(shape)
    pattern[64:96] = 1.0
    return pattern


def random_rows(shape, rng):
    return np.repeat(rng.normal(0.0, 1.0, (shape[0], 1)), shape[1], axis=1)


def sine_over_columns(shape, rng):
    return np.repeat(np.sin(np.arange(shape[1]) * 2 * np.pi / 9.7)[None], shape[0], axis=0)


@pytest.mark.parametrize(
    ("pattern", "strength", "by"),
    [
        (rows_jump, 1.0, None),
        (rows_jump, 3.0, "rejection.frame_ratio"),
        (random_rows, 1.0, None),
        (random_rows, 3.0, "rejection.frame_ratio"),
        (sine_over_columns, 1.0, None),
        (sine_over_columns, 3.0, "inputs.noise_ratio"),
        (sine_over_columns, 5.0, SET_ASIDE),
    ],
)
def test_a_pattern_in_one_bias_is_told_from_three_times_its_noise_on(
    pattern, strength, by, tmp_path
):
    plan = write_group(tmp_path, FrameType.BIAS)
    with astropy.io.fits.open(plan.frames[5].path, mode="update") as hdus:
        image = hdus[0].data
        added = strength * FRAME_NOISE * pattern(image.shape, np.random.default_rng(3))
        hdus[0].data = np.clip(np.rint(image + added), 0, 65535).astype(np.uint16)
    found, _, _ = verify(plan)
    assert by in found if by else found == set()

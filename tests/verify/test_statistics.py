import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibrary.verify.statistics import cell_levels, clipped_stats, mad_sigma


@given(sigma=st.floats(0.6, 300.0), level=st.floats(0.0, 60000.0), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_clipped_sigma_is_right_for_whole_adu_at_low_noise_too(sigma, level, seed):
    noise = np.random.default_rng(seed).normal(level, sigma, 20000)
    mean, measured = clipped_stats(np.rint(noise).astype(np.float32))
    # Rounding adds a twelfth of a squared ADU.
    assert measured == pytest.approx(np.sqrt(sigma**2 + 1 / 12), rel=0.03)
    assert mean == pytest.approx(level, abs=5 * sigma / np.sqrt(20000) + 0.05)


def test_hot_pixels_and_values_that_are_not_finite_do_not_count():
    values = np.random.default_rng(1).normal(100.0, 5.0, 20000)
    values[:200] = 60000.0
    values[200:210] = np.nan
    mean, sigma = clipped_stats(values)
    assert mean == pytest.approx(100.0, abs=0.2)
    assert sigma == pytest.approx(5.0, rel=0.02)


@pytest.mark.parametrize("values", [[], [7.0], [7.0] * 50])
def test_no_spread_is_zero(values):
    assert clipped_stats(np.array(values, np.float32))[1] == 0.0
    assert mad_sigma(np.array(values, np.float32)) == 0.0


def test_cells_follow_light_however_strong_but_no_cosmic_ray():
    rng = np.random.default_rng(2)
    image = rng.normal(0.0, 5.0, (64, 64)).astype(np.float32)
    image[:8, :8] += 1000.0
    image[20, 20] = 50000.0
    cells = cell_levels(image, 8, 8)
    assert cells[0, 0] == pytest.approx(1000.0, abs=4)
    cells[0, 0] = 0
    assert np.abs(cells).max() < 5


def test_a_hot_pixel_moves_no_cell_of_an_image_over_its_level_either():
    rng = np.random.default_rng(2)
    image = rng.normal(1.0, 0.01, (64, 64)).astype(np.float32)
    image[20, 20] = 3.0
    cells = cell_levels(image, 8, 8, step=1 / 500)
    assert np.abs(cells - 1.0).max() < 0.006

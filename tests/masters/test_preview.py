"""Previews: small, stretched so that the median is where it should be, one colour a plane."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from calibrary.masters.preview import LONGEST_SIDE, MAX_BYTES, render_preview, stretch


def decode(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(data)))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260101)


@given(
    level=st.floats(50, 60000),
    noise=st.floats(0.5, 400),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=40, deadline=None)
def test_stretch_puts_the_median_at_a_quarter(level, noise, seed):
    plane = np.random.default_rng(seed).normal(level, noise, (60, 80))
    shown = stretch(plane)
    assert np.median(shown) == pytest.approx(0.25, abs=0.02)
    assert shown.min() >= 0
    assert shown.max() <= 1


def test_stretch_keeps_the_order_of_samples(rng):
    plane = rng.uniform(0, 65535, (20, 20))
    order = np.argsort(plane, axis=None)
    assert np.all(np.diff(stretch(plane).ravel()[order]) >= 0)


@pytest.mark.parametrize("level", [0.0, 500.0, 65535.0, 1e6])
def test_a_constant_master_is_an_even_picture(level):
    picture = decode(render_preview(np.full((40, 60), level, np.float32)))
    assert picture.shape[:2] == (40, 60)
    assert np.ptp(picture) == 0


@pytest.mark.parametrize("shape", [(2000, 3000), (3000, 500), (7, 5000), (1, 1), (481, 481)])
def test_a_preview_is_small(rng, shape):
    noise = rng.normal(500, 3, shape).astype(np.float32)
    data = render_preview(noise)
    assert len(data) <= MAX_BYTES
    assert max(decode(data).shape[:2]) <= LONGEST_SIDE


@pytest.mark.parametrize("pattern", ["RGGB", "BGGR", "GRBG", "GBRG"])
def test_a_mosaic_is_shown_in_its_colours(pattern):
    # A red spot, in whatever cell the pattern puts red, is red in the preview.
    rows = np.full((120, 160), 1000, np.float32)
    y, x = divmod(pattern.index("R"), 2)
    rows[40 + y : 80 : 2, 40 + x : 80 : 2] = 20000
    picture = decode(render_preview(rows, pattern))
    assert picture.shape == (60, 80, 3)
    red, green, blue = picture[30, 30].astype(int)
    assert red > green + 60
    assert red > blue + 60


def test_unlinked_channels_take_out_the_colour_of_the_lamp(rng):
    rows = rng.normal(30000, 100, (200, 200)).astype(np.float32)
    rows[0::2, 0::2] *= 0.3
    rows[1::2, 1::2] *= 0.5
    medians = np.median(decode(render_preview(rows, "RGGB")), axis=(0, 1))
    assert np.ptp(medians) <= 6


def test_three_planes_are_red_green_blue():
    rows = np.full((3 * 50, 70), 1000, np.float32)
    rows[50 + 10 : 50 + 30, 20:40] = 30000
    picture = decode(render_preview(rows, None, channels=3))
    assert picture.shape == (50, 70, 3)
    red, green, blue = picture[20, 30].astype(int)
    assert green > red + 60
    assert green > blue + 60


def test_samples_that_are_no_numbers_do_not_spoil_the_picture(rng):
    rows = rng.normal(500, 3, (300, 400)).astype(np.float32)
    clean = decode(render_preview(rows))
    rows[10, 10] = np.nan
    rows[200, 300] = np.inf
    spoilt = decode(render_preview(rows))
    assert np.median(spoilt) == pytest.approx(np.median(clean), abs=2)
    assert decode(render_preview(np.full((9, 9), np.nan, np.float32))).shape[:2] == (9, 9)


def test_a_vignetted_flat_is_dark_in_its_corners():
    y, x = np.mgrid[-1:1:200j, -1:1:300j]
    rows = (30000 * (1 - 0.3 * (x**2 + y**2))).astype(np.float32)
    picture = decode(render_preview(rows)).astype(int)
    assert picture[100, 150] > picture[2, 2] + 40


def test_the_same_master_gives_the_same_bytes(rng):
    rows = rng.normal(500, 3, (300, 400)).astype(np.float32)
    assert render_preview(rows, "RGGB") == render_preview(rows.copy(), "RGGB")


def test_no_master_is_an_even_tile():
    picture = decode(render_preview(None, "RGGB"))
    assert picture.size > 0
    assert np.ptp(picture) == 0

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibrary.records import CalibraryError, FrameType
from calibrary.simulate.files import write_fits
from calibrary.verify.sampling import SAMPLE_PIXELS, pair_positions, read_sample, sample_positions

from .groups import write_group


@given(length=st.integers(2, 10000), pairs=st.integers(1, 5000))
def test_positions_are_distinct_even_odd_pairs(length, pairs):
    at = pair_positions(length, pairs)
    assert np.all(at[::2] % 2 == 0)
    assert np.array_equal(at[1::2], at[::2] + 1)
    assert np.all(np.diff(at) > 0)
    assert at[-1] < length


@given(rows=st.integers(16, 7000), width=st.integers(16, 10000))
def test_a_sample_is_thin_whatever_the_sensor(rows, width):
    at_row, at_column = sample_positions(rows, width)
    assert at_row.size * at_column.size <= 1.05 * SAMPLE_PIXELS + 4 * (rows + width)
    assert at_row.size >= min(rows // 2 * 2, 16)


def test_the_sample_holds_the_pixels_of_its_places(tmp_path):
    image = np.arange(300 * 400, dtype=np.uint32).reshape(300, 400).astype(np.uint16)
    write_fits(tmp_path / "a.fits", image, [])
    sample = read_sample(tmp_path / "a.fits")
    at_row, at_column = sample_positions(300, 400)
    assert np.array_equal(sample.data, image[np.ix_(at_row, at_column)])
    assert sample.full_scale == 65535


@pytest.mark.parametrize("container", ["xisf", "xisf_lz4"])
def test_xisf_and_fits_give_the_same_sample(tmp_path, container):
    fits = write_group(tmp_path / "a", FrameType.BIAS, 1)
    xisf = write_group(tmp_path / "b", FrameType.BIAS, 1, container=container)
    assert np.array_equal(
        read_sample(fits.frames[0].path).data, read_sample(xisf.frames[0].path).data
    )


def test_a_file_that_is_no_image_is_a_users_error(tmp_path):
    (tmp_path / "a.fits").write_bytes(b"no image")
    with pytest.raises(CalibraryError, match=r"a\.fits"):
        read_sample(tmp_path / "a.fits")

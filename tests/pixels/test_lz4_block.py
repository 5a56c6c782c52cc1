"""Our calls of the LZ4 library, against the lz4 package."""

import contextlib

import lz4.block
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibrary.formats import lz4_block
from calibrary.formats.lz4_block import compress_lz4, decompress_lz4


@pytest.fixture(params=["library", "package"], autouse=True, scope="module")
def way(request):
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "package":
            patch.setattr(lz4_block, "_library", lambda: None)
        yield request.param


def test_the_library_is_found_here(way):
    assert (lz4_block._library() is None) == (way == "package")


def as_bytes(data):
    return np.frombuffer(bytes(data), np.uint8).copy()


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=300), st.integers(1, 50), st.booleans())
def test_packs_what_the_package_packs(data, times, high):
    data = as_bytes(data * times)
    mode = "high_compression" if high else "default"
    expected = lz4.block.compress(data, mode=mode, store_size=False)
    packed = compress_lz4(data, high=high)
    if len(expected) < data.size:
        assert packed.tobytes() == expected
        out = np.empty(data.size, np.uint8)
        decompress_lz4(packed.copy(), out)
        assert out.tobytes() == data.tobytes()
    else:
        assert packed is data


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=200), st.integers(1, 500))
def test_garbage_is_an_error_or_fills_the_buffer(garbage, size):
    guard = np.full(size + 64, 0xA5, np.uint8)
    with contextlib.suppress(ValueError, lz4.block.LZ4BlockError):
        decompress_lz4(as_bytes(garbage), guard[:size])
    assert (guard[size:] == 0xA5).all()


@pytest.mark.parametrize("size", [999, 1001])
def test_another_size_than_told_is_an_error(size):
    packed = as_bytes(lz4.block.compress(bytes(1000), store_size=False))
    with pytest.raises((ValueError, lz4.block.LZ4BlockError)):
        decompress_lz4(packed, np.empty(size, np.uint8))

"""Reading from a place in a file, on systems with and without a call for it."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from calibrary.formats.layout import PixelError
from calibrary.formats.opening import open_unbuffered
from calibrary.formats.sources import FileSource


@pytest.fixture(params=["preadv", "seek"])
def source(request, tmp_path, monkeypatch):
    if request.param == "seek":
        monkeypatch.delattr(os, "preadv", raising=False)
    path = tmp_path / "bytes"
    path.write_bytes((np.arange(100_000) % 251).astype(np.uint8).tobytes())
    source = FileSource(path, open_unbuffered(path), start=10)
    yield source
    source.close()


def test_threads_read_one_file_at_once(source):
    def read(offset):
        out = np.empty(997, np.uint8)
        source.read_into(offset, out)
        return bool((out == (np.arange(997) + 10 + offset) % 251).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(0, 98_000, 101)))


def test_a_file_that_ends_too_soon_is_told(source):
    with pytest.raises(PixelError, match="ends within its pixels"):
        source.read_into(99_900, np.empty(200, np.uint8))

"""A master is written whole or not at all."""

import resource
import signal

import numpy as np
import pytest

from calibrary.formats.layout import PixelError
from calibrary.pixels.reading import open_frame
from calibrary.pixels.writing import write_master
from calibrary.records import CalibraryError

DATA = np.random.default_rng(0).normal(1000, 12, (300, 400)).astype(np.float32)


@pytest.fixture
def small_files():
    """No file larger than 100 kB can be written: as on a full disk, an error half way."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


def write(path):
    write_master(path, DATA, height=300, channels=1, cards=())


@pytest.mark.parametrize("suffix", ["xisf", "fits"])
def test_failed_write_leaves_what_was_there(tmp_path, suffix, small_files):
    path = tmp_path / f"master.{suffix}"
    path.write_bytes(b"the old master")
    with pytest.raises(CalibraryError, match=f"master.{suffix}: cannot be written") as caught:
        write(path)
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"the old master"


def test_full_scratch_folder(make_xisf, tmp_path, small_files):
    path = tmp_path / "frame.xisf"
    path.write_bytes(make_xisf(np.zeros((1, 600, 600), "u2"), codec="zstd"))
    with pytest.raises(CalibraryError, match="no room to unpack frame") as caught:
        open_frame(path, tmp_path)
    assert not isinstance(caught.value, PixelError)


@pytest.mark.parametrize("suffix", ["xisf", "fits", "FITS", "fit"])
def test_master_replaces_an_old_one(tmp_path, suffix):
    path = tmp_path / "new" / "folder" / f"master.{suffix}"
    write(path)
    path.write_bytes(b"old")
    write(path)
    assert path.stat().st_size > 1000
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_place_that_is_no_folder(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CalibraryError, match="cannot be written"):
        write(tmp_path / "file" / "master.xisf")


def test_half_written_file_of_a_killed_run_is_in_nobody_s_way(tmp_path):
    (tmp_path / ".master.xisf.part").write_bytes(b"half" * 100_000)
    write(tmp_path / "master.xisf")
    assert [p.name for p in tmp_path.iterdir()] == ["master.xisf"]


def test_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path, monkeypatch):
    path = tmp_path / "master.xisf"
    path.write_bytes(b"old")
    seen = []
    monkeypatch.setattr("os.fsync", lambda _: seen.append(path.read_bytes()[:3]))
    write(path)
    assert seen[0] == b"old"
    assert path.read_bytes()[:4] == b"XISF"


def test_wrong_shape_or_type_is_a_programming_error(tmp_path):
    for data, height in ((DATA, 299), (DATA.astype(np.float64), 300)):
        with pytest.raises(ValueError, match="float32"):
            write_master(tmp_path / "m.xisf", data, height=height, channels=1, cards=())

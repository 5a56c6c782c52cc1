"""Which masters a library holds, and when that has changed."""

import json
import os
import time

import pytest

from calibrary.library.index import library_digest, published_digests, read_library
from calibrary.records import FrameType, Status

OWN = "T_C_MasterDark_2025_11_10_High_Gain_Mode_16BIT_G56_OS10_U60_Bin1x1_120s_-10C.xisf"


def test_a_header_goes_before_the_name(tmp_path, put_master):
    path = put_master(
        tmp_path / OWN, IMAGETYP="Master Dark", EXPTIME=60.0, GAIN=7, SET_TEMP=-5.0, TELESCOP="T"
    )
    (master,) = read_library(tmp_path, None)
    assert master.path == str(path)
    assert (master.exposure_s, master.gain, master.temp_c) == (60.0, 7.0, -5.0)
    assert (master.offset, master.usb_limit) == (10.0, 60.0), "what the header lacks"
    assert (master.frame_type, master.master_of) == (FrameType.MASTER, FrameType.DARK)
    assert master.inputs_digest is None
    assert (master.width, master.height) == (10, 8)


@pytest.mark.parametrize("header", [{}, {"IMAGETYP": "Dark Frame"}, {"IMAGETYP": "Light"}])
def test_a_master_by_its_name_alone(tmp_path, put_master, header):
    put_master(tmp_path / "sub" / OWN, **header)
    (master,) = read_library(tmp_path, None)
    assert (master.frame_type, master.status) == (FrameType.MASTER, Status.IGNORED)
    assert (master.exposure_s, master.temp_c, master.date_obs) == (120.0, -10.0, "2025-11-10")


def test_a_dark_flat_by_its_name_is_one_though_its_type_says_dark(tmp_path, put_master):
    put_master(
        tmp_path / "T_C_MasterDarkFlat_0.5s_Gain56_Offset10_1x1_-10C.xisf", IMAGETYP="Master Dark"
    )
    (master,) = read_library(tmp_path, None)
    assert master.master_of is FrameType.DARKFLAT


def test_an_unreadable_file_still_has_its_place(tmp_path):
    (tmp_path / "broken.xisf").write_bytes(b"no XISF")
    (master,) = read_library(tmp_path, None)
    assert master.status is Status.SET_ASIDE
    assert master.master_of is None


def test_no_library_is_an_empty_one(tmp_path):
    assert read_library(tmp_path / "none", None) == []
    assert library_digest(tmp_path / "none", tmp_path) == library_digest(tmp_path, tmp_path)


def test_headers_are_read_once(tmp_path, put_master, monkeypatch):
    put_master(tmp_path / "library" / OWN)
    cache = tmp_path / "cache.sqlite"
    first = read_library(tmp_path / "library", cache)
    monkeypatch.setattr("calibrary.manifest.worker.read_header", None)
    assert read_library(tmp_path / "library", cache) == first


@pytest.fixture
def library(tmp_path, put_master):
    """A library with one foreign and one own master, and the verdict of the latter."""
    folder, results = tmp_path / "library", tmp_path / "results"
    put_master(folder / "foreign.xisf")
    own = put_master(folder / "a/own.xisf")
    (results / "verify").mkdir(parents=True)

    def verdict(outcome="published"):
        stat = own.stat()
        record = {
            "outcome": outcome,
            "digest": "d1",
            "master": "a/own.xisf",
            "master_size": stat.st_size,
            "master_mtime_ns": stat.st_mtime_ns,
        }
        (results / "verify/g.json").write_text(json.dumps(record))

    return folder, results, own, verdict


def test_publishing_does_not_change_the_digest(library):
    folder, results, own, verdict = library
    verdict()
    whole = library_digest(folder, results)
    own.write_bytes(b"published again")
    verdict()
    assert library_digest(folder, results) == whole
    own.unlink()
    assert library_digest(folder, results) == whole


def test_what_others_do_changes_the_digest(library, put_master):
    folder, results, own, verdict = library
    verdict()
    digests = [library_digest(folder, results)]
    own.write_bytes(b"by another hand")
    digests.append(library_digest(folder, results))
    put_master(folder / "more.xisf")
    digests.append(library_digest(folder, results))
    os.utime(folder / "foreign.xisf", ns=(1, 1))
    digests.append(library_digest(folder, results))
    (folder / "foreign.xisf").rename(folder / "renamed.xisf")
    digests.append(library_digest(folder, results))
    assert len(set(digests)) == len(digests)


def test_a_master_that_was_only_reused_counts(library):
    folder, results, _own, verdict = library
    before = library_digest(folder, results)
    verdict("reused")
    assert library_digest(folder, results) == before
    assert published_digests(results) == frozenset()
    verdict("published")
    assert published_digests(results) == {"d1"}


def test_two_formats_of_one_master_are_one(library, put_master):
    folder, results, own, verdict = library
    verdict()
    alone = library_digest(folder, results)
    put_master(own.with_suffix(".fits"))
    assert library_digest(folder, results) == alone


@pytest.mark.slow
def test_two_thousand_masters_take_less_than_a_third_of_a_second(tmp_path):
    folder, results = tmp_path / "library", tmp_path / "results"
    (results / "verify").mkdir(parents=True)
    record = {"outcome": "published", "digest": "d", "figures": {f"f{k}": 0.1 for k in range(60)}}
    for k in range(2000):
        path = folder / f"setup/{k % 50}/master{k}.xisf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        stat = path.stat()
        record |= {
            "master": f"setup/{k % 50}/master{k}.xisf",
            "master_size": stat.st_size,
            "master_mtime_ns": stat.st_mtime_ns,
        }
        (results / f"verify/{k}.json").write_text(json.dumps(record))
    start = time.process_time()
    library_digest(folder, results)
    assert time.process_time() - start < 0.3

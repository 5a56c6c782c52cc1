"""Frames on disk: readable by others, the same every time."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from calibrary.cli.simulate import _parse_size
from calibrary.records import CalibraryError, FrameType
from calibrary.simulate.night import colour_camera, mono_camera, simulate_night
from calibrary.simulate.series import Series, write_series
from calibrary.simulate.tree import write_tiny_tree

SIZE = (64, 64)


@pytest.fixture(scope="module")
def night(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("night")
    simulate_night(out, 3, frames=2, size=SIZE)
    return out


def digest(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        p.relative_to(folder).as_posix(): (
            hashlib.sha256(p.read_bytes()).hexdigest(),
            p.stat().st_mtime_ns,
        )
        for p in sorted(folder.rglob("*.*it*")) + sorted(folder.rglob("*.xisf"))
    }


def test_two_runs_of_one_seed_are_equal_to_the_last_byte(night, tmp_path):
    simulate_night(tmp_path, 3, frames=2, size=SIZE)
    frames = digest(night / "frames")
    assert len(frames) > 40
    assert digest(tmp_path / "frames") == frames
    assert digest(tmp_path / "truth") == {
        name: (sha, (tmp_path / "truth" / name).stat().st_mtime_ns)
        for name, (sha, _) in digest(night / "truth").items()
    }


def test_truth_names_every_frame_and_every_frame_has_its_truth(night):
    truth = json.loads((night / "truth" / "truth.json").read_text())
    listed = {f for s in truth["series"] for f in s["frames"]}
    assert listed == {f"frames/{name}" for name in digest(night / "frames")}
    for series in truth["series"]:
        master = fits.getdata(night / "truth" / series["truth"])
        assert master.shape == SIZE
        assert master.dtype == np.dtype(">f4")


def test_the_night_has_the_kinds_of_frames_it_promises(night):
    truth = json.loads((night / "truth" / "truth.json").read_text())["series"]
    mono = [s["series"] for s in truth if s["camera"]["name"] == "QHY600M"]
    assert {s["filter"] for s in mono if s["frame_type"] == "flat"} == {"L", "R", "G", "B", "Ha"}
    for camera in ("QHY600M", "ZWO ASI2600MC Pro"):
        darks = [
            s["series"]
            for s in truth
            if s["camera"]["name"] == camera and s["series"]["frame_type"] == "dark"
        ]
        assert len({d["exposure_s"] for d in darks}) == 2
        assert len({d["temp_c"] for d in darks}) == 2
    assert len({s["start"][:10] for s in mono}) == 2


def test_astropy_reads_the_fits_frames_as_unsigned_16_bit(tmp_path):
    camera = mono_camera(SIZE)
    series = Series(FrameType.DARK, 1, "2025-11-10T18:00:00", 120.0)
    (path,) = write_series(tmp_path, camera, series, seed=1)
    with fits.open(path) as hdus:
        header, data = hdus[0].header, hdus[0].data
    assert data.dtype == np.uint16
    assert np.median(data) == pytest.approx(505, abs=8)
    assert header["IMAGETYP"] == "DARK"
    assert header["EXPTIME"] == 120.0
    assert (header["GAIN"], header["OFFSET"], header["USBLIMIT"]) == (56, 10, 10)
    assert header["READOUTM"] == "High Gain Mode"
    assert header["TELESCOP"] == 'Edge HD 8"'
    assert header["SET-TEMP"] == -10.0
    assert abs(header["CCD-TEMP"] + 10) < 0.5
    assert path.stat().st_mtime == datetime(2025, 11, 10, 18, 2, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("container", ["xisf", "xisf_lz4"])
def test_the_xisf_package_reads_the_same_samples_as_the_fits_twin_holds(tmp_path, container):
    from xisf import XISF

    camera = mono_camera(SIZE)
    pair = []
    for kind in ("fits", container):
        series = Series(FrameType.BIAS, 1, "2025-11-10T18:00:00", container=kind)
        pair += write_series(tmp_path / kind, camera, series, seed=4)
    file = XISF(str(pair[1]))
    meta = file.get_images_metadata()[0]
    assert np.array_equal(file.read_image(0)[..., 0], fits.getdata(pair[0]))
    assert meta["FITSKeywords"]["IMAGETYP"][0]["value"] == "BIAS"
    assert meta["XISFProperties"]["Instrument:Camera:Name"]["value"] == "QHY600M"


def test_the_colour_frames_say_their_pattern_and_no_filter(tmp_path):
    series = Series(FrameType.FLAT, 1, "2025-11-10T18:00:00", 0.8)
    (path,) = write_series(tmp_path, colour_camera(SIZE), series)
    header = fits.getheader(path)
    assert header["BAYERPAT"] == "RGGB"
    assert header["IMAGETYP"] == "Flat"
    assert "FILTER" not in header


def test_a_power_failure_cuts_the_last_file_short(tmp_path):
    series = Series(FrameType.BIAS, 3, "2025-11-10T18:00:00", truncate_last=True)
    paths = write_series(tmp_path, mono_camera(SIZE), series)
    sizes = [p.stat().st_size for p in paths]
    assert sizes[0] == sizes[1] > sizes[2] > 0


def test_a_folder_is_filled_once(night):
    with pytest.raises(CalibraryError, match="exists already"):
        simulate_night(night, 3, frames=2, size=SIZE)


@pytest.mark.parametrize("text", ["512", "512x", "63x64", "65x64", "axb"])
def test_a_bad_size_is_refused_in_one_line(text):
    with pytest.raises(CalibraryError, match="--size"):
        _parse_size(text)


def test_the_tiny_tree_holds_valid_frames_of_matching_groups(tmp_path):
    assert write_tiny_tree(tmp_path, 10, 3) == 30
    headers = [fits.getheader(p) for p in sorted(tmp_path.rglob("*.fits"))]
    assert len(headers) == 30
    assert len({h["DATE-OBS"] for h in headers}) == 30
    flats = {h["EXPTIME"] for h in headers if h["IMAGETYP"] == "FLAT"}
    darks = {h["EXPTIME"] for h in headers if h["IMAGETYP"] == "DARK"}
    assert flats < darks
    assert fits.getdata(next(tmp_path.rglob("*.fits"))).shape == (16, 16)

"""One run on a small observatory: the contract's names, columns and places."""

from __future__ import annotations

import json

import astropy.io.fits
import numpy as np
import pytest
from xisf import XISF

from calibrary.records import MANIFEST_COLUMNS

SETUP = "Edge_HD_8__QHY600M"


def test_it_succeeds_and_builds_every_group(first_run):
    space, ended = first_run
    assert ended.status == 0, ended.text
    groups = space.table("groups")
    assert sorted(groups["frame_type"]) == [
        *("bias", "dark", "dark", "darkflat", "darkflat", "flat", "flat")
    ]
    assert set(ended.of("integrate")) == set(groups["group"])
    assert set(ended.of("publish")) == set(groups["group"])


def test_masters_are_where_the_guide_puts_them(first_run):
    space, _ = first_run
    kinds = {
        "BIASES": ["MasterBias_0s"],
        "DARKS": ["MasterDark_120s", "MasterDark_300s"],
        "DARKFLATS": ["MasterDarkFlat_1.5s", "MasterDarkFlat_6s"],
        "FLATS": ["MasterFlat_Ha", "MasterFlat_R"],
    }
    expected = {
        f"!!!{kind}_LIB/{SETUP}/{kind}_2025_11_10/{SETUP}_{name}_Gain56_Offset10_1x1_-10C.xisf"
        for kind, names in kinds.items()
        for name in names
    }
    assert set(space.masters()) == expected
    assert set(space.table("groups")["master"]) == expected


def test_the_tables_have_the_contracts_columns(first_run):
    space, _ = first_run
    assert tuple(space.table("manifest").columns) == MANIFEST_COLUMNS
    groups = "group frame_type setup telescope camera exposure_s temp_c gain offset readout_mode"
    groups += " usb_limit binning filter width height night first_date_obs last_date_obs n_frames"
    groups += " calibrator_kind calibrator master verdict reason"
    columns = groups.split()
    assert list(space.table("groups").columns)[: len(columns)] == columns
    for name in ("report.html", "coverage.csv", "matches.json"):
        assert (space.results / name).stat().st_size > 100


def test_every_frame_is_used_and_has_a_group(first_run):
    space, _ = first_run
    manifest = space.table("manifest")
    assert len(manifest) == 36
    assert set(manifest["status"]) == {"used"}
    assert set(manifest["group"]) == set(space.table("groups")["group"])


def test_flats_are_calibrated_by_the_dark_flat_of_their_exposure(first_run):
    space, _ = first_run
    groups = space.table("groups").set_index("group")
    for _, flat in groups[groups["frame_type"] == "flat"].iterrows():
        assert flat["calibrator_kind"] == "darkflat"
        assert groups.loc[flat["calibrator"], "exposure_s"] == flat["exposure_s"]
    matches = json.loads((space.results / "matches.json").read_text())
    assert set(matches) >= set(groups[groups["frame_type"] == "flat"].index)


def test_a_master_is_the_mean_of_its_frames(first_run):
    """Few samples are rejected in clean frames, so the plain mean is close, and the scale exact."""
    space, _ = first_run
    manifest = space.table("manifest")
    group = space.group("dark", exposure_s=120.0)
    paths = manifest[manifest["group"] == group]["path"]
    mean = np.mean([astropy.io.fits.getdata(path).astype(float) for path in paths], axis=0)
    image = XISF(str(space.library / space.verdict(group)["master"])).read_image(0)[..., 0]
    assert image.dtype == np.float32
    assert np.median(np.abs(image * 65535 - mean)) < 0.01


def test_the_header_of_a_master_says_all_that_matching_needs(first_run):
    space, _ = first_run
    group = space.group("flat", filter="R")
    path = space.library / space.verdict(group)["master"]
    keywords = XISF(str(path)).get_images_metadata()[0]["FITSKeywords"]
    expected = {
        "IMAGETYP": "Master Flat",
        "TELESCOP": 'Edge HD 8"',
        "INSTRUME": "QHY600M",
        "GAIN": "56",
        "OFFSET": "10",
        "READOUTM": "High Gain Mode",
        "FILTER": "R",
        "XBINNING": "1",
        "NCOMBINE": "5",
    }
    said = {key: keywords[key][0]["value"].strip("'").strip() for key in expected}
    assert said == expected
    for key in [
        "EXPTIME",
        "EXPOSURE",
        "USBLIMIT",
        "SET-TEMP",
        "CCD-TEMP",
        "DATE-OBS",
        "DATE-END",
        "CALIBRAT",
    ]:
        assert key in keywords
    assert len(keywords["HISTORY"]) >= 5


def test_a_second_run_has_nothing_to_do_and_says_so(space):
    masters = space.masters()
    ended = space.run()
    assert ended.status == 0
    assert "7 masters up to date" in ended.text
    assert ended.jobs == []
    assert space.masters() == masters


@pytest.mark.parametrize("output", ["fits", "both"])
def test_masters_can_be_fits(space, output):
    ended = space.run(output={"format": output})
    assert ended.status == 0, ended.text
    master = space.verdict(space.group("bias"))["master"]
    fits = (space.library / master).with_suffix(".fits")
    header = astropy.io.fits.getheader(fits)
    assert header["IMAGETYP"] == "Master Bias"
    assert header["BUNIT"].lower() == "adu"
    assert header["BITPIX"] == -32

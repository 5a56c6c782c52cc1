"""Flats and a calibrator of another scale: told wherever the calibrator comes from."""

from __future__ import annotations

import shutil
from pathlib import Path

import astropy.io.fits
import numpy as np
import pytest
from observatory import flats, take

from calibrary.headers.reading import read_header
from calibrary.records import FrameType
from calibrary.simulate.series import Series


def scale(verdict: dict) -> tuple[float, str] | None:
    """Figure and verdict of the test, if it was made."""
    found = [t for t in verdict["tests"] if t["name"] == "inputs.scale_ratio"]
    return (found[0]["figure"], found[0]["verdict"]) if found else None


@pytest.fixture
def shifted(tmp_path) -> Path:
    """Flats as they are, dark-flats shifted by four bits."""
    take(tmp_path / "source/flats", flats("R", "2025-11-10T16:00:00"))
    series = Series(FrameType.DARKFLAT, 5, "2025-11-10T16:20:00", 1.5)
    for path in take(tmp_path / "source/darkflats", series):
        with astropy.io.fits.open(path, mode="update") as hdus:
            hdus[0].data = hdus[0].data * np.uint16(16)
    return tmp_path


def test_a_calibrator_of_this_run_and_the_same_one_from_the_library(run, shifted):
    verdicts = run(shifted)
    assert verdicts["flat"]["calibrator"]["used"] == "candidate"
    assert scale(verdicts["flat"]) == (16.0, "warn")
    master = shifted / "library" / verdicts["darkflat"]["master"]
    assert read_header(master).frame.qc["QCSTEP"] == 16.0

    shutil.rmtree(shifted / "results")
    shutil.rmtree(shifted / "source/darkflats")
    verdicts = run(shifted)
    assert verdicts["flat"]["calibrator"]["used"] == "library"
    assert scale(verdicts["flat"]) == (16.0, "warn")


def test_the_published_master_in_place_of_a_refused_one(run, shifted):
    """The frames of the master that was subtracted count, not those of the refused one."""
    run(shifted)
    for path in (shifted / "source/darkflats").rglob("*.fits"):
        with astropy.io.fits.open(path, mode="update") as hdus:
            hdus[0].data = hdus[0].data // np.uint16(16)
    verdicts = run(shifted, verify={"previous_level": {"warn": 1.0, "fail": 5.0}})
    assert verdicts["darkflat"]["outcome"] == "refused"
    assert verdicts["darkflat"]["figures"]["inputs.step"] == 1.0
    assert verdicts["flat"]["calibrator"]["used"] == "published"
    assert scale(verdicts["flat"]) == (16.0, "warn")


def test_what_another_program_made_has_no_known_scale(run, shifted):
    master = shifted / "library" / run(shifted)["darkflat"]["master"]
    with astropy.io.fits.open(master, mode="update") as hdus:
        del hdus[0].header["CALDIGST"]
    shutil.rmtree(shifted / "source/darkflats")
    verdicts = run(shifted)
    assert verdicts["flat"]["calibrator"]["used"] == "library"
    assert scale(verdicts["flat"]) is None

"""Flats and a calibrator of another scale: told wherever the calibrator comes from."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import astropy.io.fits
import numpy as np
import pytest
from observatory import flats, take

from calibrary.build import Place, build_group
from calibrary.config import load_config
from calibrary.headers.reading import read_header
from calibrary.library.publish import candidate_is_usable, publish_group, read_verdict
from calibrary.manifest.indexing import index_frames
from calibrary.model import FrameType
from calibrary.plan.write import plan_run
from calibrary.simulate.series import Series


def run(root: Path, **verify: dict[str, float]) -> dict[str, dict]:
    """Build and publish all groups; return the verdicts by type."""
    places = {key: str(root / key) for key in ("source", "library", "results")}
    config = load_config(
        {**places, "overrides": None, "output": {"format": "fits"}, "verify": verify}
    )
    plan = plan_run(index_frames([root / "source"], None, progress=False), config)
    verdicts = {}
    for group in plan.groups:
        measured = root / f"results/candidates/{group.group}.json"
        measured.parent.mkdir(parents=True, exist_ok=True)
        build_group(
            group,
            Place(measured, measured.with_suffix(".png"), root / "library", measured.parent),
            output=config.output.model_dump(),
            calibrator_usable=partial(candidate_is_usable, config=config),
            threads=1,
            mem_mb=group.mem_mb,
        )
        sheet, verdict = measured.with_suffix(".sheet"), root / f"results/verify/{group.group}.json"
        sheet.write_text(group.to_json())
        publish_group(sheet, measured, verdict, config)
        verdicts[group.frame_type.value] = read_verdict(verdict)
    return verdicts


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


def test_a_calibrator_of_this_run_and_the_same_one_from_the_library(shifted):
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


def test_the_published_master_in_place_of_a_refused_one(shifted):
    """The frames of the master that was subtracted count, not those of the refused one."""
    run(shifted)
    for path in (shifted / "source/darkflats").rglob("*.fits"):
        with astropy.io.fits.open(path, mode="update") as hdus:
            hdus[0].data = hdus[0].data // np.uint16(16)
    verdicts = run(shifted, previous_level={"warn": 1.0, "fail": 5.0})
    assert verdicts["darkflat"]["outcome"] == "refused"
    assert verdicts["darkflat"]["figures"]["inputs.step"] == 1.0
    assert verdicts["flat"]["calibrator"]["used"] == "published"
    assert scale(verdicts["flat"]) == (16.0, "warn")


def test_what_another_program_made_has_no_known_scale(shifted):
    master = shifted / "library" / run(shifted)["darkflat"]["master"]
    with astropy.io.fits.open(master, mode="update") as hdus:
        del hdus[0].header["CALDIGST"]
    shutil.rmtree(shifted / "source/darkflats")
    verdicts = run(shifted)
    assert verdicts["flat"]["calibrator"]["used"] == "library"
    assert scale(verdicts["flat"]) is None

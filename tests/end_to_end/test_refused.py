"""Masters that fail verification: what is kept, what is used instead, what it takes to publish."""

from __future__ import annotations

import astropy.io.fits
from observatory import flats, take

from calibrary.headers.reading import read_header
from calibrary.records import FrameType
from calibrary.simulate.series import Series

NO_MASTER_PASSES = {"level_dark_fraction": {"warn": 0.0, "fail": 0.0}}
"""A limit that every dark and dark-flat fails."""


def test_a_refused_dark_flat_leaves_its_flat_calibrated_by_the_published_one(space):
    before = space.masters()
    darkflat = space.group("darkflat", exposure_s=1.5)
    flat = space.group("flat", filter="R")
    manifest = space.table("manifest")
    for path in manifest[manifest["group"] == darkflat]["path"]:
        with astropy.io.fits.open(path, mode="update") as hdus:
            hdus[0].data = hdus[0].data + 50000
    ended = space.run()
    assert ended.status == 1, ended.text
    assert darkflat in ended.text
    assert space.verdict(darkflat)["verdict"] == "fail", ended.text
    assert space.verdict(darkflat)["outcome"] == "refused"
    master = space.verdict(darkflat)["master"]
    assert space.masters()[master] == before[master]
    used = space.verdict(flat)["calibrator"]
    assert used["used"] == "published"
    assert space.verdict(flat)["verdict"] != "fail"
    assert (space.results / f"candidates/{darkflat}.xisf").exists()
    again = space.run()
    assert again.status == 1
    assert again.of("integrate") == []


def test_a_flat_is_made_anew_once_its_refused_calibrator_is_let_in(space):
    darkflat = space.group("darkflat", exposure_s=1.5)
    flat = space.group("flat", filter="R")
    manifest = space.table("manifest")
    for path in manifest[manifest["group"] == darkflat]["path"]:
        with astropy.io.fits.open(path, mode="update") as hdus:
            hdus[0].data = hdus[0].data + 25000
    space.run()
    assert space.verdict(flat)["calibrator"]["used"] == "published"
    before = space.masters()[space.verdict(flat)["master"]]
    ended = space.run(publish="all")
    assert ended.of("integrate") == [flat], ended.text
    assert space.verdict(flat)["calibrator"]["used"] == "candidate"
    assert space.verdict(flat)["n_combined"] > 0
    assert space.masters()[space.verdict(flat)["master"]] != before
    assert [*(space.results / "verify").glob("*.void")] == []


def test_a_flat_whose_calibrator_never_passed_is_not_built_until_limits_allow(space):
    take(
        space.frames,
        flats("G", "2025-11-12T16:00:00", exposure_s=2.0),
        Series(FrameType.DARKFLAT, 5, "2025-11-12T16:20:00", 2.0),
        seed=40,
    )
    ended = space.run(verify=NO_MASTER_PASSES)
    assert ended.status == 1, ended.text
    flat = space.group("flat", filter="G")
    assert "not built" in space.verdict(flat)["reason"]
    assert space.verdict(flat)["master"] is None
    ended = space.run()
    assert ended.status == 0, ended.text
    assert ended.of("integrate") == [flat]
    assert space.verdict(flat)["calibrator"]["used"] == "candidate"
    assert space.run().jobs == []


def test_masters_that_failed_are_published_on_request_and_say_so(space):
    dark = space.group("dark", exposure_s=120.0)
    ended = space.run(verify=NO_MASTER_PASSES, publish="all")
    assert ended.status == 1
    assert space.verdict(dark)["outcome"] == "published"
    master = space.library / space.verdict(dark)["master"]
    assert b"QCVERDCT" in master.read_bytes()
    assert read_header(master).frame.inputs_digest == space.verdict(dark)["digest"]
    ended = space.run()
    assert ended.status == 0, ended.text
    assert b"QCVERDCT" not in master.read_bytes()


def test_a_dry_run_tells_what_would_be_built_and_why_and_changes_nothing(space):
    dark = space.group("dark", exposure_s=120.0)
    flat = space.group("flat", filter="R")
    take(space.frames, Series(FrameType.DARK, 2, "2025-11-10T18:15:00", 120.0), seed=9)
    (space.library / space.verdict(flat)["master"]).unlink()
    before = sorted(str(path) for path in space.results.rglob("*"))
    ended = space.run("--dry-run")
    assert ended.status == 0, ended.text
    assert f"would build {dark} (7 frames): 2 frames added" in ended.text
    assert f"would build {flat} (5 frames): its master is gone" in ended.text
    assert "5 of 7 groups are up to date" in ended.text
    assert sorted(str(path) for path in space.results.rglob("*")) == before

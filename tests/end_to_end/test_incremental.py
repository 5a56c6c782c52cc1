"""What a run does again, and what it leaves alone, counted in jobs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from observatory import flats, take

from calibrary.records import FrameType
from calibrary.simulate.series import Series

ALWAYS = {"index", "plan", "report", "conclude"}


def frames_of(space, group):
    manifest = space.table("manifest")
    return sorted(manifest[manifest["group"] == group]["path"])


def singles(ended):
    return {job for job in ended.jobs if "/" not in job}


def test_frames_added_to_a_group_rebuild_that_group_alone(space):
    dark = space.group("dark", exposure_s=120.0)
    before = space.masters()
    take(space.frames, Series(FrameType.DARK, 2, "2025-11-10T18:15:00", 120.0), seed=9)
    ended = space.run()
    assert ended.status == 0, ended.text
    assert ended.of("integrate") == [dark]
    assert ended.of("publish") == [dark]
    assert singles(ended) == ALWAYS
    after = space.masters()
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {space.verdict(dark)["master"]}
    assert space.verdict(dark)["n_combined"] == 7
    assert space.run().jobs == []


def test_a_frame_removed_from_a_dark_flat_rebuilds_it_and_its_flats(space):
    darkflat = space.group("darkflat", exposure_s=1.5)
    flat = space.group("flat", filter="R")
    Path(frames_of(space, darkflat)[0]).unlink()
    ended = space.run()
    assert ended.status == 0, ended.text
    assert ended.of("integrate") == sorted([darkflat, flat])
    assert space.run().jobs == []


def test_a_frame_touched_rebuilds_its_group(space):
    bias = space.group("bias")
    os.utime(frames_of(space, bias)[2])
    ended = space.run()
    assert ended.of("integrate") == [bias]
    assert space.run().jobs == []


def test_a_new_group_is_built_and_nothing_else(space):
    old = set(space.table("groups")["group"])
    take(space.frames, flats("G", "2025-11-10T16:40:00"), seed=20)
    ended = space.run()
    assert ended.status == 0, ended.text
    new = set(space.table("groups")["group"]) - old
    assert len(new) == 1
    assert set(ended.of("integrate")) == new


def test_moving_the_source_folder_rebuilds_nothing(space):
    before = space.masters()
    shutil.move(space.frames, space.root / "elsewhere")
    ended = space.run(source="elsewhere")
    assert ended.status == 0, ended.text
    assert ended.of("integrate") == []
    assert space.masters() == before
    assert str(space.root / "elsewhere") in space.table("manifest")["path"].iloc[0]


def test_a_master_deleted_from_the_library_is_built_again(space):
    before = space.masters()
    flat = space.group("flat", filter="R")
    (space.library / space.verdict(flat)["master"]).unlink()
    ended = space.run()
    assert ended.status == 0, ended.text
    assert ended.of("publish") == [flat]
    assert space.masters() == before
    assert space.run().jobs == []


def test_a_master_deleted_with_its_candidate_is_integrated_again(space):
    before = space.masters()
    flat = space.group("flat", filter="R")
    (space.library / space.verdict(flat)["master"]).unlink()
    (space.results / f"candidates/{flat}.xisf").unlink()
    ended = space.run()
    assert ended.of("integrate") == [flat]
    assert space.masters() == before
    assert space.run().jobs == []


def test_a_changed_rejection_rebuilds_the_type_it_is_for(space):
    darks = sorted(space.group("dark", exposure_s=t) for t in (120.0, 300.0))
    settings = {"dark": {"rejection": "sigma", "low": 5, "high": 5}}
    ended = space.run(integration=settings)
    assert ended.status == 0, ended.text
    assert ended.of("integrate") == darks
    assert space.run(integration=settings).jobs == []


def test_a_changed_limit_judges_again_and_integrates_nothing(space):
    everything = sorted(space.table("groups")["group"])
    minimum = {"bias": 6, "dark": 5, "darkflat": 5, "flat": 5}
    ended = space.run(frames={"minimum": minimum})
    assert ended.status == 0, ended.text
    assert ended.of("integrate") == []
    assert ended.of("publish") == everything
    assert space.run(frames={"minimum": minimum}).jobs == []


def test_a_lost_results_folder_builds_nothing_that_the_library_has(space):
    before = space.masters()
    shutil.rmtree(space.results)
    ended = space.run()
    assert ended.status == 0, ended.text
    assert space.masters() == before
    outcomes = {space.verdict(g)["outcome"] for g in space.table("groups")["group"]}
    assert outcomes == {"reused"}
    assert space.run().jobs == []

"""Two cameras of one name: their serial numbers keep them apart, and nothing else is split."""

import dataclasses
import random

import pytest

from calibrary.config import load_config
from calibrary.plan.overrides import Overrides
from calibrary.records import Action, FrameType

NIGHT = "2025-11-10T20:00:00"
LATER = "2025-11-10T21:00:00"
A, B = "0a1b2c3d4e5f", "9f8e7d6c5b4a"


def only(plan):
    (group,) = plan.groups
    return group


def flat_of(plan):
    (group,) = [g for g in plan.groups if g.frame_type is FrameType.FLAT]
    return group


def test_frames_of_two_cameras_are_two_groups_with_two_names(shoot, plan):
    darks = [f for serial in (A, B) for f in shoot("dark", 5, NIGHT, camera_serial=serial)]
    random.Random(4).shuffle(darks)
    first, second = plan(darks).groups
    assert (first.keys.camera_serial, second.keys.camera_serial) == (A, B)
    assert second.master == first.master.replace(".xisf", f"_{B}.xisf"), "what tells them apart"
    assert A not in first.master, "only the later one of two equal names is told apart"


@pytest.mark.parametrize("serial", [None, A])
def test_a_serial_number_alone_changes_no_name(shoot, plan, serial):
    group = only(plan(shoot("dark", 5, NIGHT, camera_serial=serial)))
    assert group.master.endswith("_MasterDark_0.5s_Gain56_Offset10_1x1_-10C.xisf")


def test_unknown_is_no_group_with_known(shoot, plan):
    """Else a third frame, of the other camera, would change what the unknown ones belong to."""
    darks = shoot("dark", 5, NIGHT) + shoot("dark", 5, NIGHT, camera_serial=A)
    assert {g.keys.camera_serial: len(g.frames) for g in plan(darks).groups} == {None: 5, A: 5}


def test_the_other_camera_calibrates_no_flat_and_the_reason_says_so(shoot, plan):
    frames = shoot("flat", 20, NIGHT, camera_serial=A) + shoot(
        "darkflat", 20, LATER, camera_serial=B
    )
    flat = flat_of(plan(frames))
    assert flat.calibrator.kind == "none"
    assert f"serial number of the camera {B} against the flat's {A}" in flat.calibrator.reason


def test_unknown_calibrates_known_but_the_same_camera_comes_first(shoot, plan):
    flats = shoot("flat", 20, NIGHT, camera_serial=A)
    nearer = shoot("darkflat", 20, "2025-11-10T20:10:00")
    own = shoot("darkflat", 20, "2025-11-10T22:00:00", camera_serial=A)
    assert flat_of(plan([*flats, *nearer])).calibrator.kind == "darkflat"
    chosen = flat_of(plan([*flats, *nearer, *own])).calibrator.group
    group = next(g for g in plan([*flats, *nearer, *own]).groups if g.group == chosen)
    assert group.keys.camera_serial == A


@pytest.mark.parametrize(("serial", "kind"), [(None, "library"), (A, "library"), (B, "none")])
def test_masters_of_the_library(shoot, plan, shelve, serial, kind):
    master = shelve("dark", "x/Master.xisf", "2025-01-01T20:00:00", camera_serial=serial)
    flats = shoot("flat", 20, NIGHT, camera_serial=A)
    assert flat_of(plan(flats, [master])).calibrator.kind == kind


def test_a_master_made_before_the_serial_was_known_keeps_its_place(shoot, plan, published):
    darks = shoot("dark", 5, NIGHT)
    masters = published(plan(darks))
    told = [dataclasses.replace(f, camera_serial=A) for f in darks]
    again = only(plan(told, masters))
    assert (again.action, again.master) == (Action.BUILD, only(plan(darks)).master)
    assert only(plan(darks, masters)).action is Action.REUSE


def test_a_master_of_the_other_camera_keeps_its_place_too(shoot, plan, published):
    first, second = (shoot("dark", 5, NIGHT, camera_serial=serial) for serial in (B, A))
    masters = [dataclasses.replace(m, camera_serial=B) for m in published(plan(first))]
    by_serial = {g.keys.camera_serial: g for g in plan([*first, *second], masters).groups}
    assert by_serial[B].master == only(plan(first)).master
    assert by_serial[A].master.endswith(f"_{A}.xisf")
    assert by_serial[A].previous is None


def test_a_dark_is_judged_above_the_bias_of_its_own_camera(shoot, plan):
    frames = [
        frame
        for serial in (A, B)
        for kind, exposure in (("bias", 0.0), ("dark", 60.0))
        for frame in shoot(kind, 5, NIGHT, camera_serial=serial, exposure_s=exposure)
    ]
    groups = {g.group: g for g in plan(frames).groups}
    darks = [g for g in groups.values() if g.frame_type is FrameType.DARK]
    assert len(darks) == 2
    for dark in darks:
        assert groups[dark.bias].keys.camera_serial == dark.keys.camera_serial


def test_an_alias_joins_two_numbers_of_one_camera(shoot, plan, config):
    darks = [f for serial in (A, B) for f in shoot("dark", 5, NIGHT, camera_serial=serial)]
    joined = load_config({**config.model_dump(), "aliases": {"camera_serial": {B: A}}})
    assert only(plan(darks, config=joined)).keys.camera_serial == A


def test_the_overrides_tell_cameras_apart_by_folder(shoot, plan):
    darks = [
        dataclasses.replace(f, path=f.path.replace("/source/", f"/source/{rig}/"))
        for rig in ("left", "right")
        for f in shoot("dark", 5, NIGHT)
    ]
    told = Overrides.model_validate(
        {"set": [{"files": "right/", "values": {"camera_serial": "right"}}]}
    )
    groups = plan(darks, overrides=told).groups
    assert {g.keys.camera_serial for g in groups} == {None, "right"}

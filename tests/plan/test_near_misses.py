"""Frames that are nearly what is needed: the plan says what they are and what would help."""

import pytest

from calibrary.records import FrameType, Status

NIGHT, LATER = "2025-11-10T20:00:00", "2025-11-10T21:00:00"


def flat_of(plan):
    (group,) = [g for g in plan.groups if g.frame_type is FrameType.FLAT]
    return group


@pytest.mark.parametrize(("exposure", "told"), [(0.001, True), (0.0, True), (0.05, False)])
def test_darks_as_short_as_a_bias_are_named(shoot, plan, exposure, told):
    frames = [*shoot("dark", 7, LATER, exposure_s=exposure), *shoot("flat", 5, NIGHT)]
    reason = flat_of(plan(frames)).calibrator.reason
    assert ("7 darks of " in reason and "`retype`" in reason) is told


def test_short_darks_of_another_camera_are_not_named(shoot, plan):
    frames = [*shoot("dark", 7, LATER, exposure_s=0.001, gain=0.0), *shoot("flat", 5, NIGHT)]
    assert "retype" not in flat_of(plan(frames)).calibrator.reason


def test_a_bias_of_60_s_is_set_aside_with_the_remedy(shoot, plan):
    frames = shoot("bias", 5, NIGHT) + shoot("bias", 5, LATER, exposure_s=60.0)
    made = plan(frames)
    (group,) = made.groups
    assert len(group.frames) == 5
    aside = [f for f in made.frames if f.status is Status.SET_ASIDE]
    assert len(aside) == 5
    assert all("a bias of 60 s" in str(f.reason) and "retype" in str(f.reason) for f in aside)


@pytest.mark.parametrize("of_flats", [None, 0.5])
def test_darks_of_unknown_exposure_never_calibrate(shoot, plan, of_flats):
    """Unknown is not equal to unknown: neither as a dark nor as a dark-flat, and the bias is."""
    frames = [
        *shoot("dark", 5, LATER, exposure_s=None),
        *shoot("darkflat", 5, LATER, exposure_s=None),
        *shoot("flat", 5, NIGHT, exposure_s=of_flats),
        *shoot("bias", 5, LATER),
    ]
    made = plan(frames)
    assert flat_of(made).calibrator.kind == "bias"
    darks = [g for g in made.groups if g.frame_type is FrameType.DARK]
    assert any("exposure unknown" in warning for warning in darks[0].warnings)


def test_a_master_of_unknown_exposure_never_calibrates(shoot, plan, shelve):
    master = shelve("dark", "x/Master.xisf", "2025-01-01T20:00:00", exposure_s=None)
    flats = shoot("flat", 5, NIGHT, exposure_s=None)
    assert flat_of(plan(flats, [master])).calibrator.kind == "none"


def test_what_is_unknown_is_listed_the_weightiest_first(shoot, plan):
    lacking = {
        "telescope": None,
        "camera": None,
        "exposure_s": None,
        "filter": None,
        "gain": None,
        "temp_c": None,
        "set_temp_c": None,
    }
    (group,) = plan(shoot("flat", 20, NIGHT, **lacking)).groups
    (warning,) = [w for w in group.warnings if "unknown" in w]
    assert warning.startswith("camera, telescope, exposure, filter, gain, temperature unknown")


def test_a_mosaic_needs_no_filter(shoot, plan):
    (group,) = plan(shoot("flat", 20, NIGHT, filter=None, bayer_pattern="RGGB")).groups
    assert not any("filter" in w for w in group.warnings)


def test_noon_does_not_tear_a_series_in_two(shoot, plan):
    """Darks of a cloudy day, 09:00 to 15:00; the night of each is told by the clock."""
    darks = shoot("dark", 60, "2025-03-02T09:00:00", step_s=360.0, exposure_s=300.0)
    assert len({f.night for f in darks}) == 2
    (group,) = plan(darks).groups
    assert len(group.frames) == 60
    assert group.keys.night == "2025-03-01"


def test_two_nights_stay_two_where_the_day_is_between(shoot, plan):
    darks = [
        *shoot("dark", 5, "2025-03-02T05:00:00", exposure_s=300.0),
        *shoot("dark", 5, "2025-03-02T20:00:00", exposure_s=300.0),
    ]
    assert [len(g.frames) for g in plan(darks).groups] == [5, 5]


def test_a_pause_in_one_night_parts_nothing(shoot, plan):
    darks = [
        *shoot("dark", 5, "2025-03-02T18:00:00", exposure_s=300.0),
        *shoot("dark", 5, "2025-03-03T05:00:00", exposure_s=300.0),
    ]
    assert [len(g.frames) for g in plan(darks).groups] == [10]


def test_a_gap_of_long_exposures_is_counted_from_their_end(shoot, plan):
    """One exposure of 2 h runs over noon: nothing pauses."""
    darks = shoot("dark", 6, "2025-03-02T05:00:00", step_s=7260.0, exposure_s=7200.0)
    assert [len(g.frames) for g in plan(darks).groups] == [6]

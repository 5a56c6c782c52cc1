"""The ladder: what is subtracted from flats, in which order, and why not something better."""

import json

import pytest

from calibrary.config import load_config
from calibrary.plan.overrides import Overrides
from calibrary.records import CalibratorKind, FrameType

FLATS = "2025-11-10T18:00:00"


def changed(config, **sections):
    return load_config({**config.model_dump(), **sections})


def flat_of(plan):
    """The one group of flats."""
    (group,) = [g for g in plan.groups if g.frame_type is FrameType.FLAT]
    return group


@pytest.fixture
def everything(shoot):
    """Flats, and a calibrator for each rung that frames can stand on."""
    return {
        "flat": shoot("flat", 20, FLATS),
        "darkflat": shoot("darkflat", 20, "2025-11-10T19:00:00"),
        "dark": shoot("dark", 20, "2025-11-09T20:00:00"),
        "bias": shoot("bias", 20, "2025-11-10T20:00:00"),
    }


@pytest.mark.parametrize("missing", [0, 1, 2, 3])
def test_the_ladder_from_frames_alone(everything, plan, missing):
    kinds = ["darkflat", "dark", "bias", "none"]
    left = ["flat", *kinds[missing:-1]]
    flat = flat_of(plan([f for kind in left for f in everything[kind]]))
    assert flat.calibrator.kind == kinds[missing]
    assert bool(flat.calibrator.reason) == (missing > 0)
    stepped = any("calibrated" in warning for warning in flat.warnings)
    assert stepped == (missing > 0), "each step down is a warning"


@pytest.mark.parametrize("kind", ["darkflat", "dark"])
def test_the_library_comes_before_bias(everything, plan, shelve, kind):
    master = shelve(kind, "x/Master.xisf", "2025-11-10T20:00:00")
    flat = flat_of(plan([*everything["flat"], *everything["bias"]], [master]))
    assert flat.calibrator.kind is CalibratorKind.LIBRARY
    assert (flat.calibrator.group, flat.calibrator.master) == (None, "x/Master.xisf")


def test_a_group_of_this_run_comes_before_the_library(everything, plan, shelve):
    master = shelve("darkflat", "x/Master.xisf", "2025-11-10T18:30:00")
    flat = flat_of(plan([*everything["flat"], *everything["dark"]], [master]))
    assert flat.calibrator.kind is CalibratorKind.DARK


def test_in_the_library_dark_flats_come_before_darks(everything, plan, shelve):
    masters = [
        shelve("dark", "a/MasterDark.xisf", "2025-11-10T18:00:00"),
        shelve("darkflat", "b/MasterDarkFlat.xisf", "2025-11-10T20:00:00"),
    ]
    flat = flat_of(plan(everything["flat"], masters))
    assert flat.calibrator.master == "b/MasterDarkFlat.xisf"


def test_a_bias_master_of_the_library_is_the_last_resort(everything, plan, shelve):
    master = shelve("bias", "x/MasterBias.xisf", "2025-01-01T00:00:00", temp_c=20.0)
    flat = flat_of(plan(everything["flat"], [master]))
    assert flat.calibrator.kind is CalibratorKind.BIAS
    assert flat.calibrator.master == "x/MasterBias.xisf"


def test_later_dark_flats_before_earlier_then_the_nearest(shoot, plan):
    def chosen(*starts):
        series = [f for start in starts for f in shoot("darkflat", 5, start)]
        return flat_of(plan([*shoot("flat", 20, FLATS), *series])).calibrator.group

    # Told apart by the session's start, since all are of one night.
    assert chosen("2025-11-10T14:30:00", "2025-11-10T17:50:00", "2025-11-10T20:55:30").endswith(
        "2055"
    )


def test_prefer_is_a_setting(shoot, plan, config):
    frames = [
        *shoot("flat", 20, FLATS),
        *shoot("darkflat", 5, "2025-11-10T15:30:00", exposure_s=0.5),
        *shoot("darkflat", 6, "2025-11-10T20:00:00", exposure_s=0.5),
    ]
    sizes = {}
    for prefer in ("later", "earlier", "nearest"):
        result = plan(frames, config=changed(config, match={"prefer": prefer}))
        by_name = {g.group: g for g in result.groups}
        sizes[prefer] = len(by_name[flat_of(result).calibrator.group].frames)
    assert sizes == {"later": 6, "earlier": 5, "nearest": 6}


@pytest.mark.parametrize(
    ("temp_c", "kind"), [(-10.9, "dark"), (-9.0, "dark"), (-11.1, "none"), (None, "none")]
)
def test_a_dark_has_to_have_the_flats_temperature(shoot, plan, temp_c, kind):
    darks = shoot("dark", 20, "2025-11-01T20:00:00", temp_c=temp_c)
    assert flat_of(plan([*shoot("flat", 20, FLATS), *darks])).calibrator.kind == kind


def test_dark_flats_are_matched_by_time_and_the_better_temperature_wins(shoot, plan):
    flats = shoot("flat", 20, FLATS)
    near = shoot("darkflat", 5, "2025-11-10T17:00:00", temp_c=-10.0)
    drifted = shoot("darkflat", 5, "2025-11-10T19:00:00", temp_c=-7.0)
    hot = shoot("darkflat", 5, "2025-11-10T19:30:00", temp_c=30.0)
    assert "-7C" in flat_of(plan([*flats, *drifted, *hot])).calibrator.group
    assert "-10C" in flat_of(plan([*flats, *near, *drifted, *hot])).calibrator.group
    assert flat_of(plan([*flats, *hot])).calibrator.kind is CalibratorKind.NONE


def test_use_bias_false_takes_bias_out_and_builds_none(everything, plan, config):
    frames = [*everything["flat"], *everything["bias"]]
    result = plan(frames, config=changed(config, use_bias=False))
    assert [g.frame_type for g in result.groups] == [FrameType.FLAT]
    assert flat_of(result).calibrator.kind is CalibratorKind.NONE
    assert "use_bias" in flat_of(result).calibrator.reason
    assert {f.status for f in result.frames if f.frame_type is FrameType.BIAS} == {"ignored"}


def test_the_ladder_is_a_setting(everything, plan, config):
    frames = [f for series in everything.values() for f in series]
    config = changed(config, match={"ladder": ["bias", "none"]})
    flat = flat_of(plan(frames, config=config))
    assert (flat.calibrator.kind, flat.calibrator.reason) == (CalibratorKind.BIAS, "")


def test_a_calibrator_with_too_few_frames_is_none(shoot, plan):
    flats, few = shoot("flat", 20, FLATS), shoot("darkflat", 2, "2025-11-10T19:00:00")
    flat = flat_of(plan([*flats, *few]))
    assert flat.calibrator.kind is CalibratorKind.NONE
    assert "only 2 of 3 required frames" in flat.calibrator.reason


@pytest.mark.parametrize(
    "change",
    [
        {"camera": "other"},
        {"telescope": "other"},
        {"telescope": None},
        {"width": 50},
        {"y_binning": 2},
        {"gain": 0.0},
        {"gain": None},
        {"offset": 0.0},
        {"readout_mode": "other"},
        {"usb_limit": 0.0},
        {"exposure_s": 0.6},
        {"sample_format": "uint8"},
        {"bayer_pattern": "RGGB"},
    ],
)
def test_settings_are_never_crossed(shoot, plan, change):
    flats = shoot("flat", 20, FLATS, bayer_pattern="GRBG")
    darks = shoot("darkflat", 20, "2025-11-10T19:00:00", **{"bayer_pattern": "GRBG", **change})
    flat = flat_of(plan([*flats, *darks]))
    assert flat.calibrator.kind is CalibratorKind.NONE


@pytest.mark.parametrize("lost", ["readout_mode", "usb_limit", "bayer_pattern"])
def test_what_masters_of_other_programs_lose_does_not_exclude_them(shoot, plan, shelve, lost):
    master = shelve("dark", "x/MasterDark.xisf", FLATS, **{lost: None})
    flat = flat_of(plan(shoot("flat", 20, FLATS, bayer_pattern="RGGB"), [master]))
    assert flat.calibrator.kind is CalibratorKind.LIBRARY


@pytest.mark.parametrize("lost", ["gain", "offset", "temp_c"])
def test_a_master_that_does_not_say_its_gain_is_not_used(shoot, plan, shelve, lost):
    master = shelve("dark", "x/MasterDark.xisf", FLATS, **{"set_temp_c": None, lost: None})
    flat = flat_of(plan(shoot("flat", 20, FLATS), [master]))
    assert flat.calibrator.kind is CalibratorKind.NONE
    given = Overrides(
        set=[
            {"files": "x/MasterDark.xisf", "values": {"gain": 56, "offset": 10, "set_temp_c": -10}}
        ]
    )
    flat = flat_of(plan(shoot("flat", 20, FLATS), [master], overrides=given))
    assert flat.calibrator.kind is CalibratorKind.LIBRARY


def test_delta_and_tolerance_stand_in_one_line(shoot, plan):
    frames = shoot("flat", 20, FLATS) + shoot("dark", 20, "2025-11-10T22:15:00")
    reason = flat_of(plan(frames)).calibrator.reason
    assert "taken 4 h 13 min later than the flats, window 3 h" in reason
    frames = shoot("flat", 20, FLATS) + shoot("darkflat", 20, FLATS, exposure_s=0.6)
    reason = flat_of(plan(frames)).calibrator.reason
    assert "exposure 0.6 s against the flat's 0.5 s: +0.1 s, tolerance 0.001 s" in reason
    frames = shoot("flat", 20, FLATS) + shoot("dark", 20, "2025-11-02T20:00:00", temp_c=-15.0)
    reason = flat_of(plan(frames)).calibrator.reason
    assert "temperature -15 °C against the flat's -10 °C: -5 °C, tolerance 1 °C" in reason


def test_matches_hold_every_candidate_with_differences_and_ranks(everything, plan, shelve):
    other = shelve("dark", "x/MasterDark.xisf", FLATS, gain=0.0)
    result = plan([f for series in everything.values() for f in series], [other])
    match = json.loads(json.dumps(result.matches[flat_of(result).group]))
    entries = {entry["candidate"]: entry for entry in match["candidates"]}
    assert set(entries) == {"x/MasterDark.xisf"} | {
        g.group for g in result.groups if g.frame_type is not FrameType.FLAT
    }
    assert entries["x/MasterDark.xisf"]["excluded_by"] == ["gain"]
    assert entries["x/MasterDark.xisf"]["differences"]["gain"] == {
        "flat": 56.0,
        "candidate": 0.0,
        "delta": -56.0,
        "excludes": True,
    }
    chosen = [entry for entry in match["candidates"] if entry["chosen"]]
    assert [entry["candidate"] for entry in chosen] == [match["chosen"]]
    assert chosen[0]["rank"] == 1
    assert chosen[0]["differences"]["time"]["tolerance"] == 3.0
    assert set(match["not_listed"].values()) == {0}


def test_a_pin_goes_before_every_rule_but_size(everything, plan):
    frames = [f for series in everything.values() for f in series]
    bias = next(g.group for g in plan(frames).groups if g.frame_type is FrameType.BIAS)
    pinned = Overrides(pin=[{"flat": "flat_*", "calibrator": bias}])
    flat = flat_of(plan(frames, overrides=pinned))
    assert (flat.calibrator.kind, flat.calibrator.group) == (CalibratorKind.BIAS, bias)
    assert not any("calibrated" in warning for warning in flat.warnings)
    none = Overrides(pin=[{"flat": everything["flat"][0].path, "calibrator": "none"}])
    assert flat_of(plan(frames, overrides=none)).calibrator.kind is CalibratorKind.NONE


def test_a_pin_that_cannot_be_is_told_and_left(everything, plan, shelve, caplog):
    small = shelve("dark", "x/MasterDark.xisf", FLATS, width=50)
    frames = [f for series in everything.values() for f in series]
    for calibrator, why in (("nothing", "no group of this run"), ("x/MasterDark.xisf", "size")):
        overrides = Overrides(pin=[{"flat": "flat_*", "calibrator": calibrator}])
        flat = flat_of(plan(frames, [small], overrides=overrides))
        assert flat.calibrator.kind is CalibratorKind.DARKFLAT
        assert why in caplog.text


def test_what_is_forbidden_is_passed_over(everything, plan):
    frames = [f for series in everything.values() for f in series]
    overrides = Overrides(forbid=[{"calibrator": "darkflat_*"}])
    flat = flat_of(plan(frames, overrides=overrides))
    assert flat.calibrator.kind is CalibratorKind.DARK
    assert "forbidden by the overrides" in flat.calibrator.reason
    elsewhere = Overrides(forbid=[{"flat": "other*", "calibrator": "darkflat_*"}])
    assert flat_of(plan(frames, overrides=elsewhere)).calibrator.kind is CalibratorKind.DARKFLAT


def test_the_masters_place_stands_in_the_work_order(everything, plan):
    result = plan([f for series in everything.values() for f in series])
    by_name = {g.group: g for g in result.groups}
    calibrator = flat_of(result).calibrator
    assert calibrator.master == by_name[calibrator.group].master


def test_a_master_known_by_its_name_only_is_recognised(shoot, plan, shelve):
    name = "EDGE_HD_8__QHY600M_MasterDark_0.5s_Gain56_Offset10_1x1_-10C.xisf"
    path = f"!!!DARKS_LIB/Edge_HD_8__QHY600M/DARKS_2025_11_01/{name}"
    master = shelve("dark", path, telescope=None, camera=None)
    flat = flat_of(plan(shoot("flat", 20, FLATS), [master]))
    assert flat.calibrator.master == path


def test_darks_are_never_given_a_calibrator(everything, plan):
    result = plan([f for series in everything.values() for f in series])
    assert all(g.calibrator is None for g in result.groups if g.frame_type is not FrameType.FLAT)


@pytest.mark.parametrize(
    ("exposure_s", "digest", "kind"),
    [
        (0.51, None, "library"),
        (0.51, "ab12cd34", "none"),
        (0.52, None, "none"),
    ],
)
def test_exposures_that_other_programs_rounded_to_ten_milliseconds(
    shoot, plan, shelve, exposure_s, digest, kind
):
    flats = shoot("flat", 20, FLATS, exposure_s=0.5134)
    master = shelve("dark", "x/Master.xisf", FLATS, exposure_s=exposure_s, inputs_digest=digest)
    assert flat_of(plan(flats, [master])).calibrator.kind == kind


def test_an_equal_exposure_comes_before_a_rounded_one(shoot, plan, shelve):
    flats = shoot("flat", 20, FLATS, exposure_s=0.5134)
    rounded = shelve("dark", "a/Master.xisf", FLATS, exposure_s=0.51)
    equal = shelve("dark", "b/Master.xisf", "2025-06-01T20:00:00", exposure_s=0.513)
    assert flat_of(plan(flats, [rounded, equal])).calibrator.master == "b/Master.xisf"


def test_rounding_is_no_excuse_above_a_second(shoot, plan, shelve):
    flats = shoot("flat", 20, FLATS, exposure_s=1.234)
    master = shelve("dark", "x/Master.xisf", FLATS, exposure_s=1.23)
    flat = flat_of(plan(flats, [master]))
    assert flat.calibrator.kind == "none"
    assert "-0.004 s, tolerance 0.001234 s" in flat.calibrator.reason

"""Coverage: what there is, what is missing, and what to shoot next."""

import dataclasses
from datetime import date

import pytest

from calibrary.config import load_config
from calibrary.plan.coverage import COLUMNS, coverage

TODAY = date(2025, 11, 11)


def as_json(plan):
    return [{**g.to_dict(), "n_frames": len(g.frames)} for g in plan.groups]


def passed(plan, **changes):
    return {
        g.group: {
            "verdict": "pass",
            "n_combined": len(g.frames),
            "master": g.master,
            "calibrator": None,
            **changes,
        }
        for g in plan.groups
        if g.action == "build"
    }


def rows(table):
    return {(r.frame_type, r.setting): r for r in table.itertuples()}


SETTING = "Gain56 Offset10 1x1 -10C"


@pytest.fixture
def table(plan, config):
    def make(frames, today=TODAY, masters=(), config=config, **verdict):
        result = plan(frames)
        return coverage(as_json(result), masters, config, passed(result, **verdict), today)

    return make


def test_the_columns_are_as_documented(table, shoot):
    assert tuple(table(shoot("dark", 30, "2025-11-10T20:00:00")).columns) == COLUMNS


def test_a_full_set_is_fine(table, shoot):
    frames = [
        *shoot("bias", 100, "2025-11-10T16:00:00"),
        *shoot("flat", 30, "2025-11-10T18:00:00"),
        *shoot("darkflat", 30, "2025-11-10T19:00:00"),
        *shoot("dark", 30, "2025-11-10T20:00:00", exposure_s=300.0),
    ]
    made = table(frames)
    assert set(made["status"]) == {"ok"}
    assert set(made["shoot_next"]) == {""}
    assert list(made["masters"]) == [1, 1, 1, 1]
    assert set(made["age_days"]) == {1}


def test_below_minimum_says_how_many_more(table, shoot):
    row = rows(table(shoot("dark", 10, "2025-11-10T20:00:00")))["dark", f"0.5s {SETTING}"]
    assert (row.status, row.n_frames, row.minimum, row.recommended) == ("below_minimum", 10, 15, 30)
    assert row.shoot_next.startswith("5 more darks at least, 20 for the recommended")


def test_flats_without_dark_flats_ask_for_them(table, shoot):
    row = rows(table(shoot("flat", 30, "2025-11-10T18:00:00")))["darkflat", f"0.5s {SETTING}"]
    assert row.status == "missing"
    assert row.masters == 0
    assert row.shoot_next == (
        "30 dark-flats of 0.5s within 3h of the flats, which are uncalibrated"
    )


def test_a_camera_without_bias_asks_for_one_unless_it_is_not_used(table, shoot, config):
    darks = shoot("dark", 30, "2025-11-10T20:00:00")
    assert rows(table(darks))["bias", f"0s {SETTING}"].status == "missing"
    without = load_config({**config.model_dump(), "use_bias": False})
    assert ("bias", f"0s {SETTING}") not in rows(table(darks, config=without))


@pytest.mark.parametrize(
    ("kind", "days", "stale"),
    [
        ("bias", 60, False),
        ("bias", 61, True),
        ("dark", 30, False),
        ("dark", 31, True),
        ("flat", 1, False),
        ("flat", 2, True),
        ("darkflat", 2, True),
    ],
)
def test_what_is_stale_by_the_refresh_schedule(table, shoot, kind, days, stale):
    made = table(
        shoot(kind, 100, "2025-01-01T20:00:00"),
        today=date.fromordinal(date(2025, 1, 1).toordinal() + days),
    )
    (row,) = [r for r in made.itertuples() if r.frame_type == kind]
    assert row.stale is stale or bool(row.stale) is stale
    assert row.status == ("stale" if stale else "ok")
    assert bool(row.shoot_next) is stale


def test_only_the_newest_of_a_setting_is_judged(table, shoot):
    frames = shoot("dark", 5, "2025-01-01T20:00:00") + shoot("dark", 30, "2025-11-10T20:00:00")
    row = rows(table(frames))["dark", f"0.5s {SETTING}"]
    assert (row.status, row.masters, row.newest) == ("ok", 2, "2025-11-10")


def test_a_failed_master_is_the_most_urgent(table, shoot):
    made = table(shoot("dark", 30, "2025-11-10T20:00:00"), verdict="fail", master=None)
    assert made.iloc[0]["status"] == "failed"
    assert "new darks" in made.iloc[0]["shoot_next"]


def test_too_few_frames_for_a_master(table, shoot):
    row = rows(table(shoot("dark", 2, "2025-11-10T20:00:00")))["dark", f"0.5s {SETTING}"]
    assert (row.status, row.masters) == ("too_few", 0)
    assert row.shoot_next.startswith("13 more darks")


def test_the_librarys_masters_count_once(table, shoot, shelve, plan, config):
    old = dataclasses.replace(shelve("dark", "x/old.xisf", "2025-10-20T20:00:00"), n_combined=40)
    frames = shoot("flat", 30, "2025-11-10T18:00:00")
    row = rows(table(frames, masters=[old]))["dark", f"0.5s {SETTING}"]
    assert (row.masters, row.n_frames, row.newest, row.status) == (1, 40, "2025-10-20", "ok")
    result = plan(frames)
    own = dataclasses.replace(shelve("flat", result.groups[0].master, "2025-11-10T18:00:00"))
    made = coverage(as_json(result), [own], config, passed(result), TODAY)
    assert made[made["frame_type"] == "flat"]["masters"].tolist() == [1]


A, B = "0a1b2c3d4e5f", "9f8e7d6c5b4a"
NIGHT = "2025-11-10T20:00:00"


def shelved(shelve, kind, *, own=True, **changes):
    digest = "0" * 64 if own else None
    master = shelve(kind, f"x/{kind}{own}{len(changes)}.xisf", "2025-11-01T20:00:00", **changes)
    return dataclasses.replace(master, n_combined=100, inputs_digest=digest)


def told(table, kind):
    """Type by type: what follows the setting, and the status."""
    found = rows(table).items()
    return {
        setting.partition("-10C")[2].strip(): row.status
        for (of, setting), row in found
        if of == kind
    }


@pytest.mark.parametrize(
    ("key", "values", "words"),
    [
        ("camera_serial", (A, B), (A, B)),
        ("camera_serial", (A, None), (A, "NO_SERIAL")),
        ("readout_mode", ("Photo", "High Gain"), ("Photo", "High_Gain")),
        ("readout_mode", ("Photo", None), ("Photo", "NO_READOUT")),
        ("usb_limit", (60.0, 30.0), ("USB60", "USB30")),
    ],
)
def test_what_parts_groups_parts_rows(table, shoot, key, values, words):
    first = shoot("dark", 30, NIGHT, **{key: values[0]})
    second = shoot("dark", 5, NIGHT, **{key: values[1]})
    assert told(table(first + second), "dark") == {words[0]: "ok", words[1]: "below_minimum"}
    assert told(table(first), "dark") == {"": "ok"}, "nothing is told that tells nothing apart"


@pytest.mark.parametrize(
    ("key", "values"), [("camera_serial", (A, B)), ("readout_mode", ("Photo", "High Gain"))]
)
def test_the_masters_of_one_camera_hide_no_lack_of_the_other(table, shoot, shelve, key, values):
    has, lacks = ({key: value} for value in values)
    frames = [
        *shoot("bias", 100, "2025-11-10T16:00:00", **has),
        *shoot("darkflat", 30, "2025-11-10T19:00:00", **has),
        *shoot("flat", 30, "2025-11-10T19:30:00", **has),
        *shoot("flat", 30, "2025-11-10T19:30:00", **lacks),
    ]
    first, second = (value.replace(" ", "_") for value in values)
    for made in (
        table(frames),
        table(frames[-60:], masters=[shelved(shelve, k, **has) for k in ("bias", "darkflat")]),
    ):
        assert told(made, "bias") == {first: "ok", second: "missing"}
        assert told(made, "darkflat")[second] == "missing"


def test_two_masters_of_unknown_cameras_are_not_taken_for_those_of_a_known_one(
    table, shoot, shelve
):
    """Of one that Calibrary made, the frames had no number: it is not known to be that camera's."""
    frames = shoot("dark", 5, NIGHT, camera_serial=A)
    made = table(frames, masters=[shelved(shelve, "dark")])
    assert told(made, "dark") == {A: "below_minimum", "NO_SERIAL": "ok"}


def test_a_master_that_lost_its_camera_goes_with_the_only_one_it_fits(table, shoot, shelve):
    lost = shelved(shelve, "dark", own=False, readout_mode=None, usb_limit=None)
    frames = shoot("dark", 30, NIGHT, camera_serial=A)
    (row,) = [r for r in table(frames, masters=[lost]).itertuples() if r.frame_type == "dark"]
    assert (row.setting, row.masters, row.newest) == (f"0.5s {SETTING}", 2, "2025-11-10")
    both = table(frames + shoot("dark", 5, NIGHT, camera_serial=B), masters=[lost])
    assert told(both, "dark") == {
        f"High_Gain_Mode USB60 {A}": "ok",
        f"High_Gain_Mode USB60 {B}": "below_minimum",
        "NO_READOUT NO_USB NO_SERIAL": "ok",
    }


def test_what_serves_a_camera_is_not_missing(table, shoot, shelve):
    """A bias without serial number goes on serving in matching, and at any temperature."""
    darks = shoot("dark", 30, NIGHT, camera_serial=A)
    for bias in (
        shelved(shelve, "bias", temp_c=-20.0),
        shelved(shelve, "bias", own=False, readout_mode=None),
    ):
        assert "missing" not in set(table(darks, masters=[bias])["status"])


def test_a_header_that_lost_letters_and_numbers_that_aliases_join_are_one_row(
    table, shoot, shelve, config
):
    joined = load_config({**config.model_dump(), "aliases": {"camera_serial": {A: B}}})
    frames = shoot("dark", 30, NIGHT, readout_mode="Médian", camera_serial=B, x_origin=0)
    master = shelved(shelve, "dark", readout_mode="M?dian", camera_serial=A)
    (row,) = [
        r
        for r in table(frames, masters=[master], config=joined).itertuples()
        if r.frame_type == "dark"
    ]
    assert row.masters == 2

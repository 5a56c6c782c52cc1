"""Dark or dark-flat: the header, or a flat of equal exposure near in time."""

import pytest

from calibrary.records import FrameType


def types(plan) -> list[FrameType]:
    return [g.frame_type for g in plan.groups if g.frame_type is not FrameType.FLAT]


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        ("2025-11-10T19:00:00", FrameType.DARKFLAT),
        ("2025-11-10T17:00:00", FrameType.DARKFLAT),
        ("2025-11-10T21:00:00", FrameType.DARKFLAT),
        ("2025-11-10T22:30:00", FrameType.DARK),
        ("2025-11-10T14:30:00", FrameType.DARK),
    ],
)
def test_the_window_decides(shoot, plan, start, kind):
    flats = shoot("flat", 20, "2025-11-10T18:00:00")
    assert types(plan([*flats, *shoot("dark", 20, start)])) == [kind]


@pytest.mark.parametrize(
    "change",
    [
        {"exposure_s": 0.502},
        {"exposure_s": None},
        {"camera": "other"},
        {"width": 50},
        {"x_binning": 2},
        {"gain": 0.0},
        {"offset": None},
        {"readout_mode": None},
        {"date_obs": None},
    ],
)
def test_a_dark_that_differs_from_the_flats_stays_a_dark(shoot, plan, change):
    flats = shoot("flat", 20, "2025-11-10T18:00:00")
    assert types(plan([*flats, *shoot("dark", 20, "2025-11-10T19:00:00", **change)])) == [
        FrameType.DARK
    ]


def test_a_header_that_says_dark_flat_is_believed(shoot, plan):
    assert types(plan(shoot("darkflat", 20, "2025-11-10T19:00:00"))) == [FrameType.DARKFLAT]


def test_said_and_found_dark_flats_are_one_group(shoot, plan):
    flats = shoot("flat", 20, "2025-11-10T18:00:00")
    darks = shoot("dark", 5, "2025-11-10T19:00:00") + shoot("darkflat", 5, "2025-11-10T19:01:00")
    groups = [g for g in plan([*flats, *darks]).groups if g.frame_type is not FrameType.FLAT]
    assert [len(g.frames) for g in groups] == [10]


def test_the_edge_of_the_window_does_not_tear_a_series(shoot, plan):
    flats = shoot("flat", 1, "2025-11-10T18:00:00")
    darks = shoot("dark", 40, "2025-11-10T20:58:00", step_s=6)
    groups = [g for g in plan([*flats, *darks]).groups if g.frame_type is not FrameType.FLAT]
    assert [(g.frame_type, len(g.frames)) for g in groups] == [(FrameType.DARKFLAT, 40)]


def test_a_later_series_of_the_same_darks_is_darks_again(shoot, plan):
    flats = shoot("flat", 20, "2025-11-10T18:00:00")
    near, far = shoot("dark", 5, "2025-11-10T20:00:00"), shoot("dark", 5, "2025-11-10T22:00:00")
    assert types(plan([*flats, *near, *far])) == [FrameType.DARK, FrameType.DARKFLAT]


def test_darks_for_lights_are_not_touched(shoot, plan):
    flats = shoot("flat", 20, "2025-11-10T18:00:00")
    darks = shoot("dark", 20, "2025-11-10T19:00:00", exposure_s=300.0)
    assert types(plan([*flats, *darks])) == [FrameType.DARK]


def test_the_manifest_keeps_what_the_file_says(shoot, plan):
    flats, darks = shoot("flat", 20, "2025-11-10T18:00:00"), shoot("dark", 5, "2025-11-10T19:00:00")
    said = {f.path: f.frame_type for f in plan([*flats, *darks]).frames}
    assert said[darks[0].path] is FrameType.DARK

"""Libraries as they grow over years: several telescopes, cameras, modes, seasons, midnights."""

import dataclasses

import pytest
from headerfiles import fits_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibrary.config import Config
from calibrary.headers.reading import read_header
from calibrary.plan.overrides import Overrides
from calibrary.plan.planning import Plan, make_plan
from calibrary.records import Frame, FrameType

CONFIG = Config(source=("/source",), library="/library")
NIGHT = "2025-11-10T20:00:00"
FOUR = ("bias", "dark", "darkflat", "flat")
LONG = {"dark": 60.0, "bias": 0.0}


def whole_set(shoot, start=NIGHT, **setup):
    """Bias, darks of 60 s, dark-flats and flats of 0.5 s of one setup."""
    return [
        frame
        for kind in FOUR
        for frame in shoot(kind, 5, start, **{"exposure_s": LONG.get(kind, 0.5), **setup})
    ]


SETUPS = {
    "two telescopes, one camera": ({"telescope": "RC10"}, {"telescope": "FSQ106"}),
    "two cameras of one name and different size": ({"width": 100}, {"width": 98}),
    "two cameras of one name and size": ({"camera_serial": "aa11"}, {"camera_serial": "bb22"}),
    "gain changed": ({"gain": 0.0}, {"gain": 100.0}),
    "offset changed": ({"offset": 10.0}, {"offset": 50.0}),
    "readout mode changed": ({"readout_mode": "High Gain"}, {"readout_mode": "Extend Fullwell"}),
    "USB limit changed": ({"usb_limit": 0.0}, {"usb_limit": 60.0}),
    "binned": ({"x_binning": 1, "y_binning": 1}, {"x_binning": 2, "y_binning": 2}),
    "summer and winter": ({"temp_c": 0.0}, {"temp_c": -20.0}),
    "colour and mono": ({"bayer_pattern": "RGGB"}, {"bayer_pattern": None}),
    "8 and 16 bit": ({"sample_format": "uint8"}, {"sample_format": "uint16"}),
    "sub-frame": ({"x_origin": 0}, {"x_origin": 32}),
}


@pytest.mark.parametrize("name", SETUPS)
def test_two_setups_of_one_night_are_never_mixed(shoot, plan, name):
    first, second = (whole_set(shoot, **setup) for setup in SETUPS[name])
    mine = {frame.path for frame in first}
    groups = {group.group: group for group in plan([*first, *second]).groups}
    assert len(groups) == 8
    assert len({group.master.casefold() for group in groups.values()}) == 8
    for group in groups.values():
        inside = {frame.path in mine for frame in group.frames}
        assert len(inside) == 1, "frames of two setups in one group"
        if group.calibrator is not None:
            assert group.calibrator.kind == "darkflat"
            other = groups[group.calibrator.group]
            assert {frame.path in mine for frame in other.frames} == inside
        if group.bias is not None:
            assert {frame.path in mine for frame in groups[group.bias].frames} == inside


frames = st.builds(
    Frame,
    path=st.integers(0, 10**6).map(lambda n: f"/source/{n:07d}.fits"),
    size_bytes=st.integers(1, 9),
    frame_type=st.sampled_from([FrameType(t) for t in FOUR]),
    telescope=st.just("T"),
    camera=st.sampled_from(["C", "D"]),
    exposure_s=st.sampled_from([0.5, 0.501, 60.0, None]),
    temp_c=st.sampled_from([None, -10.0, -9.5, -4.0]),
    gain=st.sampled_from([None, 100.0]),
    filter=st.sampled_from([None, "L"]),
    width=st.just(10),
    height=st.just(10),
    sample_format=st.just("uint16"),
    date_obs=st.none()
    | st.integers(0, 3 * 24 * 60).map(
        lambda m: (
            f"2024-02-{28 + m // 1440:02d}T{m // 60 % 24:02d}:{m % 60:02d}:00"
            if m < 2880
            else f"2024-03-01T{m // 60 % 24:02d}:{m % 60:02d}:00"
        )
    ),
).map(lambda f: dataclasses.replace(f, night=f.date_obs and f.date_obs[:10]))


def orders(plan: Plan, camera: str) -> list[object]:
    return [g for g in plan.groups if g.keys.camera == camera]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(frames, min_size=1, max_size=40, unique_by=lambda f: f.path))
def test_what_another_camera_does_changes_nothing(found):
    """Groups, names, calibrators, digests: each camera's plan is the one it has alone."""
    together = make_plan(found, [], CONFIG, Overrides())
    for camera in ("C", "D"):
        alone = make_plan([f for f in found if f.camera == camera], [], CONFIG, Overrides())
        mine, theirs = orders(together, camera), orders(alone, camera)
        assert [(g.group, g.digest, g.master, g.bias) for g in mine] == [
            (g.group, g.digest, g.master, g.bias) for g in theirs
        ]
        assert [g.calibrator and g.calibrator.group for g in mine] == [
            g.calibrator and g.calibrator.group for g in theirs
        ]


@pytest.mark.parametrize("key", ["date_obs", "temp_c", "gain", "exposure_s"])
def test_frames_that_lack_a_key_are_a_group_of_their_own(shoot, plan, key):
    lost = {key: None} | ({"night": None} if key == "date_obs" else {})
    lost |= {"set_temp_c": None} if key == "temp_c" else {}
    known, unknown = shoot("dark", 5, NIGHT), shoot("dark", 5, NIGHT, **lost)
    groups = plan([*known, *unknown]).groups
    assert sorted(len(g.frames) for g in groups) == [5, 5]
    assert len({g.master for g in groups}) == 2


@pytest.mark.parametrize(
    ("start", "night"),
    [
        ("2025-11-10T23:59:50", "2025-11-10"),
        ("2024-02-28T23:59:50", "2024-02-28"),
        ("2024-02-29T23:59:50", "2024-02-29"),
        ("2025-12-31T23:59:50", "2025-12-31"),
    ],
)
def test_a_series_over_midnight_is_one_group_in_the_folder_of_its_evening(
    shoot, plan, start, night
):
    darks = shoot("dark", 6, start)
    assert darks[0].date_obs[:10] != darks[-1].date_obs[:10]
    (group,) = plan(darks).groups
    assert group.keys.night == night
    assert f"/DARKS_{night.replace('-', '_')}/" in group.master


@pytest.mark.parametrize(
    ("moments", "night"),
    [
        # Clocks go back: 02:30 comes twice.
        (
            [
                ("2025-10-26T00:30:00", "2025-10-26T02:30:00"),
                ("2025-10-26T01:30:00", "2025-10-26T02:30:00"),
                ("2025-10-26T04:00:00", "2025-10-26T05:00:00"),
            ],
            "2025-10-25",
        ),
        # Clocks go forward: there is no 02:30.
        (
            [
                ("2025-03-30T00:30:00", "2025-03-30T01:30:00"),
                ("2025-03-30T01:30:00", "2025-03-30T03:30:00"),
            ],
            "2025-03-29",
        ),
        # East of Greenwich the evening is the day before in UTC.
        (
            [
                ("2025-11-10T09:00:00", "2025-11-10T20:00:00"),
                ("2025-11-10T18:00:00", "2025-11-11T05:00:00"),
            ],
            "2025-11-10",
        ),
    ],
)
def test_a_night_is_local_whatever_the_clocks_do(tmp_path, moments, night):
    found = set()
    for k, (utc, local) in enumerate(moments):
        path = tmp_path / f"dark_{k}.fits"
        path.write_bytes(fits_bytes(f"IMAGETYP = 'DARK'\nDATE-OBS = '{utc}'\nDATE-LOC = '{local}'"))
        found.add(read_header(path).frame.night)
    assert found == {night}

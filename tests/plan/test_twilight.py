"""Flats of a twilight: another exposure each frame, one master."""

import pytest

from calibrary.config import load_config
from calibrary.records import FrameType
from calibrary.report.attention import dark_flat_advice

EVENING = "2025-11-10T18:00:00"


def settings(**more):
    return load_config({"source": "/source", "library": "/library", **more})


def twilight(shoot, exposures, start=EVENING, step=12, **changes):
    frames = []
    for i, exposure in enumerate(exposures):
        minute, second = divmod(i * step, 60)
        moment = f"{start[:14]}{int(start[14:16]) + minute:02d}:{second:02d}"
        frames += shoot("flat", 1, moment, exposure_s=exposure, **changes)
    return frames


def flats(plan):
    return [g for g in plan.groups if g.frame_type is FrameType.FLAT]


RISING = [round(1.09**k, 3) for k in range(27)]
WHOLE = [1.0] * 5 + [2.0] * 6 + [3.0] * 4 + [5.0] * 3


@pytest.mark.parametrize("exposures", [RISING, RISING[::-1], WHOLE, [1.0, 1.5], [1.0, 2.0, 4.0]])
def test_one_group_with_its_exposures_told(shoot, plan, exposures):
    (group,) = flats(plan(twilight(shoot, exposures)))
    assert len(group.frames) == len(exposures)
    assert len(group.exposures) == len(set(exposures))
    low, high = (f"{float(f'{x:.3g}'):g}" for x in (min(exposures), max(exposures)))
    said = f"{len(set(exposures))} exposures from {low} to {high} s"
    assert any(said in warning for warning in group.warnings)


@pytest.mark.parametrize(
    "exposures",
    [
        [1.0] * 20 + [4.0] * 20,  # two series, both complete
        [2.0] * 20 + [1.0],  # a series and a test shot
        [2.0] * 20 + [1.0, 1.5, 3.0],
        [2.0] * 7 + [4.0] * 7,  # two series, both short
    ],
)
def test_series_of_their_own_exposure_stay_apart(shoot, plan, exposures):
    found = flats(plan(twilight(shoot, exposures, step=6)))
    assert sorted(len(g.frames) for g in found) == sorted(
        exposures.count(x) for x in set(exposures)
    )


def test_filters_and_sessions_part_twilights(shoot, plan):
    frames = [
        *twilight(shoot, RISING[:8], filter="R"),
        *twilight(shoot, RISING[:8], filter="V"),
        *twilight(shoot, RISING[:8], start="2025-11-11T06:00:00", filter="R"),
    ]
    assert sorted(len(g.frames) for g in flats(plan(frames))) == [8, 8, 8]


def test_unknown_exposures_are_no_part_of_it(shoot, plan):
    frames = [*twilight(shoot, RISING[:8]), *shoot("flat", 4, EVENING, exposure_s=None)]
    assert sorted(len(g.frames) for g in flats(plan(frames))) == [4, 8]


@pytest.mark.parametrize(("how", "groups"), [("equal", 8), ("any", 1), ("auto", 1)])
def test_the_setting(shoot, plan, how, groups):
    config = settings(grouping={"flat_exposure": how})
    assert len(flats(plan(twilight(shoot, RISING[:8]), config=config))) == groups
    series = [1.0] * 20 + [4.0] * 20
    expected = 1 if how == "any" else 2
    assert len(flats(plan(twilight(shoot, series, step=6), config=config))) == expected


def test_darks_of_several_exposures_are_never_joined(shoot, plan):
    darks = [f for s in (10.0, 20.0, 30.0) for f in shoot("dark", 4, EVENING, exposure_s=s)]
    assert len(plan(darks).groups) == 3


@pytest.mark.parametrize("fraction", [0.001, 0.9])
def test_no_dark_flat_of_one_exposure_calibrates_them_all(shoot, plan, fraction):
    """Whatever the tolerance: the flats have many exposures, the dark-flat has one."""
    config = settings(
        tolerance={"exposure": {"seconds": 0.001, "fraction": fraction}},
        grouping={"flat_exposure": "any"},
    )
    frames = [
        *twilight(shoot, [1.0, 1.5, 12.0]),
        *shoot("darkflat", 20, EVENING, exposure_s=12.0),
        *shoot("bias", 20, EVENING),
    ]
    (group,) = flats(plan(frames, config=config))
    if len(group.exposures) > 1:
        assert group.calibrator.kind == "bias"
        assert "exposures from 1 to 12 s of the flats" in group.calibrator.reason


@pytest.mark.parametrize(
    ("exposures", "advice"),
    [
        (RISING[:8], "fine for a twilight: no one dark-flat fits all exposures"),
        ([1.5] * 5, "shoot dark-flats of 1.5 s, or go on"),
        ([None] * 5, "tell the exposure under `set` in the overrides, or go on"),
    ],
)
def test_what_the_end_of_a_run_advises(shoot, plan, exposures, advice):
    (group,) = flats(plan(twilight(shoot, exposures)))
    assert dark_flat_advice(group) == advice

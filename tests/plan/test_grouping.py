"""What makes frames one group, and that nothing else does."""

import dataclasses
import random
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibrary.config import Config, load_config
from calibrary.plan.overrides import Overrides
from calibrary.plan.planning import Plan, make_plan
from calibrary.records import Frame, FrameType, Reason, ReasonCode, Status

CONFIG = Config(source=("/source",), library="/library")
TOLERANCES = {"bias": 3.0, "dark": 1.0, "darkflat": 1.0, "flat": 5.0}


def members(plan: Plan) -> set[frozenset[str]]:
    return {frozenset(f.path for f in group.frames) for group in plan.groups}


def changed(config: Config, **sections) -> Config:
    return load_config({**config.model_dump(), **sections})


frames = st.builds(
    Frame,
    path=st.integers(0, 10**6).map(lambda n: f"/source/{n:07d}.fits"),
    size_bytes=st.integers(1, 9),
    frame_type=st.sampled_from([FrameType(t) for t in TOLERANCES]),
    telescope=st.sampled_from(["A", "B", None]),
    camera=st.just("C"),
    camera_serial=st.sampled_from([None, "111", "222"]),
    exposure_s=st.sampled_from([0.5, 0.5005, 0.502, 120.0, 120.1, None]),
    temp_c=st.none() | st.integers(-150, -80).map(lambda n: n / 10),
    gain=st.sampled_from([None, 0.0, 100.0]),
    filter=st.sampled_from([None, "Ha", "ha", "L"]),
    width=st.just(10),
    height=st.just(10),
    sample_format=st.just("uint16"),
    date_obs=st.none()
    | st.integers(0, 3 * 24 * 60).map(
        lambda m: f"2025-11-{10 + m // 1440:02d}T{m // 60 % 24:02d}:{m % 60:02d}:00"
    ),
).map(lambda f: dataclasses.replace(f, night=f.date_obs and f.date_obs[:10]))
many = st.lists(frames, min_size=1, max_size=30, unique_by=lambda f: f.path)
sessions = st.sampled_from(["night", "3h", "none"])
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def with_sessions(session: str) -> Config:
    return changed(CONFIG, session=dict.fromkeys(TOLERANCES, session))


@quick
@given(many, sessions, st.randoms(use_true_random=False))
def test_any_order_of_files_gives_the_same_plan(found, session, rng):
    config = with_sessions(session)
    shuffled = list(found)
    rng.shuffle(shuffled)
    first, second = (make_plan(f, [], config, Overrides()) for f in (found, shuffled))
    assert first.groups == second.groups
    assert first.matches == second.matches


@quick
@given(many, sessions, st.data())
def test_adding_frames_to_one_group_changes_no_other(found, session, data):
    """Frames alike those of one bias, dark-flat or flat group: the others keep all they have."""
    config = with_sessions(session)
    # A dark beside a new flat may become a dark-flat: that is asked for, and another test.
    found = [f for f in found if f.frame_type is not FrameType.DARK]
    before = make_plan(found, [], config, Overrides())
    if not before.groups:
        return
    grown = data.draw(st.sampled_from(before.groups))
    twins = [
        dataclasses.replace(f, path=f"{f.path}.more.fits")
        for f in found
        if f.path in {i.path for i in grown.frames}
    ]
    after = make_plan([*found, *twins], [], config, Overrides())
    new = {g.group: g for g in after.groups}
    for group in before.groups:
        if group is grown:
            assert {f.path for f in new[group.group].frames} == {
                f.path for f in [*group.frames, *twins]
            }
        else:
            assert new[group.group].frames == group.frames
            assert new[group.group].master == group.master


@quick
@given(many, sessions)
def test_a_groups_temperatures_span_at_most_the_tolerance(found, session):
    plan = make_plan(found, [], with_sessions(session), Overrides())
    temps = defaultdict(list)
    for frame in plan.frames:
        temps[frame.group].append(frame.temp_c)
    for group in plan.groups:
        known = [t for t in temps[group.group] if t is not None]
        assert not known or len(known) == len(temps[group.group]), "unknown matches only unknown"
        if known:
            assert max(known) - min(known) <= TOLERANCES[group.frame_type] + 1e-9


@quick
@given(many, sessions)
def test_every_usable_frame_is_in_exactly_one_group(found, session):
    plan = make_plan(found, [], with_sessions(session), Overrides())
    grouped = [f.path for group in plan.groups for f in group.frames]
    long = {f.path for f in found if f.frame_type is FrameType.BIAS and (f.exposure_s or 0) > 1}
    assert sorted(grouped) == sorted(f.path for f in found if f.path not in long)
    assert {f.path for f in plan.frames if f.group} == set(grouped)


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("telescope", ("Edge HD 8", "RC10")),
        ("camera", ("QHY600M", "ASI2600MM")),
        ("width", (100, 98)),
        ("x_origin", (None, 16)),
        ("x_binning", (1, 2)),
        ("gain", (56.0, 0.0)),
        ("gain", (56.0, None)),
        ("offset", (10.0, 50.0)),
        ("readout_mode", ("High Gain Mode", "Photographic DSO")),
        ("readout_mode", ("Normal", None)),
        ("usb_limit", (60.0, 30.0)),
        ("bayer_pattern", (None, "RGGB")),
        ("row_order", ("TOP-DOWN", "BOTTOM-UP")),
        ("sample_format", ("uint16", "uint8")),
        ("normalised", (False, True)),
        ("temp_c", (-10.0, None)),
        ("temp_c", (-10.0, 39.5)),
        ("night", ("2025-11-10", "2025-11-11")),
    ],
)
@pytest.mark.parametrize("kind", ["bias", "dark", "flat"])
def test_frames_that_differ_in_a_key_are_never_mixed(shoot, plan, kind, key, values):
    series = []
    for k, value in enumerate(values):
        start = f"2025-11-10T2{k}:00:00" if key != "night" else f"2025-11-{10 + k}T20:00:00"
        series += shoot(kind, 5, start, **{key: value})
    random.Random(1).shuffle(series)
    assert len(plan(series).groups) == 2


def test_sample_formats_that_integration_refuses_to_combine_are_never_mixed(shoot, plan):
    darks = shoot("dark", 5, "2025-11-10T20:00:00", sample_format="uint16")
    darks += shoot("dark", 5, "2025-11-10T20:01:00", sample_format="int16")
    assert len(plan(darks).groups) == 2
    assert len({group.master for group in plan(darks).groups}) == 2


def test_containers_are_mixed_where_their_samples_are_alike(shoot, plan):
    darks = shoot("dark", 5, "2025-11-10T20:00:00", format="fits")
    darks += shoot("dark", 5, "2025-11-10T20:01:00", format="xisf")
    assert len(plan(darks).groups) == 1


def test_settings_are_numbers_not_text(shoot, plan):
    darks = shoot("dark", 3, "2025-11-10T20:00:00", gain=120.0)
    darks += shoot("dark", 3, "2025-11-10T20:01:00", gain=120.00000001)
    assert len(plan(darks).groups) == 1


def test_a_filter_on_a_dark_is_only_where_the_wheel_stood(shoot, plan):
    darks = shoot("dark", 5, "2025-11-10T20:00:00", filter="Ha")
    darks += shoot("dark", 5, "2025-11-10T20:01:00", filter=None)
    assert len(plan(darks).groups) == 1


def test_a_filter_is_the_same_in_any_letter_case(shoot, plan):
    flats = shoot("flat", 5, "2025-11-10T20:00:00", filter="Ha")
    flats += shoot("flat", 5, "2025-11-10T20:01:00", filter="HA")
    assert len(plan(flats).groups) == 1


@pytest.mark.parametrize(
    ("session", "groups"), [("night", 2), ("3h", 3), ("2d", 1), ("none", 1), ("10h", 2)]
)
def test_sessions_by_night_by_gap_or_none(shoot, plan, config, session, groups):
    darks = [
        frame
        for start in ("2025-11-10T18:00:00", "2025-11-10T23:00:00", "2025-11-11T20:00:00")
        for frame in shoot("dark", 5, start)
    ]
    config = changed(config, session={"dark": session})
    assert len(plan(darks, config=config).groups) == groups


def test_two_sets_that_only_a_third_connects_stay_two(shoot, plan, config):
    config = changed(config, session={"dark": "3h"})
    darks = shoot("dark", 5, "2025-11-10T18:00:00", temp_c=-10.0)
    darks += shoot("dark", 5, "2025-11-10T22:00:00", temp_c=-10.0)
    alone = members(plan(darks, config=config))
    warm = shoot("dark", 5, "2025-11-10T20:00:00", temp_c=0.0)
    assert members(plan([*darks, *warm], config=config)) >= alone


def test_a_new_night_moves_no_frame_of_an_older_one(shoot, plan, config):
    """An uncooled camera: temperatures that drift from night to night."""
    old = [
        frame
        for k in range(8)
        for frame in shoot("dark", 3, f"2025-11-10T20:{k:02d}:00", temp_c=12.0 - 0.3 * k)
    ]
    new = [
        frame
        for k in range(8)
        for frame in shoot("dark", 3, f"2025-11-12T20:{k:02d}:00", temp_c=11.8 - 0.35 * k)
    ]
    assert members(plan([*old, *new])) >= members(plan(old))


def test_the_order_of_a_groups_frames_is_the_order_of_time(shoot, plan):
    darks = shoot("dark", 9, "2025-11-10T20:00:00")
    group = plan(darks[::-1]).groups[0]
    assert [f.path for f in group.frames] == [f.path for f in darks]
    assert group.first_date_obs == darks[0].date_obs
    assert group.last_date_obs == darks[-1].date_obs


def test_what_is_set_aside_stays_out(shoot, plan):
    darks = shoot("dark", 5, "2025-11-10T20:00:00")
    bad = shoot(
        "dark",
        1,
        "2025-11-10T21:00:00",
        status=Status.SET_ASIDE,
        reason=Reason(ReasonCode.TRUNCATED, "truncated"),
    )
    lights = shoot("light", 2, "2025-11-10T22:00:00")
    masters = shoot("master", 1, None, status=Status.IGNORED)
    result = plan([*darks, *bad, *lights, *masters])
    assert members(result) == {frozenset(f.path for f in darks)}
    fate = {f.path: (f.status, f.reason) for f in result.frames}
    assert fate[bad[0].path] == (Status.SET_ASIDE, bad[0].reason)
    assert fate[lights[0].path][0] is Status.SET_ASIDE


def test_aliases_make_names_one(shoot, plan, config):
    darks = shoot("dark", 5, "2025-11-10T20:00:00", camera="ZWO ASI2600MM Pro")
    darks += shoot("dark", 5, "2025-11-10T20:01:00", camera="ASI Camera (1)")
    aliased = changed(config, aliases={"camera": {"ASI Camera (1)": "ZWO ASI2600MM Pro"}})
    assert len(plan(darks).groups) == 2
    assert len(plan(darks, config=aliased).groups) == 1


def test_a_group_keeps_its_name_when_frames_are_added(shoot, plan):
    darks = shoot("dark", 5, "2025-11-10T20:00:00")
    more = shoot("dark", 5, "2025-11-10T19:00:00")
    before, after = plan(darks).groups[0], plan([*darks, *more]).groups[0]
    assert (before.group, before.master) == (after.group, after.master)

"""Names and places: the guide's pattern, safe for any text, one group to a path."""

import dataclasses
import os
import re
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibrary.config import Config
from calibrary.library.names import decimal, sanitise
from calibrary.plan.overrides import Overrides
from calibrary.plan.planning import make_plan
from calibrary.records import Frame, FrameType

CONFIG = Config(source=("/source",), library="/library")
SAFE_ID = re.compile(r"[A-Za-z0-9_.-]+")
hostile = st.text(max_size=12) | st.sampled_from(
    ["../../etc", "/abs", "a\0b", "C:\\x", "..", ".", "", " ", "Hα", "Hβ", "x" * 300, "CON", "~"]
)
number = st.none() | st.floats(-1e6, 1e6)
frames = st.builds(
    Frame,
    path=st.uuids().map(lambda u: f"/source/{u}.fits"),
    frame_type=st.sampled_from([FrameType(t) for t in ("bias", "dark", "darkflat", "flat")]),
    telescope=st.none() | hostile,
    camera=st.none() | hostile,
    camera_serial=st.none() | hostile,
    exposure_s=st.none() | st.floats(0, 1e5),
    temp_c=st.none() | st.floats(-100, 50),
    gain=number,
    offset=number,
    readout_mode=st.none() | hostile,
    usb_limit=number,
    filter=st.none() | hostile,
    bayer_pattern=st.none() | hostile,
    width=st.integers(1, 3),
    height=st.just(2),
    sample_format=st.sampled_from(["uint8", "uint16", "float32"]),
    date_obs=st.none() | hostile | st.just("2025-11-10T20:00:00"),
    night=st.none() | hostile | st.just("2025-11-10"),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(frames, min_size=1, max_size=8, unique_by=lambda f: f.path))
def test_any_header_text_gives_safe_unique_names(found):
    config = CONFIG.model_copy(update={"frames": CONFIG.frames.model_copy(update={"required": 1})})
    groups = make_plan(found, [], config, Overrides()).groups
    assert len({g.group.casefold() for g in groups}) == len(groups)
    assert len({g.master.casefold() for g in groups}) == len(groups), "no two share a path"
    for group in groups:
        assert SAFE_ID.fullmatch(group.group)
        parts = PurePosixPath(group.master).parts
        assert len(parts) == 4
        for part in (*parts, f"{group.group}.json"):
            assert re.fullmatch(r"[A-Za-z0-9_.!-]+", part), part
            assert part not in (".", "..")
            assert len(part.encode()) < 240
        assert os.path.normpath(f"/library/{group.master}") == f"/library/{group.master}"


@given(hostile)
def test_sanitising_keeps_what_is_safe_and_length(text):
    safe = sanitise(text)
    assert re.fullmatch(r"[A-Za-z0-9_-]*", safe)
    plain = text.strip()
    assert len(safe) == min(len(plain), 48)
    assert all(a in (b, "_") for a, b in zip(safe, plain, strict=False))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (120.0, "120"),
        (0.5, "0.5"),
        (2.31845, "2.31845"),
        (0.009999999776482582, "0.01"),
        (0.000032, "0.000032"),
        (1e-5, "0.00001"),
        (3600.0, "3600"),
        (1e5, "100000"),
        (0.0, "0"),
        (-0.0, "0"),
        (29.9999999, "30"),
    ],
)
def test_the_shortest_decimal_right_to_a_microsecond(seconds, text):
    assert decimal(seconds) == text


@given(st.floats(0, 1e5))
def test_decimals_are_right_and_short(seconds):
    text = decimal(seconds)
    assert abs(float(text) - seconds) <= 5.001e-7 * max(1, seconds / 1e5)
    assert re.fullmatch(r"\d+(\.\d*[1-9])?", text)


def names(plan) -> list[str]:
    return [PurePosixPath(g.master).name for g in plan.groups]


@pytest.mark.parametrize(
    ("key", "values", "appended"),
    [
        ("readout_mode", ("Low", "High Gain"), "_High_Gain"),
        ("readout_mode", ("Low", None), "_NO_READOUT"),
        ("usb_limit", (60.0, 30.0), "_USB30"),
        ("width", (100, 98), "_98x80"),
        ("bayer_pattern", (None, "RGGB"), "_RGGB"),
    ],
)
def test_the_later_of_two_appends_what_tells_it_apart(shoot, plan, key, values, appended):
    darks = shoot("dark", 5, "2025-11-10T20:00:00", **{key: values[0]})
    darks += shoot("dark", 5, "2025-11-10T21:00:00", **{key: values[1]})
    plain = "Edge_HD_8__QHY600M_MasterDark_0.5s_Gain56_Offset10_1x1_-10C"
    assert names(plan(darks)) == [f"{plain}.xisf", f"{plain}{appended}.xisf"]


def test_two_sessions_of_a_night_are_told_apart_by_their_start(shoot, plan):
    flats = shoot("flat", 5, "2025-11-10T17:00:00") + shoot("flat", 5, "2025-11-10T23:45:00")
    assert [name.rsplit("_", 1)[1] for name in names(plan(flats))] == ["-10C.xisf", "2345.xisf"]


def test_filters_that_sanitise_alike_do_not_share_a_file(shoot, plan):
    flats = shoot("flat", 5, "2025-11-10T17:00:00", filter="Hα")
    flats += shoot("flat", 5, "2025-11-10T17:00:00", filter="Hβ")
    assert len(set(names(plan(flats)))) == 2


def test_setups_that_differ_in_letter_case_do_not_share_a_file(shoot, plan):
    darks = shoot("dark", 5, "2025-11-10T17:00:00", camera="ASI")
    darks += shoot("dark", 5, "2025-11-10T18:00:00", camera="asi")
    masters = [g.master.casefold() for g in plan(darks).groups]
    assert len(set(masters)) == 2


def test_a_group_that_is_not_built_takes_no_name_from_one_that_is(shoot, plan):
    stray = shoot("dark", 1, "2025-11-10T17:00:00", readout_mode="odd")
    darks = shoot("dark", 5, "2025-11-10T18:00:00")
    built = [g.master for g in plan([*stray, *darks]).groups if g.action == "build"]
    assert built == [g.master for g in plan(darks).groups]


def test_moving_the_source_changes_no_name(shoot, plan):
    darks = shoot("dark", 5, "2025-11-10T17:00:00")
    moved = [dataclasses.replace(f, path="/elsewhere" + f.path) for f in darks]
    first, second = plan(darks).groups[0], plan(moved).groups[0]
    assert (first.group, first.master, first.digest) == (
        second.group,
        second.master,
        second.digest,
    )


@pytest.mark.parametrize(("output", "suffix"), [("xisf", ".xisf"), ("fits", ".fits")])
def test_the_suffix_is_that_of_the_format(shoot, plan, config, output, suffix):
    config = config.model_copy(
        update={"output": config.output.model_copy(update={"format": output})}
    )
    (group,) = plan(shoot("dark", 5, "2025-11-10T17:00:00"), config=config).groups
    assert group.master.endswith(f"_-10C{suffix}")

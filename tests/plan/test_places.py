"""What is in the library: kept names, reuse, masters of others."""

import dataclasses
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibrary.config import load_config
from calibrary.plan.places import Shelf
from calibrary.plan.sessions import to_time
from calibrary.records import Action, Frame

START = "2025-11-10T20:00:00"


def changed(config, **sections):
    return load_config({**config.model_dump(), **sections})


def only(plan):
    (group,) = plan.groups
    return group


def test_a_valid_master_is_not_built_again(shoot, plan, published, config):
    darks = shoot("dark", 5, START)
    masters = published(plan(darks))
    again = only(plan(darks, masters))
    assert again.action is Action.REUSE
    assert again.master == only(plan(darks)).master
    assert only(plan(darks, masters, config=changed(config, reuse_existing=False))).action is (
        Action.BUILD
    )


def test_a_master_this_results_folder_built_stays_watched(shoot, plan, published):
    darks = shoot("dark", 5, START)
    first = plan(darks)
    again = plan(darks, published(first), built={only(first).digest})
    assert [dataclasses.replace(g, previous=None) for g in again.groups] == first.groups


@pytest.mark.parametrize(
    "change", [{"size_bytes": 7}, {"mtime_ns": 7}, {"path": "/source/other.fits"}]
)
def test_a_changed_frame_builds_again_at_the_same_place(shoot, plan, published, change):
    darks = shoot("dark", 5, START)
    masters = published(plan(darks))
    darks[2] = dataclasses.replace(darks[2], **change)
    again = only(plan(darks, masters))
    assert again.action is Action.BUILD
    assert again.master == only(plan(darks)).master


def test_added_earlier_frames_keep_the_name_in_the_library(shoot, plan, published, config):
    """After midnight UTC first; the folder's date would be another now."""
    darks = shoot("dark", 5, "2025-11-11T01:00:00")
    masters = published(plan(darks))
    grown = only(plan([*shoot("dark", 5, "2025-11-10T23:00:00"), *darks], masters))
    # The group grew backwards in time and still coincides with its master.
    assert grown.master == only(plan(darks)).master
    assert "DARKS_2025_11_11" in grown.master


def test_an_earlier_session_does_not_take_the_name_of_a_later_one(shoot, plan, published):
    late = shoot("flat", 5, "2025-11-10T23:00:00")
    masters = published(plan(late))
    early = shoot("flat", 5, "2025-11-10T17:00:00")
    groups = plan([*early, *late], masters).groups
    by_first = {g.first_date_obs: g for g in groups}
    assert by_first[late[0].date_obs].master == only(plan(late)).master
    assert by_first[early[0].date_obs].master.endswith("_1700.xisf")


def test_a_master_whose_frames_are_gone_keeps_its_place(shoot, plan, published):
    gone = shoot("flat", 5, "2025-11-10T17:00:00")
    masters = published(plan(gone))
    new = only(plan(shoot("flat", 5, "2025-11-10T23:00:00"), masters))
    assert new.master != masters[0].path.removeprefix("/library/")
    assert new.action is Action.BUILD


def test_a_foreign_master_is_never_overwritten_unless_asked(shoot, plan, shelve, config):
    darks = shoot("dark", 5, START)
    foreign = shelve("dark", only(plan(darks)).master, START)
    kept = only(plan(darks, [foreign]))
    assert kept.action is Action.FOREIGN
    assert "overwrite_foreign=true" in kept.reason
    forced = plan(darks, [foreign], config=changed(config, overwrite_foreign=True))
    assert only(forced).action is Action.BUILD
    assert only(forced).master == kept.master


def test_a_foreign_master_in_another_letter_case_has_the_place_too(shoot, plan, shelve):
    darks = shoot("dark", 5, START)
    foreign = shelve("dark", only(plan(darks)).master.upper(), START)
    assert only(plan(darks, [foreign])).action is Action.FOREIGN


def test_flats_use_the_foreign_master_that_has_the_place(shoot, plan, shelve):
    frames = shoot("flat", 5, START) + shoot("darkflat", 5, START)
    place = next(g.master for g in plan(frames).groups if g.frame_type == "darkflat")
    foreign = shelve("darkflat", place, START)
    flat = next(g for g in plan(frames, [foreign]).groups if g.frame_type == "flat")
    assert (flat.calibrator.kind, flat.calibrator.master) == ("library", place)


def test_a_master_with_lost_frames_still_calibrates(shoot, plan, published):
    flats, darks = shoot("flat", 5, START), shoot("darkflat", 5, START)
    masters = [m for m in published(plan([*flats, *darks])) if m.master_of == "darkflat"]
    flat = next(g for g in plan([*flats, *darks[:1]], masters).groups if g.frame_type == "flat")
    assert flat.calibrator.kind == "library"


def test_both_formats_are_wanted_before_a_group_is_reused(shoot, plan, published, config):
    darks = shoot("dark", 5, START)
    masters = published(plan(darks))
    both = changed(config, output={"format": "both"})
    assert only(plan(darks, masters, config=both)).action is Action.BUILD
    fits = [dataclasses.replace(m, path=m.path.replace(".xisf", ".fits")) for m in masters]
    assert only(plan(darks, [*masters, *fits], config=both)).action is Action.REUSE


def test_the_previous_master_of_the_setup_is_named(shoot, plan, published):
    old, new = shoot("dark", 5, "2025-10-01T20:00:00"), shoot("dark", 5, START)
    masters = published(plan(old)) + published(plan(shoot("dark", 5, START, gain=0.0)))
    assert only(plan(new, masters)).previous == only(plan(old)).master
    assert only(plan(new)).previous is None


def test_settings_and_calibrators_are_part_of_the_digest(shoot, plan, config):
    flats = shoot("flat", 20, START)
    darks = shoot("darkflat", 20, "2025-11-10T21:00:00")

    def digest(kind, frames, **options):
        return next(g.digest for g in plan(frames, **options).groups if g.frame_type == kind)

    both = [*flats, *darks]
    plain = digest("flat", both)
    assert digest("flat", flats) != plain
    assert digest("flat", [*flats, *darks[1:]]) != plain, "the calibrator changed"
    sigma = changed(config, integration={"dark": {"rejection": "minmax"}})
    assert digest("flat", both, config=sigma) == plain, "what does not concern it"
    minmax = changed(config, integration={"darkflat": {"rejection": "minmax"}})
    assert digest("flat", both, config=minmax) != plain, "its calibrator's settings"
    written = changed(config, output={"codec": "zstd"}, verify={}, match={"window": "4h"})
    assert digest("flat", both, config=written) == plain, "what changes no pixel"


def test_a_library_calibrator_is_part_of_the_digest(shoot, plan, shelve):
    flats = shoot("flat", 20, START)
    master = shelve("dark", "x/MasterDark.xisf", START)
    touched = dataclasses.replace(master, mtime_ns=1)
    first, second = (only(plan(flats, [m])).digest for m in (master, touched))
    assert first != second


def test_the_numbers_for_schedulers_grow_with_the_group(shoot, plan):
    size = {"width": 9576, "height": 6388}
    small = only(plan(shoot("dark", 5, START)))
    large = only(plan(shoot("dark", 50, START, **size)))
    assert small.threads == 1
    assert large.threads == 2
    assert large.mem_mb > small.mem_mb > 0
    assert large.runtime_min > small.runtime_min > 0
    assert large.disk_mb > 50 * 9576 * 6388 * 2 / 1e6


@pytest.mark.parametrize(
    ("key", "first", "second"),
    [
        ("x_origin", 0, 16),
        ("row_order", "TOP-DOWN", "BOTTOM-UP"),
        ("bayer_pattern", "RGGB", "BGGR"),
        ("camera_serial", "0a1b2c3d", "9f8e7d6c"),
    ],
)
def test_no_group_takes_the_place_of_its_twin(shoot, plan, published, key, first, second):
    """Both have changed, and the later one now begins earlier."""
    one = shoot("dark", 5, START, **{key: first})
    other = shoot("dark", 5, "2025-11-10T20:10:00", **{key: second})
    before = {getattr(g.keys, key): g for g in plan([*one, *other]).groups}
    masters = [
        dataclasses.replace(m, **{key: getattr(g.keys, key)})
        for m, g in zip(published(plan([*one, *other])), plan([*one, *other]).groups, strict=True)
    ]
    early = shoot("dark", 1, "2025-11-10T19:00:00", **{key: second})
    grown = {getattr(g.keys, key): g for g in plan([*one[1:], *other, *early], masters).groups}
    assert {k: g.master for k, g in grown.items()} == {k: g.master for k, g in before.items()}


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 50)), max_size=12),
    st.tuples(st.integers(0, 400), st.integers(0, 50)),
)
def test_a_shelf_gives_what_every_master_looked_at_would(masters, group):
    def date(seconds):
        return (datetime(2025, 11, 10) + timedelta(seconds=seconds)).isoformat()

    shelf, spans = Shelf(), {}
    for n, (start, length) in enumerate(masters):
        spans[f"{n}.xisf"] = (start, start + length)
        shelf.add(f"{n}.xisf", Frame(path="", date_obs=date(start), date_end=date(start + length)))
    start, end = group[0], sum(group)
    span = (to_time(date(start)), to_time(date(end)))

    touching = {p for p, (a, b) in spans.items() if a <= end + 1 and b >= start - 1}
    assert touching <= set(shelf.near(span))
    older = sorted(((a, p) for p, (a, _) in spans.items() if a < start), reverse=True)
    assert list(shelf.before(span[0])) == [path for _, path in older]

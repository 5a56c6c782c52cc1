"""One table of keys: whatever compares frames heeds every row of it, and a row that is added."""

import dataclasses
import json
from datetime import date
from pathlib import Path

import pytest

from calibrary.config import load_config
from calibrary.config.model import _aliases
from calibrary.explain.explain import explain_target
from calibrary.library.names import telling_words
from calibrary.manifest import write_frames
from calibrary.plan.coverage import coverage
from calibrary.plan.digests import group_digest
from calibrary.plan.overrides import Overrides, _values
from calibrary.plan.planning import make_plan
from calibrary.plan.write import write_plan
from calibrary.records import CALIBRATION_TYPES, FrameType, GroupKeys, keys_of
from calibrary.records import keys as table
from calibrary.records.keys import Card, Key, Rule, Token, all_keys, key_named
from calibrary.report.health import trends
from calibrary.report.summary import group_columns

NIGHT, LATER = "2025-11-10T20:00:00", "2025-11-10T21:00:00"

OTHER = {
    "camera": {"camera": "ASI2600MM"},
    "camera_serial": {"camera_serial": "9f8e7d6c5b4a"},
    "telescope": {"telescope": "Esprit 100"},
    "width": {"width": 104},
    "height": {"height": 84},
    "channels": {"channels": 3},
    "x_binning": {"x_binning": 2},
    "y_binning": {"y_binning": 2},
    "gain": {"gain": 100.0},
    "offset": {"offset": 30.0},
    "readout_mode": {"readout_mode": "Extended"},
    "usb_limit": {"usb_limit": 40.0},
    "pedestal": {"pedestal": 100.0},
    "x_origin": {"x_origin": 16},
    "y_origin": {"y_origin": 16},
    "bayer_pattern": {"bayer_pattern": "GBRG"},
    "row_order": {"row_order": "BOTTOM-UP"},
    "samples": {"sample_format": "uint8"},
    "filter": {"filter": "Ha"},
    "exposure_s": {"exposure_s": 2.0},
    "temp_c": {"temp_c": -20.0, "set_temp_c": -20.0},
    "night": {"date_obs": "2025-12-24T20:00:00", "night": "2025-12-24"},
}
"""For each key a value that the frames of a series do not have."""

KNOWN = {
    "camera_serial": "0a1b2c3d4e5f",
    "pedestal": 50.0,
    "x_origin": 0,
    "y_origin": 0,
    "bayer_pattern": "RGGB",
    "row_order": "TOP-DOWN",
}
"""What a series of the fixture does not know, so that every key is known on both sides."""


def test_every_key_has_another_value_here():
    assert set(OTHER) == {key.name for key in all_keys()}


def named(key: Key) -> FrameType:
    return FrameType.DARK if key.parts(FrameType.DARK) else FrameType.FLAT


def planned(tmp_path: Path, frames, **settings):
    folder = tmp_path / "results"
    data = {"source": "/source", "library": str(tmp_path / "lib"), "results": str(folder)}
    config = load_config({**data, **settings})
    write_frames(frames, folder / "plan/index.csv")
    write_plan(folder / "plan/index.csv", config)
    return folder, json.loads((folder / "plan/groups.json").read_text())


def two_series(shoot, kind, key: Key):
    changed = OTHER[key.name]
    when = {} if key.rule is Rule.SESSION else {"start": LATER}
    first = shoot(kind, 5, NIGHT, **KNOWN)
    second = shoot(kind, 5, when.get("start", LATER), **{**KNOWN, **changed})
    return first, second


@pytest.mark.parametrize("key", all_keys(), ids=lambda key: key.name)
def test_two_groups_that_differ_in_one_key_are_parted_and_explained_by_it(shoot, tmp_path, key):
    kind = named(key).value
    first, second = two_series(shoot, kind, key)
    folder, groups = planned(tmp_path, [*first, *second])
    assert [group["n_frames"] for group in groups] == [5, 5]
    assert groups[0]["master"].casefold() != groups[1]["master"].casefold()
    apart = [t for t in explain_target(groups[0]["group"], folder) if "not with" in t]
    assert len(apart) == 1
    assert f": {key.words} " in apart[0]


@pytest.mark.parametrize("key", all_keys(), ids=lambda key: key.name)
def test_types_that_a_key_does_not_part_are_one_group(shoot, plan, key):
    for of in CALIBRATION_TYPES:
        if key.parts(of) or of is FrameType.DARKFLAT:
            continue
        first, second = two_series(shoot, of.value, key)
        assert len(plan([*first, *second]).groups) == 1, of


@pytest.mark.parametrize("key", [key for key in all_keys() if key.binds], ids=lambda key: key.name)
def test_what_differs_in_one_key_does_not_calibrate(shoot, plan, key):
    flats = shoot("flat", 5, NIGHT, **KNOWN)
    darks = shoot("darkflat", 5, LATER, **{**KNOWN, **OTHER[key.name]})
    (flat,) = [g for g in plan([*flats, *darks]).groups if g.frame_type is FrameType.FLAT]
    assert flat.calibrator.kind == "none"
    assert key.words in flat.calibrator.reason
    alike = shoot("darkflat", 5, LATER, **KNOWN)
    (flat,) = [g for g in plan([*flats, *alike]).groups if g.frame_type is FrameType.FLAT]
    assert flat.calibrator.kind == "darkflat"


@pytest.mark.parametrize("key", [key for key in all_keys() if key.level], ids=lambda key: key.name)
def test_a_dark_is_not_judged_above_a_bias_of_another_level(shoot, plan, key):
    darks = shoot("dark", 5, NIGHT, exposure_s=60.0, **KNOWN)
    for changed, expected in ((OTHER[key.name], None), ({}, "bias")):
        biases = shoot("bias", 5, LATER, **{**KNOWN, **changed})
        (dark,) = [g for g in plan([*darks, *biases]).groups if g.frame_type is FrameType.DARK]
        assert (dark.bias or "").startswith(expected or "\n") is (expected is not None)


def in_library(shelve, kind, name, start, level, **changes):
    return shelve(kind, f"!!!X_LIB/S/{name}.xisf", start, qc={"QCLEVEL": level}, **changes)


@pytest.mark.parametrize(
    "key",
    [key for key in all_keys() if key.level and key.told_by_masters],
    ids=lambda key: key.name,
)
def test_the_dark_rate_is_above_a_bias_of_the_same_level(shelve, key):
    same = {**KNOWN, "exposure_s": 100.0}
    dark = in_library(shelve, "dark", "d", NIGHT, 520.0, **same)
    other = in_library(shelve, "bias", "b1", NIGHT, 560.0, **{**same, **OTHER[key.name]})
    own = in_library(shelve, "bias", "b2", "2025-10-01T20:00:00", 510.0, **same)
    found = {t.quantity.label: t for t in trends([dark, other, own], Path("/library"))["S"]}
    (points,) = found["Dark rate"].series.values()
    assert points[0][1] == pytest.approx(0.1), "520 - 510 ADU in 100 s, not 520 - 560"


ADDED = Key(
    name="egain",
    words="conversion gain",
    unit="e-/ADU",
    card=Card("TESTCARD", "an added key"),
    token=Token(11, lambda keys: f"E{keys.egain}"),
    alias=True,
    settable=True,
    wanted=lambda _: True,
    remedy="mend the header",
)
"""A field that frames and groups have and that is no key: it becomes one here."""


@pytest.fixture
def added(monkeypatch):
    monkeypatch.setattr(table, "KEYS", (*table.KEYS, ADDED))


@pytest.mark.usefixtures("added")
def test_an_added_key_is_heeded_everywhere(shoot, plan, shelve, tmp_path, config):
    assert "egain" in group_columns()
    assert "egain" in _values().model_fields
    assert "egain" in _aliases().model_fields

    darks = [*shoot("dark", 5, NIGHT, egain=1.0), *shoot("dark", 5, LATER, egain=2.0)]
    folder, groups = planned(tmp_path, darks)
    assert [group["n_frames"] for group in groups] == [5, 5], "grouping"
    assert groups[1]["master"].endswith("_E2.0.xisf"), "names"
    told = "\n".join(explain_target(groups[0]["group"], folder))
    assert "conversion gain 2 e-/ADU against 1 e-/ADU" in told, "explain"

    flats = shoot("flat", 5, NIGHT, egain=1.0)
    made = plan([*flats, *shoot("darkflat", 5, LATER, egain=2.0)])
    (flat,) = [g for g in made.groups if g.frame_type is FrameType.FLAT]
    assert flat.calibrator.kind == "none", "matching"
    assert "conversion gain 2 against the flat's 1" in flat.calibrator.reason
    (entry,) = [e for e in made.matches[flat.group]["candidates"] if e["rung"] == "darkflat"]
    assert entry["remedy"] == "mend the header"

    biases = shoot("bias", 5, LATER, egain=2.0)
    (dark,) = [g for g in plan([*darks[:5], *biases]).groups if g.frame_type is FrameType.DARK]
    assert dark.bias is None, "bias of a dark"

    unknown = plan(shoot("dark", 5, NIGHT)).groups[0]
    assert any("conversion gain" in warning for warning in unknown.warnings), "missing keys"
    keys = keys_of(darks[0])
    other = dataclasses.replace(keys, egain=2.0)
    assert telling_words(keys, [other]) == ["E1.0"]
    digests = {group_digest(FrameType.DARK, k, [], {}, None) for k in (keys, other)}
    assert len(digests) == 2, "digest"

    masters = [
        shelve("dark", f"a/{name}.xisf", NIGHT, egain=value, inputs_digest=name)
        for name, value in (("one", 1.0), ("two", 2.0))
    ]
    rows = coverage([], masters, config, {}, date(2025, 11, 11))
    assert sorted(rows["setting"].str.split().str[-1]) == ["E1.0", "E2.0"], "coverage"
    kept = make_plan(darks[:5], [masters[1]], config, Overrides())
    assert kept.groups[0].master != "a/two.xisf", "places"


@pytest.mark.usefixtures("added")
def test_an_added_key_is_in_the_header_of_a_master(shoot, plan):
    from calibrary.masters.header import _identity_cards

    (group,) = plan(shoot("dark", 5, NIGHT, egain=2.5)).groups
    assert ("TESTCARD", 2.5, "an added key") in _identity_cards(group)


def test_zero_is_a_value_and_not_unknown(shelve, config):
    """Masters with a USB limit of 0 and without one are two rows of the coverage."""
    masters = [
        shelve("dark", f"a/{name}.xisf", NIGHT, usb_limit=limit, inputs_digest=name)
        for name, limit in (("none", None), ("zero", 0.0))
    ]
    rows = coverage([], masters, config, {}, date(2025, 11, 11))
    assert sorted(rows["setting"].str.split().str[-1]) == ["NO_USB", "USB0"]


def test_what_is_told_is_what_is_compared(shoot):
    keys = keys_of(shoot("flat", 1, NIGHT, filter="Ha")[0])
    assert key_named("filter").told(keys) == "Ha", "as the header spells it"
    assert key_named("pedestal").told(keys) == "0 ADU", "no PEDESTAL says the same as 0"
    assert key_named("usb_limit").told(keys) == "60"
    assert key_named("camera_serial").told(keys) == "unknown"


def test_the_fields_of_a_group_are_those_of_the_keys():
    """`night` and `egain` are told of a group without being compared as the others are."""
    held = {field for key in all_keys() for field in key.held_in()}
    assert set(GroupKeys.__slots__) - held == {"egain"}
    assert key_named("night").rule is Rule.SESSION

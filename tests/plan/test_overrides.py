"""The user's corrections: what they match, what they change, and clear words for typos."""

from pathlib import Path

import pytest
import yaml

from calibrary.plan.overrides import Overrides, Pattern, apply_overrides, load_overrides
from calibrary.records import CalibraryError, FrameType, Reason, ReasonCode, Status, TypeSource

REPO = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("flat-*", "/a/b/flat-01.fits", True),
        ("flat-*", "/flat-1/dark.fits", False),
        ("darks/", "/a/darks/x/y.fits", True),
        ("darks/", "/a/mydarks/y.fits", False),
        ("2024-*/darks/*.fits", "/src/2024-11-10/darks/y.fits", True),
        ("/src/x.fits", "/src/x.fits", True),
        ("/src/x.fits", "/other/src/x.fits", False),
        ("a [[]1].fits", "/src/a [1].fits", True),
        ("windows\\x.fits", "C:\\data\\windows\\x.fits", True),
        ("X.fits", "/src/x.fits", False),
    ],
)
def test_patterns(glob, path, fits):
    assert Pattern([glob]).matches(path) is fits


def light(shoot, **changes):
    reason = Reason(ReasonCode.LIGHT_BY_HEADER, "IMAGETYP is 'Light Frame'")
    values = {"status": Status.SET_ASIDE, "reason": reason, **changes}
    return shoot("light", 1, "2025-11-10T20:00:00", **values)[0]


def test_a_retyped_light_becomes_a_flat(shoot):
    frame = light(shoot, path="/src/flat-1.fits")
    overrides = Overrides(retype=[{"files": "flat-*", "type": "flat"}])
    (changed,), _ = apply_overrides([frame], [], overrides)
    assert (changed.frame_type, changed.status, changed.type_source, changed.reason) == (
        FrameType.FLAT,
        Status.USED,
        TypeSource.OVERRIDE,
        None,
    )


def test_a_retype_does_not_mend_a_broken_file_nor_open_a_master(shoot, caplog):
    truncated = light(shoot, reason=Reason(ReasonCode.TRUNCATED, "truncated"))
    master = shoot("master", 1, None, status=Status.IGNORED)[0]
    overrides = Overrides(retype=[{"files": "*", "type": "flat"}])
    (still, same), _ = apply_overrides([truncated, master], [], overrides)
    assert still.status is Status.SET_ASIDE
    assert same == master
    assert "master is never an input" in caplog.text


def with_pedestal(shoot, kind="dark", n=1, **changes):
    reason = Reason(ReasonCode.PEDESTAL, "PEDESTAL is -100")
    values = {"pedestal": -100.0, "status": Status.SET_ASIDE, "reason": reason}
    return shoot(kind, n, "2025-11-10T20:00:00", **{**values, **changes})


RAW_ALL = {"raw": [{"files": "*"}]}


def test_a_frame_with_a_pedestal_is_used_if_declared_raw(shoot):
    (changed,), _ = apply_overrides(with_pedestal(shoot), [], Overrides(**RAW_ALL))
    assert (changed.status, changed.reason, changed.pedestal) == (Status.USED, None, -100.0)


def test_no_other_frame_becomes_raw(shoot):
    calibrated = with_pedestal(shoot, reason=Reason(ReasonCode.CALIBRATED, "CALSTAT is 'BD'"))
    master = shoot("master", 1, None, status=Status.IGNORED, pedestal=-100.0)
    frames = calibrated + master
    assert apply_overrides(frames, [], Overrides(**RAW_ALL))[0] == frames


def test_a_raw_frame_still_needs_its_type(shoot):
    frames = with_pedestal(shoot, "light")
    (still,), _ = apply_overrides(frames, [], Overrides(**RAW_ALL))
    assert still.status is Status.SET_ASIDE
    assert "no calibration frame (light)" in str(still.reason)
    both = Overrides(**RAW_ALL, retype=[{"files": "*", "type": "flat"}])
    (changed,), _ = apply_overrides(frames, [], both)
    assert (changed.status, changed.frame_type) == (Status.USED, FrameType.FLAT)


def test_a_retype_alone_opens_no_frame_with_a_pedestal(shoot):
    retype = Overrides(retype=[{"files": "*", "type": "flat"}])
    (still,), _ = apply_overrides(with_pedestal(shoot, "light"), [], retype)
    assert still.status is Status.SET_ASIDE


def test_frames_of_different_pedestals_are_never_mixed(shoot, plan):
    frames = with_pedestal(shoot, n=5, exposure_s=60.0)
    frames += shoot("dark", 5, "2025-11-10T20:10:00", exposure_s=60.0)
    first, second = plan(frames, overrides=Overrides(**RAW_ALL)).groups
    assert (first.keys.pedestal, second.keys.pedestal) == (-100.0, None)
    assert second.master == first.master.replace(".xisf", "_Pedestal0.xisf")


def test_a_calibrator_of_another_pedestal_is_none_and_the_reason_says_so(shoot, plan):
    flats = with_pedestal(shoot, "flat", n=20)
    others = shoot("darkflat", 20, "2025-11-10T20:10:00")
    planned = plan(flats + others, overrides=Overrides(**RAW_ALL))
    (flat,) = [g for g in planned.groups if g.frame_type is FrameType.FLAT]
    assert flat.calibrator.kind == "none"
    assert "pedestal 0 against the flat's -100" in flat.calibrator.reason


def test_a_frame_can_be_left_out(shoot, plan):
    darks = shoot("dark", 5, "2025-11-10T20:00:00")
    name = Path(darks[0].path).name
    out = Overrides(retype=[{"files": name, "type": "light"}])
    (group,) = plan(darks, overrides=out).groups
    assert len(group.frames) == 4


def test_only_what_is_missing_is_set(shoot):
    frames = shoot("dark", 1, None, gain=None) + shoot("dark", 1, None, gain=7.0)
    overrides = Overrides(set=[{"files": "*", "values": {"gain": 100, "readout_mode": "x"}}])
    changed, _ = apply_overrides(frames, [], overrides)
    assert [f.gain for f in changed] == [100, 7.0]
    assert {f.readout_mode for f in changed} == {"High Gain Mode"}


def test_a_set_temperature_is_the_one_grouping_uses(shoot):
    frame = shoot("dark", 1, None, set_temp_c=None, ccd_temp_c=None, temp_c=None)
    overrides = Overrides(set=[{"files": "*", "values": {"set_temp_c": -10}}])
    (changed,), _ = apply_overrides(frame, [], overrides)
    assert changed.temp_c == -10


def test_a_pattern_that_fits_nothing_is_told(shoot, caplog):
    overrides = Overrides(retype=[{"files": "falt-*", "type": "flat"}])
    apply_overrides(shoot("dark", 1, None), [], overrides)
    assert "falt-*" in caplog.text


def test_no_file_is_no_correction(tmp_path):
    assert load_overrides(None) == load_overrides(tmp_path / "none.yaml") == Overrides()
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert load_overrides(tmp_path / "empty.yaml") == Overrides()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("retyp: []", "retyp"),
        ("retype: [{files: x, type: flate}]", "flate"),
        ("retype: [{type: flat}]", "files"),
        ("set: [{files: x, values: {gian: 1}}]", "gian"),
        ("set: [{files: x, values: {set_temp_c: cold}}]", "cold"),
        ("retype: {", "YAML"),
        ("- 1", "dictionary"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(tmp_path, text, word):
    path = tmp_path / "overrides.yaml"
    path.write_text(text)
    with pytest.raises(CalibraryError) as error:
        load_overrides(path)
    assert str(path) in str(error.value)
    assert word in str(error.value)
    assert "\n" not in str(error.value)


def test_the_shipped_example_is_all_comments_and_valid_without_them():
    text = (REPO / "config/overrides.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text) is None
    lines = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")]
    start = next(i for i, line in enumerate(lines) if line.startswith("raw:"))
    bare = [
        line
        for line in lines[start:]
        if line.startswith((" ", "raw:", "retype:", "set:", "pin:", "forbid:"))
    ]
    overrides = Overrides.model_validate(yaml.safe_load("\n".join(bare)))
    assert overrides.raw
    assert overrides.retype
    assert overrides.set
    assert overrides.pin
    assert overrides.forbid

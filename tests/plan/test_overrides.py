"""The user's corrections: what they match, what they change, and clear words for typos."""

from pathlib import Path

import pytest
import yaml

from calibrary.model import CalibraryError, FrameType, Status, TypeSource
from calibrary.plan.overrides import Overrides, Pattern, apply_overrides, load_overrides

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
    reason = "IMAGETYP is 'Light Frame'; if it is a flat, retype it in the overrides file"
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
    truncated = light(shoot, reason="truncated: copy it again")
    master = shoot("master", 1, None, status=Status.IGNORED)[0]
    overrides = Overrides(retype=[{"files": "*", "type": "flat"}])
    (still, same), _ = apply_overrides([truncated, master], [], overrides)
    assert still.status is Status.SET_ASIDE
    assert same == master
    assert "master is never an input" in caplog.text


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
    start = next(i for i, line in enumerate(lines) if line.startswith("retype:"))
    bare = [
        line
        for line in lines[start:]
        if line.startswith((" ", "retype:", "set:", "pin:", "forbid:"))
    ]
    overrides = Overrides.model_validate(yaml.safe_load("\n".join(bare)))
    assert overrides.retype
    assert overrides.set
    assert overrides.pin
    assert overrides.forbid

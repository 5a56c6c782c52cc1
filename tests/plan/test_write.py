"""The plan as files: the same bytes for the same frames, nothing stale, clear words for nothing."""

import json
import logging

import pytest

from calibrary.config import load_config
from calibrary.manifest import index_frames, read_frames, write_frames
from calibrary.plan.write import write_plan
from calibrary.records import CalibraryError, FrameType, GroupPlan, Reason, ReasonCode, Status


@pytest.fixture
def planned(tmp_path):
    """Plan frames in a results folder of their own."""
    overrides = tmp_path / "overrides.yaml"
    config = load_config(
        {
            "source": str(tmp_path / "source"),
            "library": str(tmp_path / "library"),
            "results": str(tmp_path / "results"),
            "overrides": str(overrides),
        }
    )

    def run(frames, corrections=""):
        overrides.write_text(corrections)
        index = tmp_path / "results/plan/index.csv"
        write_frames(frames, index)
        write_plan(index, config)
        return tmp_path / "results"

    return run


def tree(folder):
    return {
        p.relative_to(folder).as_posix(): (p.read_bytes(), p.stat().st_mtime_ns)
        for p in folder.rglob("*")
        if p.is_file() and p.suffix in (".json", ".csv")
    }


def test_the_same_frames_give_the_same_bytes_and_touch_no_sheet(planned, shoot):
    frames = shoot("flat", 20, "2025-11-10T18:00:00") + shoot("dark", 9, "2025-11-10T19:00:00")
    first = tree(planned(frames))
    second = tree(planned(frames[::-1]))
    index = {"plan/index.csv", "plan/frames.csv"}
    assert {k: v[0] for k, v in first.items() if k not in index} == {
        k: v[0] for k, v in second.items() if k not in index
    }
    sheets = [name for name in first if name.startswith("plan/sheets/")]
    assert len(sheets) == 2
    assert all(first[name] == second[name] for name in sheets)


def test_sheets_of_groups_that_are_gone_go_too(planned, shoot):
    old, new = shoot("dark", 5, "2025-11-10T20:00:00"), shoot("dark", 5, "2025-11-12T20:00:00")
    results = planned([*old, *new])
    before = tree(results / "plan/sheets")
    planned(new)
    after = tree(results / "plan/sheets")
    assert len(before) == 2
    assert after.items() <= before.items()
    assert len(after) == 1


def test_work_orders_are_read_back_as_they_were(planned, shoot):
    results = planned(
        shoot("flat", 20, "2025-11-10T18:00:00") + shoot("dark", 9, "2025-11-10T19:00:00")
    )
    groups = json.loads((results / "plan/groups.json").read_text())
    for group in groups:
        order = GroupPlan.from_json((results / f"plan/sheets/{group['group']}.json").read_text())
        assert GroupPlan.from_json(order.to_json()) == order
        assert len(order.frames) == group["n_frames"]
        assert order.digest == group["digest"]
        assert "frames" not in group
    matches = json.loads((results / "matches.json").read_text())
    assert set(matches) == {g["group"] for g in groups if g["frame_type"] == "flat"}


def test_every_frame_has_its_fate(planned, shoot):
    darks = shoot("dark", 5, "2025-11-10T20:00:00")
    bad = shoot(
        "dark",
        1,
        "2025-11-10T20:30:00",
        status=Status.SET_ASIDE,
        reason=Reason(ReasonCode.TRUNCATED, "truncated"),
    )
    results = planned([*darks, *bad])
    frames = {f.path: f for f in read_frames(results / "plan/frames.csv")}
    (group,) = json.loads((results / "plan/groups.json").read_text())
    assert {frames[f.path].group for f in darks} == {group["group"]}
    assert frames[bad[0].path].group is None


def test_warnings_are_logged(planned, shoot, caplog):
    caplog.set_level(logging.WARNING)
    planned(shoot("flat", 5, "2025-11-10T18:00:00", gain=None))
    assert "fewer than the minimum of 20" in caplog.text
    assert "gain unknown" in caplog.text
    assert "flats are not calibrated" in caplog.text


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("IMAGETYP = 'Light Frame'", "IMAGETYP values found: IMAGETYP = 'Light Frame' (3)"),
        ("IMGTYPE = 'Focus'", "IMAGETYP values found: IMGTYPE = 'Focus' (3)"),
        (None, "none (light) (3)"),
    ],
)
def test_no_calibration_frames_says_what_was_found(planned, shoot, said, word):
    lights = shoot("light", 3, None, status=Status.SET_ASIDE, type_said=said)
    with pytest.raises(CalibraryError) as error:
        planned(lights)
    text = str(error.value)
    assert "no calibration files found" in text
    assert "bias, dark, darkflat, flat" in text
    assert word in text
    assert "\n" not in text


def test_no_files_at_all_says_so(planned):
    with pytest.raises(CalibraryError, match="no FITS or XISF files"):
        planned([])


def test_a_bad_overrides_file_stops_the_plan(planned, shoot):
    with pytest.raises(CalibraryError, match="retyp"):
        planned(shoot("dark", 5, "2025-11-10T20:00:00"), "retyp: []")


def test_the_real_night(tmp_path, shared_data):
    """52 frames of an STL-1001E: what its read-me asks of the grouping."""
    overrides = tmp_path / "overrides.yaml"
    overrides.write_text("retype:\n  - files: 'flat-*'\n    type: flat\n")
    config = load_config(
        {
            "source": str(shared_data / "stl1001"),
            "library": str(tmp_path / "library"),
            "results": str(tmp_path / "results"),
            "overrides": str(overrides),
        }
    )
    index = tmp_path / "results/plan/index.csv"
    write_frames(index_frames(config.source, None), index)
    write_plan(index, config)
    groups = json.loads((tmp_path / "results/plan/groups.json").read_text())
    found = {
        (g["frame_type"], g["keys"]["exposure_s"], g["keys"]["temp_c"]): (
            g["n_frames"],
            g["action"],
        )
        for g in groups
    }
    singles = {("dark", s, -5.0) for s in (10.0, 20.0, 30.0, 150.0, 300.0)}
    singles |= {("dark", s, -10.0) for s in (10.0, 20.0, 30.0, 60.0, 150.0, 300.0)}
    assert found == {
        ("bias", 0.0, -5.0): (10, "build"),
        ("bias", 0.0, -10.0): (10, "build"),
        ("dark", 60.0, -5.0): (11, "build"),
        ("flat", 23.0, -5.0): (10, "build"),
        **dict.fromkeys(singles, (1, "too_few")),
    }
    (flat,) = [g for g in groups if g["frame_type"] == FrameType.FLAT]
    assert flat["calibrator"]["kind"] == "bias"
    assert "-5C" in flat["calibrator"]["group"]
    assert "exposure 60 s against the flat's 23 s" in flat["calibrator"]["reason"]
    assert flat["keys"]["filter"] == "Visible"

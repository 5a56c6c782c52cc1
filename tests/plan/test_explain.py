"""`calibrary explain`: why, by how much, and what to change."""

import json

import pytest
from typer import Typer
from typer.testing import CliRunner

from calibrary.cli.explain import explain
from calibrary.config import load_config
from calibrary.explain.explain import explain_target
from calibrary.manifest import write_frames
from calibrary.plan.write import write_plan
from calibrary.records import CalibraryError, Reason, ReasonCode, Status


@pytest.fixture
def results(tmp_path, shoot):
    frames = [
        *shoot("flat", 20, "2025-11-10T18:00:00"),
        *shoot("dark", 20, "2025-11-10T22:15:00"),
        *shoot("dark", 20, "2025-11-10T23:15:00", temp_c=-12.0, set_temp_c=-12.0),
        *shoot(
            "dark",
            1,
            None,
            path="/source/cut.fits",
            status=Status.SET_ASIDE,
            reason=Reason(
                ReasonCode.TRUNCATED,
                "truncated: 7 bytes of the image are missing",
                "copy the file again",
            ),
        ),
    ]
    folder = tmp_path / "results"
    config = load_config(
        {"source": "/source", "library": str(tmp_path / "lib"), "results": str(folder)}
    )
    write_frames(frames, folder / "plan/index.csv")
    write_plan(folder / "plan/index.csv", config)
    return folder


FLAT = "flat_Edge_HD_8__QHY600M_B_Gain56_Offset10_1x1_-10C_2025-11-10"
DARK = "dark_Edge_HD_8__QHY600M_0.5s_Gain56_Offset10_1x1_-10C_2025-11-10"


def test_a_dark_flat_that_does_not_match_shows_delta_and_tolerance_in_one_line(results):
    lines = explain_target(FLAT, results)
    late = next(line for line in lines if line.strip().startswith("darkflat "))
    assert "taken 4 h 13 min later than the flats, window 3 h" in late
    assert DARK in late
    assert any("widen match.window" in line for line in lines)
    assert any(line.strip().endswith(f"{DARK}: chosen") for line in lines)


def test_temperatures_that_part_groups_are_told(results):
    text = "\n".join(explain_target(DARK, results))
    assert "temperature -12 °C against -10 °C, 2 °C apart, tolerance 1 °C" in text


def test_a_file_tells_its_group_and_what_it_says_itself(results):
    lines = explain_target("dark_00020.fits", results)
    assert lines[0] == "/source/dark_00020.fits"
    assert any(line.split() == ["group", DARK] for line in lines)
    assert any("20 frames" in line or line.split()[:2] == ["frames", "20,"] for line in lines)


def test_a_file_that_was_set_aside_tells_why(results):
    text = "\n".join(explain_target("/source/cut.fits", results))
    assert "set aside" in text
    assert "copy the file again" in text


def test_a_frame_the_checks_left_out_tells_so(results):
    measured = results / f"candidates/{DARK}.json"
    measured.parent.mkdir()
    checked = {"path": "/source/dark_00020.fits", "status": "set_aside", "reason": "uncovered"}
    measured.write_text(json.dumps({"frames": [checked]}))
    assert any(
        "left out of the master: uncovered" in line
        for line in explain_target("dark_00020.fits", results)
    )
    assert not any("left out" in line for line in explain_target("dark_00021.fits", results))


@pytest.mark.parametrize(
    ("target", "words"), [("nothing.fits", "no group and no file"), ("cut", "no group and no file")]
)
def test_an_unknown_name_is_one_clear_line(results, target, words):
    with pytest.raises(CalibraryError, match=words):
        explain_target(target, results)


def test_without_a_run_the_remedy_is_told(tmp_path):
    with pytest.raises(CalibraryError, match="run the workflow first"):
        explain_target("x", tmp_path)


def test_the_command_prints_it(results):
    app = Typer()
    app.command()(explain)
    done = CliRunner().invoke(app, [FLAT, "--results", str(results)])
    assert done.exit_code == 0
    assert done.output.splitlines() == explain_target(FLAT, results)

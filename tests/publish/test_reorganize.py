"""Existing masters into the structure: whole or not at all, and nothing overwritten."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from calibrary.cli.reorganize import reorganize
from calibrary.publish.reorganize import Deed, carry_out, plan_steps
from calibrary.records import CalibraryError

CARDS = {
    "IMAGETYP": "Master Dark",
    "TELESCOP": 'Edge HD 8"',
    "INSTRUME": "QHY600M",
    "EXPTIME": 120.0,
    "GAIN": 56,
    "OFFSET": 10,
    "SET_TEMP": -10.0,
    "DATE_OBS": "2025-11-10T21:00:00",
}
PLACE = (
    "!!!DARKS_LIB/Edge_HD_8__QHY600M/DARKS_2025_11_10/"
    "Edge_HD_8__QHY600M_MasterDark_120s_Gain56_Offset10_1x1_-10C.xisf"
)


@pytest.fixture
def run():
    app = Typer()
    app.command()(reorganize)

    def one(*arguments):
        return CliRunner().invoke(app, [str(a) for a in arguments])

    return one


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_masters_are_copied_to_their_place(tmp_path, put_master, run):
    source = put_master(tmp_path / "old/whatever.xisf", **CARDS)
    result = run(tmp_path / "old", tmp_path / "library")
    assert result.exit_code == 0, result.output
    assert files(tmp_path / "library") == {PLACE}
    assert (tmp_path / "library" / PLACE).read_bytes() == source.read_bytes()
    assert source.exists()
    again = run(tmp_path / "old", tmp_path / "library")
    assert (again.exit_code, "already there 1" in again.output) == (0, True)


def test_move_removes_the_source_once_the_copy_is_whole(tmp_path, put_master, run):
    source = put_master(tmp_path / "old/whatever.xisf", **CARDS)
    data = source.read_bytes()
    assert run(tmp_path / "old", tmp_path / "library", "--move").exit_code == 0
    assert not source.exists()
    assert (tmp_path / "library" / PLACE).read_bytes() == data


def test_a_dry_run_only_shows(tmp_path, put_master, run):
    put_master(tmp_path / "old/whatever.xisf", **CARDS)
    result = run(tmp_path / "old", tmp_path / "library", "--dry-run", "--move")
    assert result.exit_code == 0
    assert PLACE in result.output
    assert "move" in result.output
    assert not (tmp_path / "library").exists()


def test_a_taken_name_is_a_collision_and_overwrites_nothing(tmp_path, put_master, run):
    source = put_master(tmp_path / "old/whatever.xisf", level=600.0, **CARDS)
    there = put_master(tmp_path / "library" / PLACE, **CARDS)
    data = there.read_bytes()
    result = run(tmp_path / "old", tmp_path / "library", "--move")
    assert result.exit_code == 1
    assert "collision 1" in result.output
    assert there.read_bytes() == data
    assert source.exists()


def test_two_files_for_one_place_collide(tmp_path, put_master, run):
    put_master(tmp_path / "old/a.xisf", **CARDS)
    put_master(tmp_path / "old/b.xisf", level=600.0, **CARDS)
    result = run(tmp_path / "old", tmp_path / "library")
    assert result.exit_code == 1
    assert "a.xisf goes there too" in result.output
    assert files(tmp_path / "library") == {PLACE}


def test_raw_frames_and_other_files_stay(tmp_path, put_master, run):
    put_master(tmp_path / "old/raw.fits", IMAGETYP="Dark Frame", EXPTIME=1.0)
    (tmp_path / "old/notes.txt").write_text("x")
    (tmp_path / "old/broken.xisf").write_bytes(b"x")
    result = run(tmp_path / "old", tmp_path / "library")
    assert result.exit_code == 0
    assert "no master 2" in result.output
    assert "only masters are put into the library" in result.output
    assert not (tmp_path / "library").exists()


def test_names_and_folders_fill_what_headers_lack(tmp_path, put_master, run):
    name = "X_MasterFlat_2025_11_10_HA_High_Gain_G56_OS10_U60_Bin1x1_2.5s_-10C.xisf"
    put_master(tmp_path / "flat" / name, TELESCOP="T", INSTRUME="C")
    assert run(tmp_path / "flat", tmp_path / "library").exit_code == 0
    assert files(tmp_path / "library") == {
        "!!!FLATS_LIB/T_C/FLATS_2025_11_10/T_C_MasterFlat_HA_Gain56_Offset10_1x1_-10C.xisf"
    }


@pytest.mark.parametrize(
    ("name", "place"),
    [
        (
            "T_C_MasterDark_2025_11_10_High_Gain_G56_OS10_U60_Bin1x1_120s_-10C.xisf",
            "T_C/DARKS_2025_11_10/T_C_MasterDark_120s_Gain56_Offset10_1x1_-10C.xisf",
        ),
        (
            "T_C_MasterDark_120s_Gain56_Offset10_1x1_-10C.xisf",
            "T_C/DARKS_NO_DATE/T_C_MasterDark_120s_Gain56_Offset10_1x1_-10C.xisf",
        ),
        (
            "T..C_MasterDark_120s_Gain56_Offset10_1x1_-10C.xisf",
            "T__C/DARKS_NO_DATE/T__C_MasterDark_120s_Gain56_Offset10_1x1_-10C.xisf",
        ),
        (
            "!!!DARKS_LIB/T_C/DARKS_2025_11_10/mine.xisf",
            "T_C/DARKS_2025_11_10/T_C_MasterDark_NO_EXPOSURE_NO_GAIN_NO_OFFSET_1x1_NO_TEMP.xisf",
        ),
    ],
)
def test_a_setup_that_only_the_name_or_folder_tells_is_kept(tmp_path, put_master, run, name, place):
    put_master(tmp_path / "old" / name, IMAGETYP="Master Dark")
    assert run(tmp_path / "old", tmp_path / "library").exit_code == 0
    assert files(tmp_path / "library") == {f"!!!DARKS_LIB/{place}"}


def test_a_setup_that_nothing_tells_is_told(tmp_path, put_master, run):
    put_master(tmp_path / "old/x.xisf", IMAGETYP="Master Dark")
    result = run(tmp_path / "old", tmp_path / "library", "--dry-run")
    assert "neither header nor name tells telescope and camera" in result.output


@pytest.mark.parametrize("ending", [".fits", ".FIT", ".fits.gz"])
def test_the_ending_of_a_file_stays(tmp_path, put_master, run, ending):
    plain = put_master(tmp_path / "x.fits", **CARDS)
    data = plain.read_bytes()
    (tmp_path / "old").mkdir()
    packed = gzip.compress(data) if ending.endswith("gz") else data
    (tmp_path / f"old/master0.5{ending}").write_bytes(packed)
    assert run(tmp_path / "old", tmp_path / "library").exit_code == 0
    assert files(tmp_path / "library") == {PLACE.removesuffix(".xisf") + ending.lower()}


def test_inside_the_library_itself(tmp_path, put_master, run):
    put_master(tmp_path / "library" / PLACE, **CARDS)
    put_master(tmp_path / "library/loose.xisf", **{**CARDS, "EXPTIME": 300.0})
    assert run(tmp_path / "library", tmp_path / "library", "--move").exit_code == 0
    assert files(tmp_path / "library") == {PLACE, PLACE.replace("120s", "300s")}


def test_an_interrupted_copy_leaves_no_half_file(tmp_path, put_master, monkeypatch):
    source = put_master(tmp_path / "old/whatever.xisf", **CARDS)
    steps = plan_steps(tmp_path / "old", tmp_path / "library", move=True)

    def full(reading, writing, **_):
        Path(writing).write_bytes(Path(reading).read_bytes()[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(CalibraryError, match=r"No space left on device.*run again"):
        carry_out(steps, lambda _: None)
    assert source.exists()
    assert files(tmp_path / "library") == set()


def test_a_file_system_without_links_works_too(tmp_path, put_master, monkeypatch):
    put_master(tmp_path / "old/whatever.xisf", **CARDS)
    steps = plan_steps(tmp_path / "old", tmp_path / "library", move=False)

    def no_links(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", no_links)
    carry_out(steps, lambda _: None)
    assert files(tmp_path / "library") == {PLACE}


def test_a_place_taken_meanwhile_is_not_overwritten(tmp_path, put_master):
    put_master(tmp_path / "old/whatever.xisf", **CARDS)
    (step,) = plan_steps(tmp_path / "old", tmp_path / "library", move=True)
    assert step.deed is Deed.MOVE
    step.target.parent.mkdir(parents=True)
    step.target.write_bytes(b"mine")
    with pytest.raises(CalibraryError):
        carry_out([step], lambda _: None)
    assert step.target.read_bytes() == b"mine"
    assert step.source.exists()


def test_a_killed_run_leaves_every_master_whole(tmp_path, put_master):
    put_master(tmp_path / "old/whatever.xisf", **CARDS)
    script = (
        "import os, shutil, sys\n"
        "from pathlib import Path\n"
        "from calibrary.publish.reorganize import carry_out, plan_steps\n"
        "shutil.copystat = lambda *_, **__: os._exit(9)\n"
        "old, library = map(Path, sys.argv[1:])\n"
        "carry_out(plan_steps(old, library, move=True), lambda _: None)\n"
    )
    command = [sys.executable, "-c", script, tmp_path / "old", tmp_path / "library"]
    assert subprocess.run(command, check=False).returncode == 9
    visible = {p for p in files(tmp_path / "library") if not Path(p).name.startswith(".")}
    assert visible == set()
    assert (tmp_path / "old/whatever.xisf").exists()
    (step,) = plan_steps(tmp_path / "old", tmp_path / "library", move=True)
    carry_out([step], lambda _: None)
    assert files(tmp_path / "library") == {PLACE}


def test_a_wrong_folder_is_one_clear_line(tmp_path, put_master):
    file = put_master(tmp_path / "old/x.xisf", **CARDS)
    for source, library, said in (
        (tmp_path / "nowhere", tmp_path / "library", "there is no such folder"),
        (file, tmp_path / "library", "is a file; give the folder it is in"),
        (tmp_path / "old", file, "is a file; give the root of the library"),
    ):
        with pytest.raises(CalibraryError, match=said):
            plan_steps(source, library, move=False)


def test_a_file_that_is_there_twice_is_no_collision(tmp_path, put_master, run):
    put_master(tmp_path / "old/a.xisf", **CARDS)
    (tmp_path / "old/b.xisf").write_bytes((tmp_path / "old/a.xisf").read_bytes())
    result = run(tmp_path / "old", tmp_path / "library", "--move")
    assert result.exit_code == 0
    assert "move 1, already there 1" in result.output
    assert files(tmp_path / "old") == {"b.xisf"}, "only what went to the library leaves"

"""Bad frames, bad settings, bad luck: a reason for the user, and nothing lost."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import astropy.io.fits
import numpy as np
import pytest
from observatory import Workspace, take

from calibrary.pixels.reading import read_image
from calibrary.pixels.writing import write_master
from calibrary.records import FrameType
from calibrary.simulate.series import Series


def spoil(path: str) -> None:
    """Keep header, size and a plausible length, but make the pixels unreadable: cut the file."""
    data = Path(path).read_bytes()
    Path(path).write_bytes(data[: len(data) // 2])


def test_a_truncated_frame_is_set_aside_and_its_group_goes_on(space):
    dark = space.group("dark", exposure_s=120.0)
    manifest = space.table("manifest")
    victim = manifest[manifest["group"] == dark]["path"].iloc[0]
    spoil(victim)
    before = space.masters()
    ended = space.run()
    # The master of all frames stays until the user says that fewer will do.
    assert ended.status == 1, ended.text
    assert space.masters() == before
    ended = space.run(publish={"fewer": "warn"})
    assert ended.status == 0, ended.text
    row = space.table("manifest").set_index("path").loc[victim]
    assert row["status"] == "set_aside"
    assert "truncated" in row["reason"] or "shorter" in row["reason"]
    assert space.verdict(dark)["n_combined"] == 4


def test_a_wrong_checksum_is_set_aside_with_its_reason_in_the_manifest(space):
    dark = space.group("dark", exposure_s=300.0)
    manifest = space.table("manifest")
    victim = manifest[manifest["group"] == dark]["path"].iloc[0]
    data = bytearray(Path(victim).read_bytes())
    data[-200:-100] = bytes(100)
    Path(victim).write_bytes(bytes(data))
    before = space.masters()
    ended = space.run()
    # The master of all frames stays until the user says that fewer will do.
    assert ended.status == 1, ended.text
    assert space.masters() == before
    ended = space.run(publish={"fewer": "warn"})
    assert ended.status == 0, ended.text
    row = space.table("manifest").set_index("path").loc[victim]
    assert row["status"] == "set_aside", row
    assert row["reason"]


def test_frames_gone_bad_leave_the_old_master_byte_for_byte(space):
    dark = space.group("dark", exposure_s=120.0)
    before = space.masters()
    manifest = space.table("manifest")
    for path in manifest[manifest["group"] == dark]["path"]:
        spoil(path)
    ended = space.run()
    assert space.masters() == before
    assert "Traceback" not in ended.text


def test_a_group_with_unreadable_pixels_fails_alone_and_again_without_integrating(space):
    dark = space.group("dark", exposure_s=300.0)
    before = space.masters()
    manifest = space.table("manifest")
    for path in manifest[manifest["group"] == dark]["path"]:
        data = bytearray(Path(path).read_bytes())
        data[-300:-100] = bytes(200)
        Path(path).write_bytes(bytes(data))
    ended = space.run()
    assert ended.status == 1
    assert dark in ended.text
    assert "Traceback" not in ended.text
    assert space.verdict(dark)["verdict"] == "fail"
    assert space.masters() == before
    again = space.run()
    assert again.status == 1
    assert again.of("integrate") == []
    assert dark in again.text


def test_a_killed_run_leaves_the_old_masters_byte_for_byte(space):
    before = space.masters()
    for path in space.frames.rglob("*"):
        if path.is_file():
            os.utime(path)
    process = subprocess.Popen(
        space.command(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    logs = space.results / "logs/integrate"
    began = time.time()
    while time.monotonic() < deadline:
        if any(path.stat().st_mtime > began for path in logs.glob("*.log")):
            break
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    after = space.masters()
    assert set(before) <= set(after)
    assert not [name for name in after if name not in before and not name.endswith(".part")]
    ended = space.run()
    assert ended.status == 0, "nothing has to be unlocked: " + ended.text
    assert set(space.masters()) == set(before)


def test_the_second_of_two_runs_stops_with_one_clear_line(space):
    with (space.results / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        ended = space.run()
    assert ended.status == 1
    assert "another run is at work" in ended.text
    assert "Traceback" not in ended.text


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"tolerence": 1}, "'tolerence' is unknown"),
        ({"session": {"flat": "3x"}}, "'session.flat' is '3x'; allowed: night, none, or a gap"),
        ({"source": "nowhere"}, "source folder 'nowhere' does not exist"),
        ({"integration": {"dark": {"rejection": "magic"}}}, "allowed: 'auto', 'none'"),
    ],
)
def test_a_bad_setting_names_key_value_and_what_is_allowed(space, config, said):
    ended = space.run(**config)
    assert ended.status == 1
    assert said in ended.text
    assert "Traceback" not in ended.text
    assert ended.jobs == []


def test_no_calibration_frames_at_all_says_what_was_looked_for(tmp_path):
    space = Workspace(tmp_path)
    space.frames.mkdir()
    (space.root / "config").mkdir()
    (space.root / "config/config.yaml").write_text("source: frames\nlibrary: library\n")
    take(space.frames, Series(FrameType.BIAS, 1, "2025-11-10T17:00:00"))
    (frame,) = [path for path in space.frames.rglob("*") if path.is_file()]
    with astropy.io.fits.open(frame, mode="update") as hdus:
        hdus[0].header["IMAGETYP"] = "Snapshot"
    ended = space.run()
    assert ended.status == 1
    assert "no calibration files found" in ended.text
    assert "IMAGETYP values found" in ended.text
    assert "Snapshot" in ended.text
    assert "Traceback" not in ended.text


def test_a_master_of_somebody_else_is_kept(space):
    dark = space.group("dark", exposure_s=120.0)
    master = space.library / space.verdict(dark)["master"]
    pixels, layout = read_image(master)
    master.unlink()
    write_master(
        master,
        pixels + 1,
        height=layout.height,
        channels=1,
        cards=[("IMAGETYP", "Master Dark", "")],
    )
    theirs = master.read_bytes()
    take(space.frames, Series(FrameType.DARK, 1, "2025-11-10T18:15:00", 120.0), seed=9)
    ended = space.run()
    assert master.read_bytes() == theirs
    assert "overwrite_foreign" in ended.text or "overwrite_foreign" in str(space.verdict(dark))
    ended = space.run(overwrite_foreign=True)
    assert ended.status == 0, ended.text
    assert master.read_bytes() != theirs


def test_the_library_may_be_on_another_file_system(space):
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == space.root.stat().st_dev:
        pytest.skip("no second file system at /dev/shm")
    with tempfile.TemporaryDirectory(dir=other) as folder:
        ended = space.run(library=folder)
        assert ended.status == 0, ended.text
        space.library = Path(folder)
        before = space.masters()
        assert len(before) == 7
        assert not [p for p in space.library.rglob("*") if p.is_symlink() or p.suffix == ".part"]
        assert space.run(library=folder).jobs == []

        # The candidates are links into the library now: a new one must not write through them.
        dark = space.group("dark", exposure_s=120.0)
        take(space.frames, Series(FrameType.DARK, 1, "2025-11-10T18:15:00", 120.0), seed=9)
        ended = space.run(library=folder, verify={"level_dark_fraction": {"warn": 0, "fail": 0}})
        assert ended.status == 1
        assert space.verdict(dark)["outcome"] == "refused"
        assert space.masters() == before
        ended = space.run(library=folder)
        assert ended.status == 0, ended.text
        after = space.masters()
        master = space.verdict(dark)["master"]
        assert after[master] != before[master]
        assert {name for name in before if after[name] != before[name]} == {master}


def test_a_read_only_source_is_enough(space):
    before = stamps(space.frames)
    for path in [space.frames, *space.frames.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    ended = space.run("--forceall")
    assert ended.status == 0, ended.text
    assert stamps(space.frames) == before


def test_a_source_mounted_read_only_is_enough(space):
    # Root may write where permissions forbid it, but not to such a mount.
    mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    in_mount = ["unshare", "--mount", "sh", "-c", mount, str(space.frames)]
    if subprocess.run([*in_mount, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("no permission to mount")
    touch = subprocess.run([*in_mount, "touch", space.frames / "new"], check=False)
    assert touch.returncode != 0
    ended = subprocess.run(
        [*in_mount, *space.command("--forceall")],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr


def stamps(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}


def test_dark_flats_of_another_scale_are_told(space):
    """One program writes 12 bits as they are, another shifts them to 16; no header says so."""
    manifest = space.table("manifest")
    group = space.group("darkflat", exposure_s=1.5)
    for path in manifest[manifest["group"] == group]["path"]:
        with astropy.io.fits.open(path, mode="update") as hdus:
            hdus[0].data = hdus[0].data * np.uint16(16)
    ended = space.run()
    assert ended.status == 1
    refused = space.verdict(group)
    assert refused["outcome"] == "refused"
    assert "its scale" in refused["reason"]

    # Who lets them in all the same is told at the flats.
    ended = space.run(verify={"dark_light": {"warn": 1e6, "fail": 1e6}})
    assert ended.status == 0, ended.text
    tests = {t["name"]: t for t in space.verdict(space.group("flat", filter="R"))["tests"]}
    assert (tests["inputs.scale_ratio"]["figure"], tests["inputs.scale_ratio"]["verdict"]) == (
        16.0,
        "warn",
    )

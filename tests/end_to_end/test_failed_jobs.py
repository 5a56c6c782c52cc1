"""Jobs that fail and files that are away: the next run makes up for it, and nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import astropy.io.fits
import numpy as np
import pytest
from observatory import REPO, Workspace, flats, take

from calibrary.explain.explain import explain_target
from calibrary.records import FrameType
from calibrary.simulate.series import Series

TABLES = ("manifest.csv", "groups.csv", "coverage.csv", "report.html")


def frames_of(space: Workspace, group: str) -> list[Path]:
    manifest = space.table("manifest")
    return [Path(path) for path in sorted(manifest[manifest["group"] == group]["path"])]


def spoil_pixels(path: Path) -> None:
    """Make an XISF frame's checksum wrong; header and size stay as they were."""
    data = bytearray(path.read_bytes())
    data[-300:-100] = bytes(200)
    path.write_bytes(bytes(data))


def row(space: Workspace, group: str) -> dict[str, str]:
    table = space.table("groups").set_index("group")
    return {key: str(value) for key, value in table.loc[group].items()}


def undisturbed(space: Workspace, tmp_path: Path) -> dict[str, bytes]:
    """What a run from nothing makes of the frames that are there."""
    fresh = Workspace(tmp_path / "fresh")
    shutil.copytree(space.root / "config", fresh.root / "config")
    ended = fresh.run(source=str(space.frames))
    assert ended.status == 0, ended.text
    return fresh.masters()


def kill_integrate(space: Workspace, group: str) -> int:
    """Start a run and kill the job that integrates `group`, as an out-of-memory killer does."""
    process = subprocess.Popen(
        space.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    log = space.results / f"logs/integrate/{group}.log"
    began = time.time()
    deadline = began + 60
    killed = False
    while not killed and time.monotonic() and time.time() < deadline and process.poll() is None:
        if log.exists() and log.stat().st_mtime >= began - 0.1:
            for pid in children(process.pid):
                if "integrate" in command_of(pid):
                    os.kill(pid, signal.SIGKILL)
                    killed = True
        time.sleep(0.005)
    process.communicate(timeout=120)
    assert killed, "the job was never seen"
    return process.returncode


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in found.stdout.splitlines()[1:]]
    wanted, below = {pid}, []
    for _ in range(4):
        new = [child for child, parent in pairs if parent in wanted and child not in below]
        below += new
        wanted |= set(new)
    return below


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the job below /proc")
def test_a_killed_integrate_of_a_rebuild_is_tried_again(space, tmp_path):
    dark = space.group("dark", exposure_s=120.0)
    before = space.masters()
    take(space.frames, Series(FrameType.DARK, 2, "2025-11-10T18:15:00", 120.0), seed=9)
    assert kill_integrate(space, dark) == 1
    assert space.masters() == before
    assert all((space.results / name).exists() for name in TABLES)
    told = row(space, dark)
    assert told["verdict"] == "fail"
    assert "killed" in told["reason"]
    assert told["master"], "the master before is still there"
    ended = space.run()
    assert ended.status == 0, ended.text
    assert ended.of("integrate") == [dark]
    assert space.verdict(dark)["n_combined"] == 7
    assert space.masters() == undisturbed(space, tmp_path)
    assert space.run().jobs == []


def test_an_integrate_that_failed_is_tried_again_after_the_frames_went_back(space):
    """The verdict of before is true again, but what it was judged by has gone."""
    dark = space.group("dark", exposure_s=120.0)
    before = space.masters()
    (space.results / f"candidates/{dark}.json").unlink()
    ended = space.run()
    assert ended.status == 0, ended.text
    assert ended.of("integrate") == [dark]
    assert space.masters() == before
    assert space.run().jobs == []


@pytest.fixture
def faults(tmp_path, monkeypatch):
    """Set what the system answers to processes of the runs that follow; empty: nothing more."""
    asked = tmp_path / "faults.json"
    paths = [str(REPO / "tests/faults/inject"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    monkeypatch.setenv("CALIBRARY_FAULTS", str(asked))

    def ask(*faults: dict[str, str]) -> None:
        asked.write_text(json.dumps(faults))

    return ask


@pytest.mark.parametrize("away", [4, 7])
def test_frames_that_cannot_be_reached_fail_the_job_and_publish_nothing(
    space, faults, tmp_path, away
):
    """A share hiccups while a master of 5 flats is made anew of 7."""
    flat = space.group("flat", filter="R")
    before = space.masters()
    take(space.frames, flats("R", "2025-11-10T16:04:00", 2), seed=77, first_number=900)
    named = sorted(space.frames.rglob("*_R_*"))
    assert len(named) == 7
    pattern = "|".join(path.name.replace(".", "[.]") for path in named[-away:])
    faults({"process": "integrate.py", "path": pattern, "error": "EIO"})
    ended = space.run()
    assert ended.status == 1, ended.text
    assert space.masters() == before
    told = row(space, flat)
    assert told["verdict"] == "fail"
    assert "Input/output error" in told["reason"]
    assert "Input/output error" in " ".join(explain_target(flat, space.results))
    faults()
    ended = space.run()
    assert ended.status == 0, ended.text
    assert ended.of("integrate") == [flat]
    assert space.verdict(flat)["n_combined"] == 7
    assert space.masters() == undisturbed(space, tmp_path)
    assert space.run().jobs == []


def test_a_rebuild_that_would_lose_frames_asks(space):
    dark = space.group("dark", exposure_s=300.0)
    flat = space.group("flat", filter="R")
    before = space.masters()
    there = frames_of(space, dark)
    spoil_pixels(there[1])
    ended = space.run()
    assert ended.status == 1, ended.text
    assert ended.of("integrate") == [dark]
    assert space.masters() == before
    verdict = space.verdict(dark)
    assert (verdict["verdict"], verdict["outcome"]) == ("fail", "refused")
    assert "made of 4 frames, the master in the library of 5" in verdict["reason"]
    assert there[1].name in verdict["reason"]
    assert "publish={fewer: warn}" in verdict["reason"]
    again = space.run()
    assert again.status == 1
    assert again.of("integrate") == []
    # Asked, and told to go on: nothing is integrated for that.
    ended = space.run(publish={"fewer": "warn"})
    assert ended.status == 0, ended.text
    assert ended.of("integrate") == []
    verdict = space.verdict(dark)
    assert (verdict["verdict"], verdict["outcome"]) == ("warn", "published")
    assert "made of 4 frames" in verdict["reason"]
    after = space.masters()
    assert {name for name in after if after[name] != before[name]} == {verdict["master"]}
    assert space.verdict(flat)["outcome"] == "published"


def test_frames_that_the_user_removed_are_asked_for_by_nobody(space):
    dark = space.group("dark", exposure_s=300.0)
    there = frames_of(space, dark)
    spoil_pixels(there[1])
    assert space.run().status == 1
    there[1].unlink()
    ended = space.run()
    assert ended.status == 0, ended.text
    assert ended.of("integrate") == [dark]
    assert space.verdict(dark)["n_combined"] == 4
    assert space.run().jobs == []


def test_a_frame_that_came_back_is_in_the_master_again(space):
    dark = space.group("dark", exposure_s=300.0)
    before = space.masters()
    there = frames_of(space, dark)
    stat, good = there[1].stat(), there[1].read_bytes()
    spoil_pixels(there[1])
    assert space.run().status == 1
    there[1].write_bytes(good)
    os.utime(there[1], ns=(stat.st_atime_ns, stat.st_mtime_ns))
    ended = space.run()
    assert ended.status == 0, ended.text
    assert space.masters() == before
    # The master is now one that the library had before: the plan is made once more, nothing else.
    assert set(space.run().jobs) <= {"conclude", "plan"}
    assert space.run().jobs == []


def samples(path: Path) -> np.ndarray:
    with astropy.io.fits.open(path) as hdus:
        return hdus[0].data.astype(np.uint16)


def rewrite(path: Path, data: np.ndarray, **cards: object) -> None:
    """Write a frame anew with other samples, under the header that it had."""
    with astropy.io.fits.open(path) as hdus:
        header = hdus[0].header.copy()
    for keyword in ("BZERO", "BSCALE", "CHECKSUM", "DATASUM"):
        header.remove(keyword, ignore_missing=True)
    hdu = astropy.io.fits.PrimaryHDU(data, header)
    hdu.writeto(path, overwrite=True)
    for keyword, value in cards.items():
        text = path.read_bytes()
        card = astropy.io.fits.Card(keyword, value).image.encode()
        at = text.index(keyword.encode().ljust(8) + b"=")
        path.write_bytes(text[:at] + card + text[at + 80 :])


@pytest.mark.parametrize("odd", ["int16", "bzero", "compressed"])
def test_one_odd_frame_fails_no_group(space, odd):
    dark = space.group("dark", exposure_s=120.0)
    before = space.masters()
    victim = frames_of(space, dark)[2]
    if odd == "int16":
        rewrite(victim, samples(victim).astype(np.int16))
    elif odd == "bzero":
        rewrite(victim, samples(victim), BZERO=32768.5)
    else:
        data = samples(victim).astype(np.int16)
        with astropy.io.fits.open(victim) as hdus:
            header = hdus[0].header.copy()
        for keyword in ("BZERO", "BSCALE", "CHECKSUM", "DATASUM"):
            header.remove(keyword, ignore_missing=True)
        packed = astropy.io.fits.CompImageHDU(data, header, compression_type="RICE_1")
        packed.writeto(victim.with_name(victim.name + ".fz"))
        victim.unlink()
    ended = space.run()
    assert ended.status == 0, ended.text
    assert ended.of("integrate") == [dark]
    assert space.verdict(dark)["n_combined"] == 4
    assert space.masters()[space.verdict(dark)["master"]] != before[space.verdict(dark)["master"]]
    table = space.table("groups")
    (alone,) = table[(table["frame_type"] == "dark") & (table["n_frames"] == 1)].to_dict("records")
    assert "1 frame, 3 are required" in alone["reason"]
    assert space.run().jobs == []


def test_two_kinds_half_and_half_are_all_named_and_the_report_comes(space):
    """12 bits as they are beside the same shifted to 16: no header tells."""
    take(space.frames, Series(FrameType.DARK, 3, "2025-11-10T18:15:00", 120.0), seed=9)
    space.run()
    dark = space.group("dark", exposure_s=120.0)
    before = space.masters()
    names = []
    for path in frames_of(space, dark)[:4]:
        data = samples(path)
        rewrite(path, (data // np.uint16(16)) * np.uint16(16))
        names.append(path.name)
    for path in frames_of(space, dark)[4:]:
        # Levels alike, so that nothing but the steps of the samples tells them apart.
        names.append(path.name)
    for name in TABLES:
        (space.results / name).unlink()
    ended = space.run()
    assert ended.status == 1, ended.text
    assert all((space.results / name).exists() for name in TABLES)
    reason = row(space, dark)["reason"]
    assert "samples of 12 bits shifted up to 16" in reason
    assert all(name in reason for name in names)
    assert dark in ended.text
    assert reason in " ".join(explain_target(dark, space.results))
    assert space.masters() == before
    again = space.run()
    assert again.status == 1
    assert again.of("integrate") == []


def test_a_job_that_fails_for_whatever_reason_is_a_row_with_that_reason(space, faults):
    dark = space.group("dark", exposure_s=120.0)
    before = space.masters()
    take(space.frames, Series(FrameType.DARK, 1, "2025-11-10T18:15:00", 120.0), seed=9)
    faults({"process": "integrate.py", "path": r"[.]part$", "error": "ENOSPC"})
    for name in TABLES:
        (space.results / name).unlink()
    ended = space.run()
    assert ended.status == 1, ended.text
    assert all((space.results / name).exists() for name in TABLES)
    told = row(space, dark)
    assert (told["verdict"], "No space left" in told["reason"]) == ("fail", True), told
    assert (space.table("groups")["verdict"] == "fail").sum() == 1
    assert space.masters() == before
    faults()
    ended = space.run()
    assert ended.status == 0, ended.text
    assert ended.of("integrate") == [dark]
    assert space.run().jobs == []

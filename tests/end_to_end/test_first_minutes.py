"""The first ten minutes of somebody who has only the wheel, on a terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from observatory import REPO, flats, take

from calibrary.integrate.compiling import CACHE_VARIABLE, cache_folder
from calibrary.records import FrameType
from calibrary.simulate.series import Series

pexpect = pytest.importorskip("pexpect")
pytest.importorskip("hatchling", reason="the wheel is built without isolation")

COLUMNS = 100


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of a fresh environment with the wheel, far from the clone.

    Its dependencies are those of this environment: only Calibrary comes from the wheel.
    """
    root = tmp_path_factory.mktemp("fresh")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", root, REPO], check=True
    )
    (wheel,) = root.glob("calibrary-*.whl")
    venv.create(root / "venv", symlinks=True)
    scheme = {"base": str(root / "venv"), "platbase": str(root / "venv")}
    site = Path(sysconfig.get_path("purelib", vars=scheme))
    subprocess.run([*pip, "install", "--no-deps", "--target", site, wheel], check=True)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return root / "venv"


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk with the frames of an evening; one exposure has no dark-flats."""
    root = tmp_path_factory.mktemp("media")
    take(
        root / "Astro",
        flats("R", "2025-11-10T16:00:00"),
        flats("Ha", "2025-11-10T16:10:00", exposure_s=8.0),
        Series(FrameType.DARKFLAT, 5, "2025-11-10T16:20:00", 1.5),
        Series(FrameType.BIAS, 6, "2025-11-10T17:00:00"),
        Series(FrameType.DARK, 5, "2025-11-10T18:00:00", 120.0),
    )
    return root


class Person:
    """Somebody at a terminal of 100 columns."""

    def __init__(self, installed: Path, disk: Path, home: Path, kernels: Path) -> None:
        self.python = installed / "bin" / "python"
        self.disk = disk
        self.env = {
            key: value
            for key, value in os.environ.items()
            if key not in ("PYTHONPATH", "NO_COLOR", "CI", "CALIBRARY_HOME")
        } | {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_CACHE_HOME": str(home / "cache"),
            CACHE_VARIABLE: str(kernels),
            "TERM": "xterm",
            "COLUMNS": str(COLUMNS),
        }

    def types(self, *words: str) -> tuple[int, str, list[str]]:
        """Return exit status, what stands on the screen at the end, and all that was ever shown."""
        shown = pexpect.run(
            " ".join([str(self.python), "-m", "calibrary", *words]),
            env=self.env,
            cwd=str(self.disk),
            timeout=420,
            withexitstatus=True,
        )
        text, status = shown[0].decode(), shown[1]
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
        ever = [line.rstrip() for line in re.split(r"[\r\n]+", plain) if line.strip()]
        return status, _screen(text), ever


def _screen(text: str) -> str:
    """Return what stands on a terminal after `text`, for the few codes that Rich uses."""
    lines, row, column = [""], 0, 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", text):
        if part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == "\r":
            column = 0
        elif part.endswith("A") and part.startswith("\x1b["):
            row = max(0, row - int(part[2:-1] or 1))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif not part.startswith("\x1b"):
            lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + len(part) :]
            column += len(part)
    return "\n".join(line.rstrip() for line in lines if line.strip())


@pytest.mark.parametrize(
    "kernels", ["compiled before", pytest.param("fresh", marks=pytest.mark.slow)]
)
def test_the_first_ten_minutes(installed, disk, tmp_path, kernels):
    fresh = kernels == "fresh"
    cache = tmp_path / "kernels" if fresh else cache_folder().parent
    library = tmp_path / "Masters"
    person = Person(installed, disk, tmp_path / "home", cache)

    status, screen, _ = person.types("check", "Astro")
    assert status == 0, screen
    assert screen.splitlines()[:3] == [
        "26 files: 6 bias, 5 darks, 5 dark-flats, 10 flats",
        '1 camera: QHY600M on Edge HD 8"',
        screen.splitlines()[2],
    ]
    assert re.fullmatch(
        r"would build 5 masters: 449 kB to read, (less than a minute|about \d min), "
        r"123 kB of masters",
        screen.splitlines()[2],
    )
    assert "no dark-flats match: a bias will be used" in screen
    assert "shoot dark-flats of 8 s, or go on" in screen
    assert not any((tmp_path / "home").rglob("config.yaml")), "looking is not remembered"

    status, screen, ever = person.types("run", "Astro", str(library))
    assert status == 0, screen
    assert any("reading" in line for line in ever)
    if fresh:
        assert any("preparing the integration for this computer (once" in line for line in ever)
    bars = [m for line in ever for m in re.findall(r"(█*)░*  (\d) of 5 · .+ · .+ of 449 kB", line)]
    assert bars
    assert [len(bar) for bar, _ in bars] == sorted(len(bar) for bar, _ in bars), (
        "it never goes back"
    )
    assert all(len(line) <= COLUMNS for line in ever if "█" in line)
    lines = screen.splitlines()
    assert lines[0].startswith("5 built: 5 need attention")
    assert all(line.startswith(("!", "    ")) for line in lines[1:-1])
    assert "45 more" not in lines[0]
    assert "shoot 44 more" in screen
    assert lines[-1] == f"report {library / 'report.html'}"
    assert (library / "report.html").stat().st_size > 10_000
    assert len(list(library.rglob("*.xisf"))) == 5
    for word in ("Snakemake", "jobs", "rule", "DAG", "profile", "checkpoint"):
        assert word not in " ".join(ever), word

    status, again, ever = person.types("run")
    assert status == 0, again
    assert again.splitlines()[0] == "5 masters up to date: 5 need attention"
    assert again.splitlines()[1:] == lines[1:], "the same end"

    status, screen, _ = person.types("report", "--no-open")
    assert screen == str(library / "report.html")
    status, screen, _ = person.types("doctor")
    assert status == 0, screen
    assert str(library) in screen


def test_a_folder_without_frames_ends_in_one_plain_line(installed, disk, tmp_path):
    person = Person(installed, disk, tmp_path / "home", cache_folder().parent)
    (tmp_path / "empty").mkdir()
    status, screen, _ = person.types("run", str(tmp_path / "empty"), str(tmp_path / "lib"))
    assert status == 1
    said = screen.replace("\n", " ")
    assert "is the disk plugged in?" in said
    assert said.count("no calibration files found") == 1
    assert "log " in said
    assert "Exception" not in said
    status, screen, _ = person.types("run", str(tmp_path / "nowhere"), str(tmp_path / "lib"))
    assert status == 1
    assert "no such folder" in screen
    status, screen, _ = person.types("run", "Astro")
    assert "give the folder of the library too" in screen

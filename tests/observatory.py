"""A small observatory in a folder of its own, and the plain command run on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from calibrary.records import FrameType
from calibrary.simulate.night import mono_camera
from calibrary.simulate.scene import Scene
from calibrary.simulate.series import Series, write_series

REPO = Path(__file__).resolve().parents[1]
SIZE = (96, 64)


@dataclass
class Ended:
    """A run that has ended: its exit status, what it printed, and the jobs that succeeded."""

    status: int
    text: str
    jobs: list[str]

    def of(self, rule: str) -> list[str]:
        """The groups for which a rule ran."""
        return sorted(job.split("/")[1] for job in self.jobs if job.startswith(rule + "/"))


class Workspace:
    """Frames, library and results below one folder, as a user would have them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.frames = root / "frames"
        self.library = root / "library"
        self.results = root / "results"

    def command(self, *arguments: str, **config: object) -> list[str]:
        settings = {"source": "frames", "library": "library", **config}
        return [
            str(Path(sys.executable).with_name("snakemake")),
            *("--snakefile", str(REPO / "Snakefile"), "--directory", str(self.root)),
            *("--workflow-profile", str(REPO / "profiles/default")),
            *("--cores", "2", *arguments),
            *("--config", *(f"{key}={_plain(value)}" for key, value in settings.items())),
        ]

    def run(self, *arguments: str, timeout: int = 300, **config: object) -> Ended:
        """Run the workflow and tell which jobs ran, by the benchmark files they wrote."""
        before = self._benchmarks()
        done = subprocess.run(
            self.command(*arguments, **config),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            env={**os.environ, "NO_COLOR": "1"},
        )
        after = self._benchmarks()
        ran = [name for name, stamp in after.items() if before.get(name) != stamp]
        return Ended(done.returncode, done.stdout, sorted(ran))

    def _benchmarks(self) -> dict[str, int]:
        folder = self.results / "benchmarks"
        return {
            str(path.relative_to(folder).with_suffix("")): path.stat().st_mtime_ns
            for path in folder.rglob("*.tsv")
        }

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.results / f"{name}.csv", keep_default_na=False)

    def verdict(self, group: str) -> dict:
        return json.loads((self.results / f"verify/{group}.json").read_text())

    def masters(self) -> dict[str, bytes]:
        """Every file of the library with its bytes."""
        return {
            str(path.relative_to(self.library)): path.read_bytes()
            for path in sorted(self.library.rglob("*"))
            if path.is_file()
        }

    def group(self, kind: str, **keys: object) -> str:
        """The one group of a type with these keys."""
        table = self.table("groups")
        found = table[table["frame_type"] == kind]
        for key, value in keys.items():
            found = found[found[key].astype(str) == str(value)]
        assert len(found) == 1, found
        return str(found["group"].iloc[0])


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def take(folder: Path, *series: Series, seed: int = 1, first_number: int = 1) -> list[Path]:
    """Let the demo's mono camera take frames into a folder."""
    camera = mono_camera(SIZE)
    paths = []
    for index, one in enumerate(series):
        number = first_number + 100 * index
        paths += write_series(folder, camera, one, seed=seed + index, first_number=number)
    return paths


def flats(name: str, start: str, count: int = 5, exposure_s: float = 1.5) -> Series:
    return Series(FrameType.FLAT, count, start, exposure_s, filter=name, scene=Scene(0.5, seed=3))

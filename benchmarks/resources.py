"""Set declared beside used resources: ``python -m benchmarks.resources``.

Runs the workflow in a temporary folder on groups of many sizes (about 10 GB of frames). Times are
those of Snakemake's ``benchmark`` files. The peak of memory is Linux's own: Snakemake looks at a
job twice a second at most and misses what is held for less. Appends to ``benchmarks/RESULTS.md``.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from calibrary.records import FrameType
from calibrary.simulate.files import write_fits, write_xisf
from calibrary.simulate.headers import NINA, Facts

REPO = Path(__file__).resolve().parents[1]
RESULTS = REPO / "benchmarks/RESULTS.md"
LARGE_MB = 600
"""Declared memory from which on a group is large: what Python itself takes is no more the most."""


@dataclass(frozen=True)
class Lot:
    """Frames that become one group; exposure and type tell the groups apart."""

    frame_type: FrameType
    count: int
    width: int
    height: int
    exposure_s: float
    packing: str = "fits"


LOTS = (
    Lot(FrameType.DARK, 20, 128, 96, 1.0),
    Lot(FrameType.DARK, 20, 1280, 960, 2.0),
    Lot(FrameType.DARK, 20, 4144, 2822, 3.0),
    Lot(FrameType.BIAS, 100, 4144, 2822, 0.0),
    Lot(FrameType.DARKFLAT, 20, 4144, 2822, 0.5),
    Lot(FrameType.FLAT, 20, 4144, 2822, 0.5),
    Lot(FrameType.DARK, 30, 6248, 4176, 4.0),
    Lot(FrameType.DARKFLAT, 20, 6248, 4176, 0.7),
    Lot(FrameType.FLAT, 20, 6248, 4176, 0.7),
    Lot(FrameType.DARK, 20, 6248, 4176, 5.0, "xisf"),
    Lot(FrameType.DARK, 20, 6248, 4176, 6.0, "xisf lz4"),
    Lot(FrameType.DARK, 20, 9576, 6388, 7.0),
)


def write_lot(folder: Path, lot: Lot) -> None:
    """Write the frames of a group: one noise, shifted from frame to frame."""
    level = 30000.0 if lot.frame_type is FrameType.FLAT else 500.0
    rng = np.random.default_rng([LOTS.index(lot), lot.width])
    noise = rng.normal(level, 8.0, (lot.height, lot.width)).clip(0, 65535).astype(np.uint16)
    for index in range(lot.count):
        facts = Facts(
            frame_type=lot.frame_type,
            camera=f"Camera {lot.width}",
            telescope="Newton 200",
            start=datetime(2025, 11, 10, 18, tzinfo=UTC) + timedelta(seconds=10 * index),
            exposure_s=lot.exposure_s,
            set_temp_c=-10.0,
            ccd_temp_c=-10.0,
            gain=100,
            offset=50,
            egain=0.25,
            number=index + 1,
            filter="L",
        )
        # A prime step: no two frames share a pixel's noise.
        data = np.roll(noise, 7919 * (index + 1))
        suffix = ".fits" if lot.packing == "fits" else ".xisf"
        path = folder / f"{lot.frame_type}_{lot.width}_{lot.exposure_s}_{index:04d}{suffix}"
        if lot.packing == "fits":
            write_fits(path, data, NINA.keywords(facts))
        else:
            write_xisf(
                path,
                data,
                NINA.keywords(facts),
                {},
                image_type=NINA.image_type[lot.frame_type],
                creator="N.I.N.A.",
                compress=lot.packing.endswith("lz4"),
            )


class Peaks:
    """The highest resident memory of each integration, MiB by group; a context manager.

    A job is known by its log, which it holds open.
    """

    def __init__(self) -> None:
        self.mib: Counter[str] = Counter()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Peaks:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(0.05):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    if b".integrate.py" in (process / "cmdline").read_bytes():
                        self._look(process)
                except OSError:  # it has ended
                    continue

    def _look(self, process: Path) -> None:
        logs = [path for path in map(os.readlink, (process / "fd").iterdir()) if "/logs/" in path]
        lines = (process / "status").read_text().splitlines()
        for log in logs:
            peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
            self.mib[Path(log).stem] = max(self.mib[Path(log).stem], peak // 1024)


def run(root: Path) -> Counter[str]:
    """Run the workflow and return the peak of each integration; verdicts are of no interest."""
    with Peaks() as peaks:
        _run(root)
    return peaks.mib


def _run(root: Path) -> None:
    subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--cores", "2", "--directory", root),
            *("--snakefile", REPO / "Snakefile"),
            *("--workflow-profile", REPO / "profiles/default"),
            *("--config", "source=frames", "library=library", "publish=all"),
        ],
        check=True,
        stdout=sys.stderr,
    )


def rows(results: Path, peaks: Counter[str]) -> list[str]:
    """Return the table's rows, one a group."""
    groups = json.loads((results / "plan/groups.json").read_text())
    lots = {(lot.frame_type, lot.width, lot.exposure_s): lot for lot in LOTS}
    table = []
    for group in sorted(groups, key=lambda group: (group["mem_mb"], group["group"])):
        with (results / f"benchmarks/integrate/{group['group']}.tsv").open() as lines:
            used = next(csv.DictReader(lines, delimiter="\t"))
        keys = group["keys"]
        lot = lots[group["frame_type"], keys["width"], keys["exposure_s"]]
        declared, peak = group["mem_mb"], peaks[group["group"]]
        told = "above declared" if peak > declared else ""
        if declared >= LARGE_MB and declared > 2 * peak:
            told = "declared more than twice used"
        table.append(
            f"| {group['n_frames']} × {keys['width']} × {keys['height']} {lot.frame_type}, "
            f"{lot.packing} | {declared} | {peak} | {declared / peak:.2f} "
            f"| {group['threads']} | {float(used['cpu_time']):.1f} "
            f"| {group['runtime_min']} | {float(used['s']):.1f} | {told} |"
        )
    return table


HEAD = """
## Declared beside used, {date}

{cores} processors, two jobs at a time (`python -m benchmarks.resources`). Memory in MiB.

| group | declared | used, peak | ratio | threads | processor, s | declared, min | wall, s | |
|---|---|---|---|---|---|---|---|---|
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dry", action="store_true", help="do not append to RESULTS.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        for lot in LOTS:
            write_lot(root / "frames", lot)
        (root / "config").mkdir()
        (root / "config/config.yaml").write_text("source: frames\nlibrary: library\n")
        table = rows(root / "results", run(root))
    text = HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", cores=os.cpu_count())
    text += "\n".join(table) + "\n"
    print(text)
    if not arguments.dry:
        with RESULTS.open("a", encoding="utf-8") as out:
            out.write(text)


if __name__ == "__main__":
    main()

"""Time the DAG with many thousands of frames: ``python -m benchmarks.scale [FRAMESxGROUPS ...]``.

Frames are tiny files in a temporary folder. The workflow is a copy of the real one but for the
integration, whose script only puts down a master and figures made once by the real one. Results
are appended to ``benchmarks/RESULTS.md``.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from calibrary.simulate.tree import write_tiny_tree

REPO = Path(__file__).resolve().parents[1]
RESULTS = REPO / "benchmarks/RESULTS.md"
SIZES = ("10000x200", "100000x2000")
CORES = 2
GROUPS_A_NIGHT = 10
ALONE = ("index", "plan", "report", "conclude")
"""Jobs beside which no other runs."""

GOALS = {
    ("10000x200", "nothing to do"): "≤ 6 s",
    ("100000x2000", "nothing to do"): "≤ 10 s, < 1000 MB",
    ("100000x2000", "one frame added"): "≤ 30 s, < 1000 MB",
    ("100000x2000", "first run"): "≤ 0.15 s a group beyond the jobs, < 1000 MB",
}

STAND_IN = '''
"""Stands in for the integration: a master of the same type, under the group's own digest."""

import json
import os
from pathlib import Path

measured = Path(snakemake.output.measured)
sheet = json.loads(
    (measured.parents[1] / f"plan/sheets/{snakemake.wildcards.group}.json").read_text()
)
template = Path(os.environ["TEMPLATES"]) / sheet["frame_type"]
digest = template.with_suffix(".digest").read_text()
master = template.with_suffix(".xisf").read_bytes()
measured.with_suffix(".xisf").write_bytes(master.replace(digest.encode(), sheet["digest"].encode()))
record = json.loads(template.with_suffix(".json").read_text())
record["group"] = sheet["group"]
if record["calibrator"]:
    record["calibrator"].update({key: sheet["calibrator"][key] for key in ("group", "master")})
measured.write_text(json.dumps(record))
Path(snakemake.output.preview).write_bytes(template.with_suffix(".jpg").read_bytes())
'''


@dataclass
class Ended:
    """A run: wall time in s, peak memory of the main process in MB, and the jobs that ran."""

    seconds: float
    peak_mb: float
    jobs: dict[Path, float]
    """Own wall time of each job, s, by the benchmark file that tells it."""

    def beyond_jobs_s(self) -> float:
        """Return what the run took beyond its jobs; those of groups share the processors."""
        shared = sum(time for path, time in self.jobs.items() if path.stem not in ALONE)
        return self.seconds - shared / CORES - (sum(self.jobs.values()) - shared)


@dataclass
class Site:
    """A folder with frames, library and results, and the workflow that runs on them."""

    root: Path
    workflow: Path

    def __post_init__(self) -> None:
        (self.root / "config").mkdir(parents=True)
        text = "source: frames\nlibrary: library\n"
        (self.root / "config/config.yaml").write_text(text)

    def run(self, *arguments: str) -> Ended:
        """Run the workflow as a user does."""
        before = self._benchmarks()
        log = self.root / "run.log"
        begin = time.perf_counter()
        with log.open("wb") as out:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "snakemake", "--cores", str(CORES), *arguments),
                    *("--snakefile", self.workflow / "Snakefile"),
                    *("--workflow-profile", REPO / "profiles/default"),
                ],
                cwd=self.root,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, "TEMPLATES": str(self.workflow / "templates")},
            )
            peak = _Peak(process.pid)
            status = process.wait()
        seconds = time.perf_counter() - begin
        if status != 0:
            sys.exit(f"{log.read_text(errors='replace')[-3000:]}\nthe workflow failed")
        after = self._benchmarks()
        ran = {path: _seconds(path) for path, stamp in after.items() if before.get(path) != stamp}
        return Ended(seconds, peak.stop(), ran)

    def _benchmarks(self) -> dict[Path, int]:
        folder = self.root / "results/benchmarks"
        return {path: path.stat().st_mtime_ns for path in folder.rglob("*.tsv")}


class _Peak:
    """The highest resident memory of a process, asked of Linux while it lives."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._kb = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> float:
        """Return the peak in MB."""
        self._end.set()
        self._thread.join()
        return self._kb * 1024 / 1e6

    def _watch(self) -> None:
        while not self._end.wait(0.1):
            try:
                lines = self._status.read_text().splitlines()
            except OSError:
                return
            peaks = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
            self._kb = max([self._kb, *peaks])


def _seconds(path: Path) -> float:
    with path.open() as lines:
        return sum(float(row["s"]) for row in csv.DictReader(lines, delimiter="\t"))


def prepare_workflow(folder: Path) -> Path:
    """Copy the workflow, with the stand-in and what it puts down: one real night's masters."""
    folder.mkdir(parents=True)
    shutil.copy(REPO / "Snakefile", folder)
    shutil.copytree(REPO / "workflow", folder / "workflow")
    night = Site(folder / "night", folder)
    write_tiny_tree(night.root / "frames", GROUPS_A_NIGHT, 50)
    night.run()
    results, templates = night.root / "results", folder / "templates"
    templates.mkdir()
    for group in json.loads((results / "plan/groups.json").read_text()):
        to = templates / group["frame_type"]
        shutil.copy(results / f"candidates/{group['group']}.xisf", to.with_suffix(".xisf"))
        shutil.copy(results / f"candidates/{group['group']}.json", to.with_suffix(".json"))
        shutil.copy(results / f"previews/{group['group']}.jpg", to.with_suffix(".jpg"))
        to.with_suffix(".digest").write_text(group["digest"])
    (folder / "workflow/scripts/integrate.py").write_text(STAND_IN)
    return folder


def measure(size: str, workflow: Path, root: Path) -> list[str]:
    """Return one row of the table for each kind of run on a tree of this size."""
    frames, groups = map(int, size.split("x"))
    site = Site(root, workflow)
    write_tiny_tree(site.root / "frames", groups, frames // groups)
    rows = [_row(size, groups, "first run", site.run())]
    rows.append(_row(size, groups, "nothing to do", site.run()))
    _add_frame(site.root / "frames")
    rows.append(_row(size, groups, "one frame added", site.run()))
    return rows


def _add_frame(frames: Path) -> None:
    """Write one more frame of some group; its last byte differs, or it would be a copy."""
    first = min(frames.rglob("*.fits"))
    first.with_name(f"one_more_{first.name}").write_bytes(first.read_bytes()[:-1] + b"\1")


def _row(size: str, groups: int, what: str, ended: Ended) -> str:
    each = f"{ended.beyond_jobs_s() / groups:.3f}" if what == "first run" else ""
    goal = GOALS.get((size, what), "")
    frames, groups_text = size.split("x")
    row = (
        f"| {int(frames):,} in {int(groups_text):,} | {what} | {len(ended.jobs)} "
        f"| {ended.seconds:.1f} | {each} | {ended.peak_mb:.0f} | {goal} |"
    )
    print(row, flush=True)
    return row


HEAD = """
## The DAG, {date}

{cores} processors; frames of 16 × 16 pixels, integration left out (`python -m benchmarks.scale`).

| frames in groups | run | jobs | wall, s | beyond the jobs, s a group | main process, MB | goal |
|---|---|---|---|---|---|---|
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", default=SIZES, metavar="FRAMESxGROUPS")
    parser.add_argument("--dry", action="store_true", help="do not append to RESULTS.md")
    parser.add_argument("--scratch", type=Path, help="a folder to work in, kept afterwards")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        scratch = arguments.scratch or Path(temporary)
        workflow = prepare_workflow(scratch / "workflow")
        rows = [row for size in arguments.sizes for row in measure(size, workflow, scratch / size)]
    if not arguments.dry:
        head = HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", cores=os.cpu_count())
        with RESULTS.open("a", encoding="utf-8") as out:
            out.write(head + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()

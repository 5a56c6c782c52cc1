"""Time the index: ``python -m benchmarks.headers [FILES]`` (10,000 by default).

Each step runs in a fresh interpreter, so that what it must import counts. Memory is the peak of
the process and of its workers together, upper bound: the sum of each one's own peak.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CARDS = 80
GOALS = {"first index": 8.0, "index, nothing new": 1.0}
"""Seconds for 10,000 files on two processors."""
GOAL_MB = 300
_FOLDER_FILES = 500

_STEP = """
import json, os, resource, sys, time
begin = time.perf_counter()
from pathlib import Path
from calibrary.manifest import index_frames
frames = index_frames([sys.argv[1]], Path(sys.argv[2]))
seconds = time.perf_counter() - begin
kb = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
cpu = sum(os.times()[:4])
mb = {"self_mb": kb[0] / 1e3, "worker_mb": kb[1] / 1e3}
print(json.dumps({"frames": len(frames), "seconds": seconds, "cpu": cpu} | mb))
"""
_SCAN = """
import json, os, resource, sys, time
begin = time.perf_counter()
from calibrary.manifest import scan, tree_digest
digest = tree_digest(scan([sys.argv[1]]))
seconds = time.perf_counter() - begin
mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
print(json.dumps({"seconds": seconds, "cpu": sum(os.times()[:4]), "self_mb": mb}))
"""


def make_files(root: Path, count: int) -> None:
    """Write FITS files of 80 cards and a small image, 500 a folder."""
    fixed = [
        *("BZERO   = 32768", "IMAGETYP= 'DARK'", "EXPTIME = 120.0", "EXPOSURE= 120.0"),
        *("XBINNING= 1", "YBINNING= 1", "GAIN    = 100", "OFFSET  = 50", "EGAIN   = 0.2471"),
        *("SET-TEMP= -10.0", "CCD-TEMP= -9.8", "INSTRUME= 'QHY268M'", "TELESCOP= 'Edge HD 8'"),
        *("FILTER  = 'Ha'", "READOUTM= 'High Gain Mode'", "USBLIMIT= 10"),
        *("ROWORDER= 'TOP-DOWN'", "SWCREATE= 'N.I.N.A. 3.1.2.9001 (x64)'"),
    ]
    first = ["SIMPLE  = T", "BITPIX  = 16", "NAXIS   = 2", "NAXIS1  = 32", "NAXIS2  = 24"]
    rest = [f"KEY{n:<5}= {n * 1.5:20.6f} / one of many" for n in range(CARDS - len(fixed) - 7)]
    body = "".join(card.ljust(80) for card in [*first, *fixed, *rest])
    for number in range(count):
        folder = root / f"night{number // _FOLDER_FILES:04d}"
        if number % _FOLDER_FILES == 0:
            folder.mkdir(parents=True)
        hour, minute, second = number // 3600 % 24, number // 60 % 60, number % 60
        date = f"DATE-OBS= '2025-01-02T{hour:02d}:{minute:02d}:{second:02d}.{number % 1000:03d}'"
        text = (body + date.ljust(80) + "END".ljust(80)).encode()
        text = text.ljust(-(-len(text) // 2880) * 2880)
        (folder / f"dark_{number:06d}.fits").write_bytes(text + bytes(2880))


def step(code: str, *arguments: str) -> dict[str, float]:
    """Run a step in a fresh interpreter and return what it measured."""
    command = [sys.executable, "-c", code, *arguments]
    result: dict[str, float] = json.loads(subprocess.check_output(command))
    return result


def rows(count: int = 10_000) -> list[tuple[str, float, float, float]]:
    """Return step, seconds, seconds of processor time and peak MB for `count` files."""
    with tempfile.TemporaryDirectory() as folder:
        source, cache = f"{folder}/source", f"{folder}/headers.sqlite"
        make_files(Path(source), count)
        measured: list[tuple[str, float, float, float]] = []
        for name in GOALS:
            told = step(_STEP, source, cache)
            workers = min(count // 1000, os.cpu_count() or 1) if name == "first index" else 0
            peak = told["self_mb"] + workers * told["worker_mb"]
            measured.append((name, told["seconds"], told["cpu"], peak))
        told = step(_SCAN, source)
        measured.append(("scan and digest", told["seconds"], told["cpu"], told["self_mb"]))
    return measured


def table(count: int = 10_000) -> str:
    """Return the measurements as a Markdown table."""
    lines = [
        f"| headers of {count:,} FITS files, {CARDS} cards | s | goal | CPU s | peak MB | goal |",
        "|---|---|---|---|---|---|",
    ]
    for name, seconds, cpu, peak in rows(count):
        goal = f"{GOALS[name] * count / 10_000:.1f}" if name in GOALS else ""
        lines.append(f"| {name} | {seconds:.2f} | {goal} | {cpu:.2f} | {peak:.0f} | {GOAL_MB} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))

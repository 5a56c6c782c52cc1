"""Calibrary's own work as measured processes, whole or the integration alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.frames import DATA

INTEGRATE = """
import sys, time
from pathlib import Path
from calibrary.integrate.choice import resolve
from calibrary.integrate.engine import integrate
from calibrary.integrate.kernels import compiled_kernel
from calibrary.integrate.methods import family_of, number_of
from calibrary.records import FrameType
paths, method, profile = sys.argv[1].split(","), sys.argv[2], sys.argv[3]
flat = sys.argv[4] == "flat"
kind = FrameType.FLAT if flat else FrameType.DARK
given = resolve(kind, len(paths), {"profile": profile, "rejection": method,
    "normalization": "multiplicative" if flat else "none"})
dark = Path(sys.argv[5]) if flat else None
# Loading the program is part of its start, as with the peers.
compiled_kernel(not flat, family_of(number_of(method, given["definition"] == "siril")))
made = integrate([Path(p) for p in paths], given, calibrator=dark, threads=2, mem_mb=600)
print("integration", made.seconds)
"""
KERNEL = """
import sys, time
import numpy as np
from calibrary.integrate import kernels, methods
from calibrary.integrate.choice import Rejection
from calibrary.integrate.job import _rule
from calibrary.integrate.network import sorting_network
from calibrary.integrate.resources import tile_pixels
n, width, rows = 30, 6248, 20
stack = np.random.default_rng(0).normal(1000, 8, (n, rows * width)).round().astype(np.uint16)
stored = (stack ^ 0x8000).byteswap()
source = (stored, np.empty((n, 0), np.float32), True, np.uint16(0x8000),
    np.zeros(0, np.float32), np.zeros((0, 1)), np.zeros((rows, 2), np.int32), False)
halves = np.zeros((0, 1, width), np.float32)
sampling = (np.full(rows, -1, np.int32), np.zeros(0, np.int32), halves)
rule = _rule(Rejection("sigma", 4.0, 3.0), n, True)
kernel = kernels.compiled_kernel(True, methods.family_of(rule[0]))
tiles = kernels.working_arrays(True, n, width, tile_pixels(n))
best = np.inf
for _ in range(10):
    counts = np.zeros((3, n), np.int64), np.zeros(n + 1, np.int64)
    out = (np.empty(rows * width, np.float32), *counts)
    start = time.perf_counter()
    kernel(rule, sorting_network(n), np.zeros(rows), tiles, source, width, sampling, out)
    best = min(best, time.perf_counter() - start)
print("integration", best / stack.size * 1e9)
"""


@dataclass(frozen=True)
class Run:
    """One measured process."""

    seconds: float
    """Whole process."""
    reported: float | None
    """What it says its integration took, s."""
    peak_mb: float


def measure(
    command: Sequence[str | Path], reported: str | None = None, cwd: Path | None = None
) -> Run:
    """Run a process; its wall time, its peak memory, and a time in its output."""
    log = DATA / "log.txt"
    with log.open("w") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=cwd)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    text = log.read_text(errors="replace")
    if process.returncode:
        sys.exit(f"{command[0]} failed:\n{text[-3000:]}")
    found = re.findall(reported, text) if reported else []
    return Run(seconds, float(found[-1]) if found else None, usage.ru_maxrss / 1000)


def best(repeat: int, run: Callable[[], Run]) -> Run:
    """Return the fastest of some runs; memory is the largest of all."""
    runs = [run() for _ in range(repeat)]
    reported = [r.reported for r in runs if r.reported is not None]
    return Run(
        min(r.seconds for r in runs), min(reported, default=None), max(r.peak_mb for r in runs)
    )


def kernel() -> Run:
    """Run the kernel alone on one core; `reported` is its time, ns a sample."""
    return measure([sys.executable, "-c", KERNEL], r"integration ([\d.]+)")


def engine(paths: Sequence[Path], method: str, profile: str, dark: Path | None = None) -> Run:
    """Integrate in a process of its own; `reported` is the integration alone."""
    joined = ",".join(map(str, paths))
    tail = ("flat", str(dark)) if dark else ("dark",)
    command = [sys.executable, "-c", INTEGRATE, joined, method, profile, *tail]
    return measure(command, r"integration ([\d.]+)")


def stack(paths: Sequence[Path], method: str, profile: str = "siril", memory_mb: int = 600) -> Run:
    """Run ``calibrary stack``, which writes XISF with lz4 and byte shuffling."""
    command = Path(sys.executable).with_name("calibrary")
    options = [
        "--rejection",
        method,
        "--profile",
        profile,
        "--overwrite",
        "--memory",
        str(memory_mb),
    ]
    return measure([command, "stack", *paths, "-o", DATA / "master.xisf", *options])

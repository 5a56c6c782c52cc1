"""Peak memory of a process that integrates: below what was declared, for any number of frames."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from calibrary.integrate.resources import memory_mb

WIDTH, HEIGHT = 3000, 2000
SCRIPT = """
import sys
from pathlib import Path
from calibrary.integrate.choice import resolve
from calibrary.integrate.engine import integrate
from calibrary.records import FrameType
path, n, mem = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
given = resolve(FrameType.DARK, n, {"rejection": "sigma"})
integrate([path] * n, given, threads=2, mem_mb=mem, progress=None)
# Not ru_maxrss, which begins with what the parent held.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) / 1000)
"""


def peak_mb(path, n, mem_mb):
    command = [sys.executable, "-c", SCRIPT, str(path), str(n), str(mem_mb)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return float(done.stdout)


def test_peak_stays_below_the_declared_and_does_not_grow(write_frames):
    rng = np.random.default_rng(0)
    [path] = write_frames(rng.integers(900, 1100, (1, HEIGHT, WIDTH)).astype(np.uint16))
    declared = {n: memory_mb(WIDTH, HEIGHT, n, 2, 2, flat=False) for n in (8, 100)}
    # The least of three: the first may compile, and so may the next where other tests compile too.
    peaks = {n: min(peak_mb(path, n, declared[n]) for _ in range(3)) for n in declared}
    assert {n: peaks[n] for n in peaks if peaks[n] >= declared[n]} == {}, declared
    assert peaks[100] - peaks[8] < 40


def test_declared_memory_of_large_stacks():
    assert memory_mb(9576, 6388, 200, 2, 4, flat=True) < 2000
    assert memory_mb(6252, 4176, 120, 2, 2, flat=False) < 600


@pytest.mark.parametrize("n", [3, 30, 500, 2000])
def test_declared_memory_grows_only_by_a_band(n):
    small = memory_mb(6252, 4176, 2, 2, 2, flat=False)
    assert memory_mb(6252, 4176, n, 2, 2, flat=False) - small < 100

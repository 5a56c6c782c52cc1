"""Where compiled kernels are kept: jobs that start at once with nothing compiled."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from calibrary.integrate import compiling

INTEGRATE = """
import hashlib, sys
from calibrary.integrate.choice import resolve
from calibrary.integrate.engine import integrate
from calibrary.records import FrameType
given = resolve(FrameType.DARK, len(sys.argv) - 1, {"rejection": "sigma"})
made = integrate(sys.argv[1:], given)
print(hashlib.sha256(made.master.tobytes()).hexdigest(), made.rejected_high)
"""
RACERS = 3


@pytest.mark.slow
def test_jobs_that_start_at_once_with_an_empty_cache(write_frames, tmp_path):
    stack = np.random.default_rng(2).normal(1000, 8, (16, 40, 50)).round().astype(np.uint16)
    stack[5, 7, 9] = 60000
    paths = [str(path) for path in write_frames(stack)]
    cache = tmp_path / "cache"
    environment = {**os.environ, "CALIBRARY_KERNEL_CACHE": str(cache)}
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", INTEGRATE, *paths],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(RACERS)
    ]
    finished = [job.communicate(timeout=400) for job in jobs]
    assert [job.returncode for job in jobs] == [0] * RACERS, finished
    assert len({out for out, _ in finished}) == 1
    assert int(finished[0][0].split()[1]) >= 1
    # Compiled once: one set of machine code for each function, whoever was first.
    compiled = list(cache.rglob("compiled"))
    machine_code = list(cache.rglob("*.nbc"))
    assert len(machine_code) == len(compiled) > 0


def test_every_file_that_kernels_are_made_of_is_in_the_name_of_the_cache():
    told = "import sys, calibrary.integrate.kernels; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True
    )
    package = "calibrary.integrate."
    names = [name.removeprefix(package) for name in loaded.stdout.split() if package in name]
    assert {f"{name}.py" for name in names} == set(compiling._SOURCES)

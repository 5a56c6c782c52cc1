"""The work of Siril, ccdproc and gnuastro as measured processes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.frames import DATA
from benchmarks.runs import Run, measure

METHODS = {"sigma": "sigma", "winsorized": "winsorized", "linear_fit": "linear"}
"""Calibrary's names of the methods, and Siril's."""

CCDPROC = """
import sys, time
import numpy as np
import astropy.units as u
import ccdproc
from astropy.nddata import CCDData
frames = [CCDData.read(p, unit="adu") for p in sys.argv[1].split(",")]
combiner_options = dict(sigma_clip=True, sigma_clip_low_thresh=4, sigma_clip_high_thresh=3,
    sigma_clip_func=np.ma.median, mem_limit=2e9)
made = ccdproc.combine(frames, method="average", **combiner_options)
made.write(sys.argv[2], overwrite=True)
"""


def siril(folder: Path, method: str) -> Run:
    """Run siril-cli; `reported` is its own time of the stacking."""
    (folder / "frame_.seq").unlink(missing_ok=True)
    limits = "5 5" if method == "linear_fit" else "3 3"
    script = folder / "stack.ssf"
    script.write_text(
        "requires 1.0.0\nset32bits\nsetcompress 0\n"
        f"stack frame_ rej {METHODS[method]} {limits} -nonorm -out=master\nclose\n"
    )
    pattern = r"Execution time: ([\d.]+) s"
    return measure(["siril-cli", "-d", folder, "-s", script], pattern)


def ccdproc(paths: Sequence[Path]) -> Run:
    """Run ccdproc's combine, sigma clipping about the median."""
    joined = ",".join(map(str, paths))
    return measure([sys.executable, "-c", CCDPROC, joined, str(DATA / "ccdproc.fits")])


def gnuastro(paths: Sequence[Path]) -> Run:
    """Run gnuastro's sigma-clipped mean."""
    command = ["astarithmetic", *paths, str(len(paths)), "3", "0.1", "sigclip-mean", "-g0"]
    return measure([*command, "-o", str(DATA / "gnuastro.fits")])

"""The integration engine beside its peers: ``python -m benchmarks.integration``.

Makes 30 frames of 26 MP (4.7 GB under ``benchmarks/data``, kept for the next time), integrates
them with Calibrary, Siril, ccdproc and gnuastro, files in the page cache, and writes a table into
``benchmarks/RESULTS.md``. Every figure is the best of ``--repeat`` runs.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from calibrary.simulate.files import write_fits, write_xisf

REPO = Path(__file__).resolve().parents[1]
RESULTS = REPO / "benchmarks/RESULTS.md"
DATA = REPO / "benchmarks/data"
WIDTH, HEIGHT, FRAMES = 6248, 4176, 30
CARDS = (
    ("IMAGETYP", "Dark Frame", ""),
    ("EXPTIME", 60.0, ""),
    ("INSTRUME", "Benchmark", ""),
)
HEADING = "## Integration"
LARGE_WIDTH, LARGE_HEIGHT, LARGE_FRAMES, LARGE_DISTINCT = 9576, 6388, 200, 4
"""A season of darks of a 61 MP camera: 24 GB, of which few files are distinct."""
METHODS = {"sigma": "sigma", "winsorized": "winsorized", "linear_fit": "linear"}
"""Calibrary's names of the methods, and Siril's."""

INTEGRATE = """
import sys, time
from pathlib import Path
from calibrary.integrate.choice import resolve
from calibrary.integrate.engine import integrate
from calibrary.integrate.kernels import compiled_kernel
from calibrary.model import FrameType
paths, method, profile = sys.argv[1].split(","), sys.argv[2], sys.argv[3]
flat = sys.argv[4] == "flat"
kind = FrameType.FLAT if flat else FrameType.DARK
given = resolve(kind, len(paths), {"profile": profile, "rejection": method,
    "normalization": "multiplicative" if flat else "none"})
dark = Path(sys.argv[5]) if flat else None
compiled_kernel(not flat)  # Loading the program is part of its start, as with the peers.
made = integrate([Path(p) for p in paths], given, calibrator=dark, threads=2, mem_mb=600)
print("integration", made.seconds)
"""
KERNEL = """
import sys, time
import numpy as np
from calibrary.integrate import kernels
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
kernel = kernels.compiled_kernel(True)
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


def make_data() -> dict[str, list[Path]]:
    """Write the frames that are not there yet; return their paths by format.

    In a process of its own: the peak memory of a new process counts what its parent held.
    """
    paths: dict[str, list[Path]] = {"fits": [], "xisf": [], "xisf lz4": []}
    for k in range(FRAMES):
        stem = f"frame_{k + 1:05d}"
        names = f"{stem}.fit", f"{stem}.xisf", f"packed_{stem}.xisf"
        for kind, name in zip(paths, names, strict=True):
            paths[kind].append(DATA / name)
    DATA.mkdir(parents=True, exist_ok=True)
    maker = get_context("spawn").Process(target=write_data, args=(paths,))
    maker.start()
    maker.join()
    if maker.exitcode:
        sys.exit("the frames could not be written")
    return paths


def write_data(paths: dict[str, list[Path]]) -> None:
    """Write the frames that are not there yet."""
    write_fits(DATA / "dark.fits", np.full((HEIGHT, WIDTH), 500, np.uint16), CARDS)
    if all(path.exists() for path in paths["xisf lz4"]):
        return
    rng = np.random.default_rng(1)
    noise = rng.normal(1000, 8, (HEIGHT, WIDTH)).round().astype(np.uint16)
    hot = rng.random(noise.shape) < 1e-4
    for k, (fits, plain, packed) in enumerate(zip(*paths.values(), strict=True)):
        # A prime step: no two frames share a pixel's noise.
        image = np.roll(noise, 7919 * (k + 1))
        image[np.roll(hot, 104729 * (k + 1))] = 20000
        write_fits(fits, image, CARDS)
        for path, compress in ((plain, False), (packed, True)):
            write_xisf(path, image, CARDS, {}, image_type="Dark", creator="", compress=compress)


def links(frames: Sequence[Path], copies: int) -> tuple[Path, list[Path]]:
    """Return a folder with hard links to the frames, several times over."""
    folder = DATA / f"links{copies * len(frames)}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    made = []
    for k in range(copies * len(frames)):
        link = folder / f"frame_{k + 1:05d}.fit"
        link.hardlink_to(frames[k % len(frames)])
        made.append(link)
    return folder, made


def engine(paths: Sequence[Path], method: str, profile: str, dark: Path | None = None) -> Run:
    """Integrate in a process of its own; `reported` is the integration alone."""
    joined = ",".join(map(str, paths))
    tail = ("flat", str(dark)) if dark else ("dark",)
    command = [sys.executable, "-c", INTEGRATE, joined, method, profile, *tail]
    return measure(command, r"integration ([\d.]+)")


def stack(paths: Sequence[Path], method: str, profile: str = "siril") -> Run:
    """Run ``calibrary stack``, which writes XISF with lz4 and byte shuffling."""
    command = Path(sys.executable).with_name("calibrary")
    options = ["--rejection", method, "--profile", profile, "--overwrite", "--memory", "600"]
    return measure([command, "stack", *paths, "-o", DATA / "master.xisf", *options])


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


def tiny(repeat: int) -> Run:
    """Time an integration job of tiny frames: what starting costs."""
    folder = DATA / "tiny"
    folder.mkdir(exist_ok=True)
    paths = []
    for k in range(10):
        paths.append(folder / f"{k}.fit")
        write_fits(paths[-1], np.full((48, 64), 1000 + k, np.uint16), CARDS)
    engine(paths, "sigma", "calibrary")
    return best(repeat, lambda: engine(paths, "sigma", "calibrary"))


def large(repeat: int) -> Run:
    """Stack 200 frames of 61 MP within 2 GB."""
    folder = DATA / "large"
    if not folder.exists():
        maker = get_context("spawn").Process(target=write_large, args=(folder,))
        maker.start()
        maker.join()
    paths = sorted(folder.glob("frame_*.fit"))
    command = Path(sys.executable).with_name("calibrary")
    options = ["--rejection", "sigma", "--overwrite", "--memory", "2000"]
    whole = [command, "stack", *paths, "-o", DATA / "master.xisf", *options]
    return best(repeat, lambda: measure(whole))


def write_large(folder: Path) -> None:
    """Write the large frames: some, and hard links to them."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(2)
    shape = (LARGE_HEIGHT, LARGE_WIDTH)
    noise = rng.standard_normal(shape, np.float32) * np.float32(8) + np.float32(1000)
    image = noise.round().astype(np.uint16)
    for k in range(LARGE_FRAMES):
        path = folder / f"frame_{k:05d}.fit"
        if k < LARGE_DISTINCT:
            write_fits(path, np.roll(image, 7919 * (k + 1)), CARDS)
        else:
            path.hardlink_to(folder / f"frame_{k % LARGE_DISTINCT:05d}.fit")


def rows_of_siril(repeat: int, fits: Sequence[Path]) -> list[str]:
    """Return the table's rows about Siril's work."""
    table = []
    folder, few = links(fits, 1)
    for method in METHODS:
        peer = best(repeat, lambda m=method: siril(folder, m))
        for profile in ("siril", "calibrary"):
            own = best(repeat, lambda m=method, p=profile: engine(few, m, p))
            name = f"{method}, definition of {'Siril' if profile == 'siril' else 'PixInsight'}"
            # PixInsight's definitions are more work, and no others do it openly: no goal.
            goal = None if profile != "siril" else 10 if method == "sigma" else 8
            table.append(_row(f"integration alone, {name}, 30 frames", own, peer, goal))
    folder, many = links(fits, 4)
    for method in METHODS:
        peer = siril(folder, method)
        own = best(repeat, lambda m=method: stack(many, m))
        table.append(_whole_row(f"whole process, {method}, 120 frames", own, peer, 8))
    return table


def rows_of_others(repeat: int, fits: Sequence[Path]) -> list[str]:
    """Return the table's rows about ccdproc and gnuastro."""
    own = best(repeat, lambda: stack(fits, "sigma", "calibrary"))
    joined = ",".join(map(str, fits))
    peer = measure([sys.executable, "-c", CCDPROC, joined, str(DATA / "ccdproc.fits")])
    table = [_whole_row("whole process, sigma, 30 frames, against ccdproc", own, peer, 20)]
    if shutil.which("astarithmetic"):
        command = ["astarithmetic", *fits, str(len(fits)), "3", "0.1", "sigclip-mean", "-g0"]
        peer = measure([*command, "-o", str(DATA / "gnuastro.fits")])
        table.append(
            _whole_row("whole process, sigma, 30 frames, against gnuastro", own, peer, None)
        )
    return table


def rows_of_its_own(repeat: int, paths: dict[str, list[Path]]) -> list[str]:
    """Return the table's rows without a peer: kernel, flats, formats, start."""
    kernel = best(repeat, lambda: measure([sys.executable, "-c", KERNEL], r"integration ([\d.]+)"))
    plain = best(repeat, lambda: engine(paths["fits"], "sigma", "calibrary"))
    dark = DATA / "dark.fits"
    flats = best(repeat, lambda: engine(paths["fits"], "sigma", "calibrary", dark))
    xisf = best(repeat, lambda: engine(paths["xisf"], "sigma", "calibrary"))
    packed = best(repeat, lambda: engine(paths["xisf lz4"], "sigma", "calibrary"))
    start = tiny(repeat)
    season = large(1)
    assert None not in (kernel.reported, plain.reported, flats.reported, packed.reported)

    def ratio(name: str, run: Run, goal: str) -> str:
        share = run.reported / plain.reported
        times = f"{run.reported:.2f} s | {plain.reported:.2f} s"
        return f"| {name} | {times} | {share:.2f} | {goal} | {run.peak_mb:.0f} MB |"

    return [
        f"| kernel, sigma, per core | {kernel.reported:.2f} ns a sample | | | at most 2 | |",
        ratio("flats with calibrator and scaling, against plain", flats, "at most 1.6"),
        ratio("XISF, against FITS", xisf, ""),
        ratio("XISF lz4 + shuffle, against FITS", packed, "at most 3"),
        f"| start of a job of tiny frames | {start.seconds:.2f} s | | | at most 1.5 s "
        f"| {start.peak_mb:.0f} MB |",
        f"| whole process, {LARGE_FRAMES} frames of 61 MP, sigma | {season.seconds:.1f} s | | | "
        f"within 2 GB | {season.peak_mb:.0f} MB |",
    ]


def _row(name: str, own: Run, peer: Run, goal: int | None) -> str:
    assert own.reported is not None
    assert peer.reported is not None
    return _cells(name, own.reported, peer.reported, goal, own.peak_mb, peer.peak_mb)


def _whole_row(name: str, own: Run, peer: Run, goal: int | None) -> str:
    return _cells(name, own.seconds, peer.seconds, goal, own.peak_mb, peer.peak_mb)


def _cells(
    name: str, own: float, peer: float, goal: int | None, own_mb: float, peer_mb: float
) -> str:
    told = f"at least {goal}" if goal else ""
    return (
        f"| {name} | {own:.2f} s | {peer:.2f} s | {peer / own:.1f} | {told} "
        f"| {own_mb:.0f} / {peer_mb:.0f} MB |"
    )


def versions() -> str:
    """Return processor and versions, one line."""
    from importlib.metadata import version

    cpu = next(
        line.split(":")[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    packages = ", ".join(f"{p} {version(p)}" for p in ("numba", "numpy", "ccdproc"))
    peers = [
        subprocess.run(
            [tool, "--version"], capture_output=True, text=True, check=False
        ).stdout.splitlines()[0]
        for tool in ("siril-cli", "astarithmetic")
        if shutil.which(tool)
    ]
    python = platform.python_version()
    return f"{cpu}, {os.cpu_count()} cores; Python {python}, {packages}; {'; '.join(peers)}"


def write_section(table: Sequence[str]) -> None:
    """Put the table into its section of RESULTS.md; the other sections stay."""
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else "# Results\n"
    head, _, rest = text.partition(f"{HEADING}\n")
    _, separator, after = rest.partition("\n## ")
    section = [
        HEADING,
        "",
        f"{FRAMES} frames of {WIDTH} x {HEIGHT}, 16 bit, in the page cache; 2 threads.",
        f"{versions()}.",
        "",
        "| work | Calibrary | peer | ratio | goal | peak memory, own / peer |",
        "|---|---|---|---|---|---|",
        *table,
        "",
    ]
    tail = f"{separator}{after}".lstrip("\n")
    RESULTS.write_text(f"{head.rstrip()}\n\n" + "\n".join([*section, tail]), encoding="utf-8")


def main() -> None:
    """Run everything and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3, help="runs of Calibrary and Siril")
    parser.add_argument("--no-peers", action="store_true", help="only Calibrary's own figures")
    arguments = parser.parse_args()
    paths = make_data()
    for method in METHODS:
        for profile in ("calibrary", "siril"):
            engine(paths["fits"][:3], method, profile)  # compiled, and files in the page cache
    table = rows_of_its_own(arguments.repeat, paths)
    print(*table, sep="\n", flush=True)
    if arguments.no_peers:
        return
    for rows in (rows_of_siril, rows_of_others):
        table += rows(arguments.repeat, paths["fits"])
    print(*table, sep="\n")
    write_section(table)


if __name__ == "__main__":
    main()

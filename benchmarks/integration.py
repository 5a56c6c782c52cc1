"""The integration engine beside its peers: ``python -m benchmarks.integration``.

Makes 30 frames of 26 MP (4.7 GB under ``benchmarks/data``, kept for the next time), integrates
them with Calibrary, Siril, ccdproc and gnuastro, files in the page cache, and writes a table into
``benchmarks/RESULTS.md``. Every figure is the best of ``--repeat`` runs.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks import peers
from benchmarks.frames import (
    DARK,
    FRAMES,
    HEIGHT,
    LARGE_FRAMES,
    WIDTH,
    large_frames,
    links,
    make_data,
    tiny_frames,
)
from benchmarks.runs import Run, best, engine, kernel, stack

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
HEADING = "## Integration"


def rows_of_siril(repeat: int, fits: Sequence[Path]) -> list[str]:
    """Return the table's rows about Siril's work."""
    table = []
    folder, few = links(fits, 1)
    for method in peers.METHODS:
        peer = best(repeat, lambda m=method: peers.siril(folder, m))
        for profile in ("siril", "calibrary"):
            own = best(repeat, lambda m=method, p=profile: engine(few, m, p))
            name = f"{method}, definition of {'Siril' if profile == 'siril' else 'PixInsight'}"
            # PixInsight's definitions are more work, and no others do it openly: no goal.
            goal = None if profile != "siril" else 10 if method == "sigma" else 8
            table.append(_row(f"integration alone, {name}, 30 frames", own, peer, goal))
    folder, many = links(fits, 4)
    for method in peers.METHODS:
        peer = peers.siril(folder, method)
        own = best(repeat, lambda m=method: stack(many, m))
        table.append(_whole_row(f"whole process, {method}, 120 frames", own, peer, 8))
    return table


def rows_of_others(repeat: int, fits: Sequence[Path]) -> list[str]:
    """Return the table's rows about ccdproc and gnuastro."""
    own = best(repeat, lambda: stack(fits, "sigma", "calibrary"))
    peer = peers.ccdproc(fits)
    table = [_whole_row("whole process, sigma, 30 frames, against ccdproc", own, peer, 20)]
    if shutil.which("astarithmetic"):
        peer = peers.gnuastro(fits)
        table.append(
            _whole_row("whole process, sigma, 30 frames, against gnuastro", own, peer, None)
        )
    return table


def rows_of_its_own(repeat: int, paths: dict[str, list[Path]]) -> list[str]:
    """Return the table's rows without a peer: kernel, flats, formats, start."""
    alone = best(repeat, kernel)
    plain = best(repeat, lambda: engine(paths["fits"], "sigma", "calibrary"))
    flats = best(repeat, lambda: engine(paths["fits"], "sigma", "calibrary", DARK))
    xisf = best(repeat, lambda: engine(paths["xisf"], "sigma", "calibrary"))
    packed = best(repeat, lambda: engine(paths["xisf lz4"], "sigma", "calibrary"))
    tiny = tiny_frames()
    engine(tiny, "sigma", "calibrary")
    start = best(repeat, lambda: engine(tiny, "sigma", "calibrary"))
    season = stack(large_frames(), "sigma", "calibrary", memory_mb=2000)
    assert None not in (alone.reported, plain.reported, flats.reported, packed.reported)

    def ratio(name: str, run: Run, goal: str) -> str:
        share = run.reported / plain.reported
        times = f"{run.reported:.2f} s | {plain.reported:.2f} s"
        return f"| {name} | {times} | {share:.2f} | {goal} | {run.peak_mb:.0f} MB |"

    return [
        f"| kernel, sigma, per core | {alone.reported:.2f} ns a sample | | | at most 2 | |",
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
    for method in peers.METHODS:
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

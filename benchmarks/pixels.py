"""How fast one 26 MP frame is opened, read by rows, and a master of that size written.

Prints a table; run it as ``python benchmarks/pixels.py [FOLDER]``. Files are read from the page
cache, each figure is the best of three.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from astropy.io import fits
from xisf import XISF

from calibrary.pixels.reading import open_frame
from calibrary.pixels.writing import write_master

HEIGHT, WIDTH = 4176, 6248
BAND_ROWS = 32


def main(folder: Path) -> None:
    rng = np.random.default_rng(1)
    frame = rng.normal(1000, 12, (HEIGHT, WIDTH)).astype(np.uint16)
    print(f"{'uint16 frame':28} {'file MB':>8} {'open s':>8} {'read s':>8} {'MB/s':>8}")
    for path in _frames(folder, frame):
        opening = _best(lambda path=path: open_frame(path, folder).close())
        with open_frame(path, folder) as reader:
            reading = _best(lambda reader=reader: _read(reader))
        speed = frame.nbytes / 1e6 / (opening + reading)
        size = path.stat().st_size / 1e6
        print(f"{path.name:28} {size:8.1f} {opening:8.3f} {reading:8.3f} {speed:8.0f}")
    master = frame + rng.random(frame.shape, np.float32)
    print(f"\n{'float32 master':28} {'file MB':>8} {'write s':>8} {'MB/s':>8}")
    for suffix, codec in (("xisf", "none"), ("xisf", "lz4"), ("xisf", "zstd"), ("fits", "none")):
        path = folder / f"master-{codec}.{suffix}"
        writing = _best(lambda path=path, codec=codec: _write(path, master, codec))
        speed, size = master.nbytes / 1e6 / writing, path.stat().st_size / 1e6
        print(f"{path.name:28} {size:8.1f} {writing:8.3f} {speed:8.0f}")


def _frames(folder: Path, frame: np.ndarray) -> list[Path]:
    plain = folder / "plain.fits"
    fits.writeto(plain, frame, overwrite=True)
    fits.writeto(folder / "plain.fits.gz", frame, overwrite=True)
    tiled = fits.CompImageHDU(frame, compression_type="RICE_1")
    tiled.writeto(folder / "rice.fits.fz", overwrite=True)
    paths = [plain, folder / "plain.fits.gz", folder / "rice.fits.fz"]
    for codec in (None, "lz4", "lz4hc", "zstd", "zlib"):
        for shuffle in (False, True) if codec else (False,):
            name = f"{codec or 'plain'}{'+sh' if shuffle else ''}.xisf"
            XISF.write(str(folder / name), frame[..., np.newaxis], codec=codec, shuffle=shuffle)
            paths.append(folder / name)
    return paths


def _read(reader: object) -> None:
    band = np.empty((BAND_ROWS, WIDTH), reader.layout.stored)
    for first in range(0, HEIGHT, BAND_ROWS):
        last = min(first + BAND_ROWS, HEIGHT)
        reader.read_rows(first, last, band[: last - first])


def _write(path: Path, master: np.ndarray, codec: str) -> None:
    output = {"codec": codec}
    write_master(path, master, height=HEIGHT, channels=1, cards=(), output=output)


def _best(work: Callable[[], None]) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))

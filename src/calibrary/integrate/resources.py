"""How much memory an integration takes, and how it shares it out."""

from __future__ import annotations

import os
import sys
from pathlib import Path

MB = 1_000_000
BASE_MB = 400
"""Interpreter, libraries and kernel. The first job on a machine that needs a kernel compiles it,
which alone peaks at 372 MB and leaves nearly as much behind; later ones need 175 MB."""
BAND_BYTES = 16 * 1024 * 1024
"""Stored samples a thread holds at a time where memory allows: enough for long reads, and not
much more than the processor's caches hold."""
LARGEST_READ_BYTES = 1024 * 1024
"""Of one file at a time."""


def held_bytes() -> int:
    """Return the memory that the process holds now, where the system tells; else `BASE_MB`."""
    if sys.platform == "win32":
        return BASE_MB * MB
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return BASE_MB * MB
    return pages * os.sysconf("SC_PAGE_SIZE")


def memory_mb(
    width: int, rows: int, n_frames: int, stored_bytes: int, threads: int, flat: bool
) -> int:
    """Return the memory that `integrate` needs, MB (10⁶ bytes).

    It grows with the number of frames only by the rows of a band.

    Parameters
    ----------
    width, rows
        Of the image as stored: rows of all channels together.
    stored_bytes
        Bytes of a stored sample.
    threads
        Bands in work at the same time; one more is read ahead.
    flat
        A calibrator is held in memory too.
    """
    planes = width * rows * 4 * (2 if flat else 1)
    band = max(band_rows(width, rows, n_frames, stored_bytes, BAND_BYTES), 1)
    bands = (threads + 1) * band * row_bytes(width, n_frames, stored_bytes)
    return BASE_MB + -(-(planes + bands) // MB)


def row_bytes(width: int, n_frames: int, stored_bytes: int) -> int:
    """Return the bytes that one image row of all frames takes in a band.

    Samples that are not 16-bit are held as stored and as float32.
    """
    return width * n_frames * (stored_bytes if stored_bytes == 2 else stored_bytes + 4)


def band_rows(width: int, rows: int, n_frames: int, stored_bytes: int, budget: int) -> int:
    """Return how many rows of all frames fit into `budget` bytes, at least one."""
    most = max(LARGEST_READ_BYTES // (width * stored_bytes), 1)
    fitting = budget // row_bytes(width, n_frames, stored_bytes)
    return max(1, min(rows, most, fitting))


def tile_pixels(n_frames: int) -> int:
    """Return the width of a tile: its samples, and their sorted copy, stay in near caches.

    An odd multiple of 32: rows that begin a power of two apart would push each other out.
    """
    return 32 * (max(5, min(31, 1024 // n_frames)) | 1)

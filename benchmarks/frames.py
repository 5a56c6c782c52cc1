"""Frames for the benchmarks of integration, made once and kept under ``benchmarks/data``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from calibrary.simulate.files import write_fits, write_xisf

DATA = Path(__file__).resolve().parent / "data"
WIDTH, HEIGHT, FRAMES = 6248, 4176, 30
DARK = DATA / "dark.fits"
"""A constant frame of that size, to be subtracted."""
LARGE_WIDTH, LARGE_HEIGHT, LARGE_FRAMES, LARGE_DISTINCT = 9576, 6388, 200, 4
"""A season of darks of a 61 MP camera: 24 GB, of which few files are distinct."""
CARDS = (
    ("IMAGETYP", "Dark Frame", ""),
    ("EXPTIME", 60.0, ""),
    ("INSTRUME", "Benchmark", ""),
)


def make_data() -> dict[str, list[Path]]:
    """Write the frames that are not there yet; return their paths by format."""
    paths: dict[str, list[Path]] = {"fits": [], "xisf": [], "xisf lz4": []}
    for k in range(FRAMES):
        stem = f"frame_{k + 1:05d}"
        names = f"{stem}.fit", f"{stem}.xisf", f"packed_{stem}.xisf"
        for kind, name in zip(paths, names, strict=True):
            paths[kind].append(DATA / name)
    DATA.mkdir(parents=True, exist_ok=True)
    _apart(_write_data, paths)
    return paths


def large_frames() -> list[Path]:
    """Write the large frames if they are not there yet; return their paths."""
    folder = DATA / "large"
    if not folder.exists():
        _apart(_write_large, folder)
    return sorted(folder.glob("frame_*.fit"))


def tiny_frames() -> list[Path]:
    """Write ten frames of 64 x 48; return their paths."""
    folder = DATA / "tiny"
    folder.mkdir(exist_ok=True)
    paths = []
    for k in range(10):
        paths.append(folder / f"{k}.fit")
        write_fits(paths[-1], np.full((48, 64), 1000 + k, np.uint16), CARDS)
    return paths


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


def _apart(write: Callable[..., None], *arguments: object) -> None:
    """Write frames in a process of its own.

    The peak memory of a new process counts what its parent held.
    """
    maker = get_context("spawn").Process(target=write, args=arguments)
    maker.start()
    maker.join()
    if maker.exitcode:
        sys.exit("the frames could not be written")


def _write_data(paths: dict[str, list[Path]]) -> None:
    """Write the frames that are not there yet."""
    write_fits(DARK, np.full((HEIGHT, WIDTH), 500, np.uint16), CARDS)
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


def _write_large(folder: Path) -> None:
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

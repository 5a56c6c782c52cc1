"""The frames of one integration: opened once, alike, and read by rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from calibrary.formats.layout import Layout, PixelError
from calibrary.pixels.reading import FrameReader, open_frame, to_adu
from calibrary.records import CalibraryError

SHIFTS = (4, 2)
"""Bits by which cameras of 12 and 14 bits shift their samples up to 16."""
SHIFTED_FRACTION = 0.99
"""A frame is shifted when so many of its samples are multiples: hot pixels may be clipped."""
_PROBED_ROWS = 8


class FrameLostError(Exception):
    """A frame that was open can no longer be read."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(reason)
        self.index, self.reason = index, reason


class Frames:
    """Open frames, in the order of their samples in a stack.

    Attributes
    ----------
    paths, readers
        Of the frames that could be opened.
    dropped
        ``(path, reason)`` of the others.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        scratch: Path | None,
        threads: int,
        opened: Mapping[str, FrameReader] | None = None,
    ) -> None:
        self.paths: list[Path] = []
        self.readers: list[FrameReader] = []
        self.dropped: list[tuple[str, str]] = []

        def attempt(path: Path) -> FrameReader | PixelError:
            if opened and str(path) in opened:
                return opened[str(path)]
            try:
                return open_frame(path, scratch)
            except PixelError as error:
                return error

        with ThreadPoolExecutor(threads) as pool:
            for path, result in zip(paths, pool.map(attempt, paths), strict=True):
                if isinstance(result, PixelError):
                    self.dropped.append((str(path), str(result)))
                else:
                    self.paths.append(path)
                    self.readers.append(result)

    def __len__(self) -> int:
        return len(self.readers)

    @property
    def layout(self) -> Layout:
        """Layout of the first frame."""
        return self.readers[0].layout

    @property
    def stored_alike(self) -> bool:
        """Whether the stored samples of all frames mean the same."""
        return len({_meaning(r.layout) for r in self.readers}) == 1

    @property
    def plain_integers(self) -> bool:
        """Whether all frames store unsigned 16-bit samples, so that they can be sorted as such."""
        layout = self.layout
        if layout.blank is not None:
            return False
        stored = (layout.stored.kind, layout.stored.itemsize, layout.zero)
        plain = stored in (("u", 2, 0.0), ("i", 2, 32768.0)) and layout.scale == 1.0
        return plain and self.stored_alike

    def drop(self, index: int, reason: str) -> None:
        """Go on without one frame."""
        self.dropped.append((str(self.paths[index]), reason))
        self.readers[index].close()
        del self.paths[index], self.readers[index]

    def close(self) -> None:
        """Close all files."""
        for reader in self.readers:
            reader.close()

    def read(self, index: int, first: int, last: int, out: npt.NDArray[Any]) -> None:
        """Read rows as stored.

        Raises
        ------
        FrameLostError
            They cannot be read.
        """
        try:
            self.readers[index].read_rows(first, last, out)
        except PixelError as error:
            raise FrameLostError(index, str(error)) from None

    def read_adu(self, index: int, first: int, last: int, out: npt.NDArray[np.float32]) -> None:
        """Read rows as float32 ADU, ``[last - first, width]``.

        Raises
        ------
        FrameLostError
            They cannot be read.
        """
        layout = self.readers[index].layout
        stored = np.empty(out.shape, layout.stored)
        self.read(index, first, last, stored)
        to_adu(stored, layout, out)


def check_alike(frames: Frames) -> None:
    """Check that samples of all frames can be compared.

    Raises
    ------
    CalibraryError
        Two frames differ in size, sample format or scale; the text names both.
    """
    first, shifts = frames.layout, [_shift(frames, k) for k in range(len(frames))]
    known = next((k for k, shift in enumerate(shifts) if shift is not None), 0)
    for k in range(1, len(frames)):
        other = frames.readers[k].layout
        if (other.width, other.height, other.channels) != (
            first.width,
            first.height,
            first.channels,
        ):
            _refuse(frames, 0, k, _size(first), _size(other))
        if other.normalised != first.normalised:
            _refuse(frames, 0, k, _scale(first), _scale(other))
        if other.sample_format != first.sample_format:
            _refuse(frames, 0, k, first.sample_format, other.sample_format)
        if shifts[k] not in (None, shifts[known]):
            _refuse(frames, known, k, f"shifted by {shifts[known]} bits", f"by {shifts[k]} bits")


def _refuse(frames: Frames, a: int, b: int, of_a: str, of_b: str) -> None:
    raise CalibraryError(
        f"{frames.paths[b]}: cannot be combined with {frames.paths[a]}: {of_b} beside {of_a}; "
        "take one of them out"
    )


def _size(layout: Layout) -> str:
    return f"{layout.width} x {layout.height} x {layout.channels}"


def _scale(layout: Layout) -> str:
    return "samples in [0, 1]" if layout.normalised else "samples in ADU"


def _meaning(layout: Layout) -> tuple[Any, ...]:
    return layout.stored, layout.zero, layout.scale, layout.normalised, layout.blank


def _shift(frames: Frames, index: int) -> int | None:
    """Return by how many bits the samples of a 16-bit frame were shifted up.

    ``None`` where that cannot be told: other sample types, an image of one value.
    """
    layout = frames.readers[index].layout
    if layout.sample_format != "uint16":
        return None
    row = np.empty((1, layout.width), np.float32)
    probed = []
    for at in np.linspace(0, layout.rows - 1, _PROBED_ROWS).astype(int):
        frames.read_adu(index, at, at + 1, row)
        probed.append(row[0][np.isfinite(row[0])].astype(np.int64))
    samples = np.concatenate(probed)
    if samples.size == 0 or samples.min() == samples.max():
        return None
    for shift in SHIFTS:
        if np.mean(samples % (1 << shift) == 0) > SHIFTED_FRACTION:
            return shift
    return 0

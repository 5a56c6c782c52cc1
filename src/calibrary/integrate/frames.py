"""The frames of one integration: opened once, alike, and read by rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import compress
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
_NAMED = 20
"""Frames of a kind that an error names."""


class IntegrationError(CalibraryError):
    """These frames give no master as they are: to try again changes nothing."""


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


class MixedFramesError(IntegrationError):
    """Frames whose samples cannot be compared with one another.

    Attributes
    ----------
    kinds
        What their samples are, in words, and the frames of that kind; the commonest kind first.
    """

    def __init__(self, kinds: Mapping[str, Sequence[str]]) -> None:
        self.kinds = {
            kind: list(kinds[kind]) for kind in sorted(kinds, key=lambda k: (-len(kinds[k]), k))
        }
        told = " beside ".join(f"{kind} ({_named(paths)})" for kind, paths in self.kinds.items())
        super().__init__(f"cannot be combined: {told}; keep one kind of them in the source folder")


def check_alike(frames: Frames) -> None:
    """Check that samples of all frames can be compared.

    Raises
    ------
    MixedFramesError
        Frames differ in size, sample format or scale; all of them are named.
    """
    shifts = [_shift(frames, k) for k in range(len(frames))]
    usual = next((shift for shift in shifts if shift is not None), None)
    alike: dict[tuple[str, ...], list[str]] = {}
    for k, shift in enumerate(shifts):
        # A frame of one value may be of any shift.
        kind = _kind(frames.readers[k].layout, usual if shift is None else shift)
        alike.setdefault(kind, []).append(str(frames.paths[k]))
    if len(alike) > 1:
        differ = [len(set(words)) > 1 for words in zip(*alike, strict=True)]
        told = {" ".join(compress(kind, differ)): paths for kind, paths in alike.items()}
        raise MixedFramesError(told)


def _kind(layout: Layout, shift: int | None) -> tuple[str, ...]:
    """Return what must be equal for frames to be combined, in words."""
    bits = f"of {16 - shift} bits shifted up to 16" if shift else "not shifted to 16 bits"
    return (
        f"{layout.width} x {layout.height} x {layout.channels}",
        layout.sample_format,
        "samples in [0, 1]" if layout.normalised else "samples in ADU",
        "" if shift is None else f"samples {bits}",
    )


def _named(paths: Sequence[str]) -> str:
    names = ", ".join(Path(path).name for path in paths[:_NAMED])
    more = len(paths) - _NAMED
    return f"{names} and {more} more" if more > 0 else names


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

"""Open a frame and read rows of it, whatever its format and packing."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from calibrary.formats.cards import HeaderError
from calibrary.formats.layout import ADU_FULL_SCALE, Layout, PixelError
from calibrary.formats.sources import Opened
from calibrary.formats.table import reader_of

Array = npt.NDArray[Any]

_BAND_BYTES = 4 * 1024 * 1024
_PROBED_ROWS = 16
_NORMALISED_MAX = 1.0 + 1e-6
"""Rounding may carry a saturated pixel a little above 1."""


class FrameReader:
    """A frame, open. Threads may read from it at the same time.

    Attributes
    ----------
    layout
        Geometry and sample type.
    direct
        Rows are read from the file as they are needed; if not, the image was unpacked once.
    """

    def __init__(self, opened: Opened) -> None:
        self.layout = opened.layout
        self.direct = opened.direct
        self._source = opened.source
        self._interleaved = opened.interleaved and opened.layout.channels > 1

    def read_rows(self, first: int, last: int, out: Array) -> None:
        """Read the rows from `first` up to, not including, `last`.

        Parameters
        ----------
        out
            Receives the samples as stored, ``[last - first, width]`` of `Layout.stored`,
            C-contiguous.

        Raises
        ------
        PixelError
            The file ends early or cannot be read.
        """
        layout = self.layout
        if not 0 <= first <= last <= layout.rows or out.shape != (last - first, layout.width):
            msg = f"rows {first} to {last} into {out.shape}; the frame is {layout.rows} rows"
            raise ValueError(msg)
        if out.dtype != layout.stored or not out.flags.c_contiguous:
            msg = f"into {out.dtype}, contiguous: {out.flags.c_contiguous}; needs {layout.stored}"
            raise ValueError(msg)
        if self._interleaved:
            self._read_interleaved(first, last, out)
        else:
            self._source.read_into(first * layout.row_bytes, out.reshape(-1).view(np.uint8))

    def _read_interleaved(self, first: int, last: int, out: Array) -> None:
        height, width, channels = self.layout.height, self.layout.width, self.layout.channels
        row = first
        while row < last:
            channel, y = divmod(row, height)
            count = min(last - row, height - y)
            pixels = np.empty((count, width, channels), self.layout.stored)
            offset = y * channels * self.layout.row_bytes
            self._source.read_into(offset, pixels.reshape(-1).view(np.uint8))
            out[row - first : row - first + count] = pixels[:, :, channel]
            row += count

    def close(self) -> None:
        """Close the file and remove what was unpacked."""
        self._source.close()

    def __enter__(self) -> FrameReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_frame(path: Path, scratch: Path | None = None) -> FrameReader:
    """Open the image of a file of any format that is read.

    Checksums of XISF blocks are verified; compressed images are unpacked once. Threads may open
    frames at the same time.

    Parameters
    ----------
    scratch
        Folder for unpacked images; ``None`` for the system's temporary folder.

    Raises
    ------
    PixelError
        The file cannot be understood, is truncated or corrupt; the text names it.
    UnreachableError
        The file cannot be reached.
    CalibraryError
        There is no room in the scratch folder.
    """
    path = Path(path)
    try:
        opened = reader_of(path).open_pixels(path, scratch)
    except HeaderError as error:
        raise PixelError(str(error)) from None
    reader = FrameReader(opened)
    if opened.scale_unknown:
        reader.layout = dataclasses.replace(opened.layout, normalised=_looks_normalised(reader))
    return reader


def _looks_normalised(reader: FrameReader) -> bool:
    """Tell whether floats are in [0, 1], by some rows spread over the image."""
    layout = reader.layout
    row = np.empty((1, layout.width), layout.stored)
    low, high = 0.0, 0.0
    for at in np.linspace(0, layout.rows - 1, _PROBED_ROWS).astype(int):
        reader.read_rows(at, at + 1, row)
        finite = row[np.isfinite(row)] * layout.scale + layout.zero
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return low >= -1.0 and 0.0 < high <= _NORMALISED_MAX


def read_image(path: Path) -> tuple[npt.NDArray[np.float32], Layout]:
    """Read a whole image as ADU.

    Returns
    -------
    image
        ``[rows, width]``, float32, ADU; normalised samples are multiplied by 65535, missing ones
        are NaN.
    layout
        As the file has it.

    Raises
    ------
    PixelError
        See `open_frame`.
    """
    with open_frame(path) as reader:
        layout = reader.layout
        image = np.empty((layout.rows, layout.width), np.float32)
        step = max(1, _BAND_BYTES // layout.row_bytes)
        band = np.empty((min(step, layout.rows), layout.width), layout.stored)
        for first in range(0, layout.rows, step):
            last = min(first + step, layout.rows)
            stored = band[: last - first]
            reader.read_rows(first, last, stored)
            to_adu(stored, layout, image[first:last])
    return image, layout


def without_missing(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return an image to measure: its missing pixels (NaN) have the median of the others.

    The image itself, where none is missing; 0 where all are.
    """
    known = np.isfinite(image)
    if known.all():
        return image
    median = np.median(image[known]) if known.any() else np.float32(0.0)
    return np.where(known, image, median)


def to_adu(stored: Array, layout: Layout, out: npt.NDArray[np.float32]) -> None:
    """Convert stored samples to float32 ADU, rounded once; missing ones become NaN.

    Parameters
    ----------
    stored, out
        Arrays of the same shape.
    """
    unit = ADU_FULL_SCALE if layout.normalised else 1.0
    if layout.scale * unit == 1.0 and layout.zero == 0.0:
        out[...] = stored
    else:
        adu = stored * np.float64(layout.scale * unit)
        adu += layout.zero * unit
        out[...] = adu
    if layout.blank is not None:
        out[stored == layout.blank] = np.nan

"""The image of an XISF file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calibrary.formats.cards import ADDED_PEDESTAL, MISSING_PIXELS
from calibrary.formats.layout import ADU_FULL_SCALE, Layout, PixelError
from calibrary.formats.sources import FileSource, MemorySource, Opened, Source, open_file
from calibrary.formats.xisf import XisfImage, read_xisf_header
from calibrary.formats.xisf_blocks import Block
from calibrary.formats.xisf_unpacking import unpack, verify_checksum

_SAMPLE_FORMATS = frozenset({"uint8", "uint16", "uint32", "float32", "float64"})


def open_xisf(path: Path, scratch: Path | None) -> Opened:
    """Open the first image of an XISF file; see `table.Reader`.

    Raises
    ------
    PixelError
        Complex or 64-bit integer samples, a truncated or corrupt block.
    HeaderError
        See `read_xisf_header`.
    """
    image = read_xisf_header(path).images[0]
    layout = _layout(path, image)
    block = image.block
    if block.missing_bytes:
        raise PixelError(f"{path}: truncated, {block.missing_bytes} bytes missing; copy it again")
    source = stored = _stored(path, block)
    try:
        if block.compression:
            source = unpack(path, stored, block, scratch)
        else:
            verify_checksum(path, stored, block)
    except BaseException:
        stored.close()
        raise
    if source is not stored:
        stored.close()
    return Opened(
        layout,
        source,
        direct=not block.compression,
        interleaved=image.pixel_storage == "normal",
    )


def _stored(path: Path, block: Block) -> Source:
    if block.data is not None:
        return MemorySource(np.frombuffer(block.data, np.uint8))
    return FileSource(path, open_file(path), block.offset)


def _layout(path: Path, image: XisfImage) -> Layout:
    if image.sample_format not in _SAMPLE_FORMATS:
        raise PixelError(
            f"{path}: its samples are {image.sample_format}, which no camera writes; remove it "
            "from the source folder"
        )
    is_float = image.sample_format.startswith("float")
    normalised = is_float and image.bounds in (None, (0.0, 1.0))
    pedestal, missing = _own_marks(image) if normalised else (0.0, False)
    return Layout(
        path=path,
        width=image.width,
        height=image.height,
        channels=image.channels,
        stored=np.dtype(image.sample_format).newbyteorder(image.block.byte_order),
        zero=-pedestal / ADU_FULL_SCALE,
        scale=1.0,
        sample_format=image.sample_format,
        # Bounds are mandatory for floats; files without them were meant as 0:1.
        normalised=normalised,
        blank=0.0 if missing else None,
    )


def _own_marks(image: XisfImage) -> tuple[float, bool]:
    """Return what Calibrary added to the samples of a master, ADU, and whether some are missing."""
    values = {card.keyword: card.value for card in image.keywords}
    added = values.get(ADDED_PEDESTAL, 0)
    pedestal = float(added) if isinstance(added, int | float) else 0.0
    return pedestal, bool(values.get(MISSING_PIXELS))

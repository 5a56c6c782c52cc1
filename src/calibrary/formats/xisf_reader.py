"""Monolithic XISF: what `calibrary.formats.table` asks of a reader."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from calibrary.formats.image import ImageHeader, are_whole_numbers, digest_of
from calibrary.formats.xisf import XisfImage, read_xisf_header

if TYPE_CHECKING:
    from calibrary.formats.sources import Opened


def header(path: Path) -> ImageHeader:
    """Read the header of an XISF file's first image; see `table.Reader`."""
    told = read_xisf_header(path)
    first: XisfImage = told.images[0]
    is_float = first.sample_format.startswith("float")
    image = ImageHeader(
        format="xisf",
        cards=first.keywords,
        properties={**told.metadata, **first.properties},
        width=first.width,
        height=first.height,
        channels=first.channels,
        sample_format=first.sample_format,
        normalised=is_float and first.bounds in ((0.0, 1.0), None),
        header_digest=digest_of(told.xml),
        missing_bytes=first.block.missing_bytes,
        image_type=first.image_type,
        cfa=first.cfa,
    )
    block = first.block
    if is_float and block.kind == "attachment" and not (block.compression or block.missing_bytes):
        item: Literal[4, 8] = 4 if first.sample_format == "float32" else 8
        order: Literal["<", ">"] = ">" if block.byte_order == "big" else "<"
        count = first.width * first.height * first.channels
        image.whole_numbers = are_whole_numbers(path, block.offset, count, item, order)
    if first.sample_format.startswith("complex") or first.channels not in (1, 3):
        image.defect = f"{first.channels} channels of {first.sample_format}, not a camera's frame"
    if is_float and first.bounds is None:
        image.warnings.append("float samples without bounds are taken to be in [0, 1]")
    return image


def open_pixels(path: Path, scratch: Path | None) -> Opened:
    """Open an XISF file's first image; see `table.Reader`."""
    # Imported here: headers are read without NumPy.
    from calibrary.formats.xisf_pixels import open_xisf

    return open_xisf(path, scratch)

"""FITS, plain, gzipped or tile-compressed: what `calibrary.formats.table` asks of a reader."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from calibrary.formats.fits import (
    FitsHdu,
    first_image,
    fits_sample_format,
    is_normalised,
    read_fits_hdus,
)
from calibrary.formats.image import ImageHeader, are_whole_numbers, digest_of

if TYPE_CHECKING:
    from calibrary.formats.sources import Opened


def header(path: Path) -> ImageHeader:
    """Read the header of a FITS file's first image; see `table.Reader`."""
    hdus = read_fits_hdus(path)
    hdu = first_image(hdus, path)
    image = _of_fits(hdus, hdu)
    if hdu.bitpix < 0 and not (hdu.gzipped or hdu.tile_compressed or hdu.missing_bytes):
        image.whole_numbers = are_whole_numbers(
            path, hdu.data_offset, math.prod(hdu.shape), 4 if hdu.bitpix == -32 else 8, ">"
        )
    return image


def open_pixels(path: Path, scratch: Path | None) -> Opened:
    """Open a FITS file's first image; see `table.Reader`."""
    # Imported here: headers are read without NumPy.
    from calibrary.formats.fits_pixels import open_fits

    return open_fits(path, scratch)


def _of_fits(hdus: Sequence[FitsHdu], hdu: FitsHdu) -> ImageHeader:
    *others, height, width = hdu.shape
    planes = [length for length in others if length != 1]
    channels = planes[0] if planes else 1
    image = ImageHeader(
        format="fits",
        # What the image's own header lacks may stand in the primary one.
        cards=hdu.cards if hdu.index == 0 else [*hdu.cards, *hdus[0].cards],
        properties={},
        width=width,
        height=height,
        channels=channels,
        sample_format=fits_sample_format(hdu),
        normalised=is_normalised(hdu),
        header_digest=digest_of(*(h.header for h in hdus)),
        missing_bytes=hdu.missing_bytes,
        extensions=tuple(h.name for h in hdus if h.index and h.name),
    )
    alike = sum(h.is_image and h.shape[-2:] == hdu.shape[-2:] for h in hdus)
    if len(planes) > 1 or channels not in (1, 3):
        image.defect = f"a cube of {' x '.join(map(str, hdu.shape))}, not one image"
    elif alike > 1:
        image.defect = (
            f"{alike} images of the same size in one file (a dark library, or one per amplifier);"
            " frames must be one image a file"
        )
    elif channels == 3 and abs(hdu.bitpix) == 32:
        image.defect = "a colour image of 32 bits: a live stack, not a raw frame"
    elif sum(h.is_image for h in hdus) > 1:
        image.warnings.append("further, different images in the file are not read")
    return image

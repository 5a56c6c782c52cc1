"""The one image of a file: FITS or XISF, its cards, its size, and what is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from calibrary.formats.cards import Card, HeaderError
from calibrary.formats.fits import FitsHdu, first_image, is_normalised, read_fits_hdus
from calibrary.formats.xisf import XisfHeader, XisfImage, read_xisf_header

_XISF_SUFFIX = ".xisf"
_DIGEST_BYTES = 16


@dataclass(slots=True)
class ImageHeader:
    """What a file's header tells of its first image, the same for both formats."""

    format: str
    cards: Sequence[Card]
    properties: Mapping[str, object]
    width: int
    height: int
    channels: int
    sample_format: str
    normalised: bool
    header_digest: str
    missing_bytes: int
    image_type: str | None = None
    cfa: str | None = None
    defect: str | None = None
    """Why the image cannot be an input, whatever it shows."""
    warnings: list[str] = field(default_factory=list)


def read_image_header(path: Path) -> ImageHeader:
    """Read the header of a FITS or XISF file, told apart by the suffix of its name.

    Raises
    ------
    HeaderError
        The file cannot be read or understood, or holds no image.
    """
    if path.suffix.lower() == _XISF_SUFFIX:
        return _of_xisf(read_xisf_header(path))
    hdus = read_fits_hdus(path)
    try:
        return _of_fits(hdus, first_image(hdus))
    except HeaderError as error:
        raise HeaderError(f"{path}: {error}") from None


def fits_sample_format(hdu: FitsHdu) -> str:
    """Return the physical sample type of a FITS image: ``uint16`` for BITPIX 16, BZERO 32768."""
    if hdu.bitpix < 0:
        return f"float{-hdu.bitpix}"
    if hdu.bscale != 1.0:
        return "float32"
    half = float(2 ** (hdu.bitpix - 1))
    if hdu.bitpix == 8:
        return "int8" if hdu.bzero == -half else "uint8"
    return f"uint{hdu.bitpix}" if hdu.bzero == half else f"int{hdu.bitpix}"


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
        header_digest=_digest(*(h.header for h in hdus)),
        missing_bytes=hdu.missing_bytes,
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


def _of_xisf(header: XisfHeader) -> ImageHeader:
    first: XisfImage = header.images[0]
    is_float = first.sample_format.startswith("float")
    image = ImageHeader(
        format="xisf",
        cards=first.keywords,
        properties={**header.metadata, **first.properties},
        width=first.width,
        height=first.height,
        channels=first.channels,
        sample_format=first.sample_format,
        normalised=is_float and first.bounds in ((0.0, 1.0), None),
        header_digest=_digest(header.xml),
        missing_bytes=first.block.missing_bytes,
        image_type=first.image_type,
        cfa=first.cfa,
    )
    if first.sample_format.startswith("complex") or first.channels not in (1, 3):
        image.defect = f"{first.channels} channels of {first.sample_format}, not a camera's frame"
    if is_float and first.bounds is None:
        image.warnings.append("float samples without bounds are taken to be in [0, 1]")
    return image


def _digest(*headers: bytes) -> str:
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for header in headers:
        digest.update(header)
    return digest.hexdigest()

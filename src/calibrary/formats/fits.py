"""The headers of a FITS file, without its pixels.

Reads what is needed to find the image and to describe it: the cards of every HDU and where its
data lie. FITS Standard 4.0, sections 3, 4 and 10 (tile compression). About twenty times faster
than a general FITS library, and it survives what makes them fail.
"""

from __future__ import annotations

import contextlib
import gzip
import math
import os
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from calibrary.formats.cards import (
    CARD_BYTES,
    Card,
    HeaderError,
    Value,
    parse_cards,
    parse_token,
    unreadable,
)
from calibrary.formats.opening import open_unbuffered
from calibrary.records import ReasonCode

BLOCK_BYTES = 2880
MAX_HEADER_BYTES = 4 * 1024 * 1024
"""About 50,000 cards; the longest header seen has 3,251."""
MAX_HDUS = 1000
MAX_AXES = 16
MAX_AXIS = 2**31
NO_IMAGES = frozenset(
    {
        *("MASK", "BPM", "DQ", "FLAG", "FLAGS"),
        *("UNCERT", "ERR", "VAR", "IVAR", "SIGMA", "WEIGHT", "WHT"),
    }
)
"""EXTNAME of what lies beside an image, of its size: masks, errors, weights."""
_READ_BYTES = 4 * BLOCK_BYTES
_BITPIX = frozenset({8, 16, 32, 64, -32, -64})
_COUNT_BYTES = 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_NORMALISING = ("siril", "pixinsight", "imageintegration", "calibrary")
_SIMPLE = b"SIMPLE"
_END = re.compile(rb"END[ \0]{5}")
_XTENSION = b"XTENSION="


@dataclass(frozen=True, slots=True)
class FitsHdu:
    """One header-data unit.

    Offsets are bytes from the start of the file; of a gzipped one, of what it unpacks to.
    """

    cards: list[Card]
    index: int
    header_offset: int
    data_offset: int
    data_bytes: int
    """Bytes of data as the header tells, without padding."""
    bitpix: int
    """Type of a sample: 8, 16, 32, 64 bit integers, -32 and -64 floats. Of the image inside, for
    a tile-compressed one."""
    shape: tuple[int, ...]
    """Lengths of the axes in numpy's order, the fastest last; ``()`` for a header alone."""
    bzero: float
    bscale: float
    blank: int | None
    """Stored value of a missing sample; for integers only (section 4.4.2.5)."""
    tile_compressed: bool
    name: str
    """EXTNAME, upper case."""
    is_image: bool
    """At least two axes, none of them empty, and by its name no mask and the like."""
    missing_bytes: int
    """Bytes of data the header tells of and the file does not have: 0 unless truncated."""
    gzipped: bool
    header: bytes
    """The header's own bytes, up to END."""


def read_fits_hdus(path: str | os.PathLike[str]) -> list[FitsHdu]:
    """Read the headers of a FITS file, plain or gzipped, pixels left alone.

    What follows the last sound HDU is ignored: programs leave odd bytes there.

    Raises
    ------
    HeaderError
        The file cannot be read or does not begin with a FITS header.
    """
    path = Path(path)
    try:
        with open_unbuffered(path) as file:
            start = file.read(_READ_BYTES) or b""
            if not start.startswith(_GZIP_MAGIC):
                size = os.fstat(file.fileno()).st_size
                return _walk(_Source(path, file, start, size, gzipped=False))
            return _read_gzipped(path, file)
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(path, error) from None


def first_image(hdus: Sequence[FitsHdu], path: str | os.PathLike[str]) -> FitsHdu:
    """Return the first HDU of the file `path` that holds an image.

    Raises
    ------
    HeaderError
        There is none.
    """
    for hdu in hdus:
        if hdu.is_image:
            return hdu
    raise HeaderError(
        path, "no image in the file, headers only", "take it out of the source folder"
    )


def fits_sample_format(hdu: FitsHdu) -> str:
    """Return the physical sample type of a FITS image: ``uint16`` for BITPIX 16, BZERO 32768.

    Any other BZERO than those that shift the sign makes samples that are no such integers.
    """
    if hdu.bitpix < 0:
        return f"float{-hdu.bitpix}"
    half = float(2 ** (hdu.bitpix - 1))
    shifted = -half if hdu.bitpix == 8 else half
    if hdu.bscale != 1.0 or hdu.bzero not in (0.0, shifted):
        return "float32"
    is_unsigned = (hdu.bzero == 0.0) == (hdu.bitpix == 8)
    return f"{'u' if is_unsigned else ''}int{hdu.bitpix}"


def is_normalised(hdu: FitsHdu) -> bool:
    """Tell whether float samples are in [0, 1], as Siril and PixInsight write them, not ADU.

    The header alone decides: BUNIT of ADU says no; DATAMAX of at most 1, or the name of a
    program that writes so, says yes.
    """
    if hdu.bitpix > 0:
        return False
    for card in hdu.cards:
        if card.keyword == "BUNIT" and str(card.value).strip().upper() == "ADU":
            return False
    return any(_tells_normalised(card) for card in hdu.cards)


def _tells_normalised(card: Card) -> bool:
    if card.keyword == "DATAMAX":
        return isinstance(card.value, int | float) and 0 < card.value <= 1
    if card.keyword in ("PROGRAM", "SWCREATE", "SOFTWARE", "CREATOR"):
        return str(card.value).lower().startswith(_NORMALISING)
    return card.keyword in ("HISTORY", "COMMENT") and card.comment.lower().startswith(_NORMALISING)


@dataclass(frozen=True, slots=True)
class _Source:
    """An open file: its first bytes, and the size of it (unpacked)."""

    path: Path
    file: IO[bytes] | gzip.GzipFile
    start: bytes
    size: int
    gzipped: bool

    def read(self, offset: int, count: int) -> bytes:
        if offset + count <= len(self.start):
            return self.start[offset : offset + count]
        self.file.seek(offset)
        return self.file.read(count) or b""


def _read_gzipped(path: Path, file: IO[bytes]) -> list[FitsHdu]:
    """Read a gzipped file; unpack it as far as the headers reach.

    Its last four bytes are the unpacked size modulo 2^32. Only where they contradict the header
    (truncated, larger than 4 GiB, several members) is the size counted by unpacking everything.
    """
    file.seek(-4, os.SEEK_END)
    told = int.from_bytes(file.read(4), "little")
    with contextlib.suppress(EOFError, zlib.error):
        hdus = _walk_gzipped(path, file, told)
        if not any(hdu.missing_bytes for hdu in hdus):
            return hdus
    file.seek(0)
    counted = 0
    try:
        with gzip.GzipFile(fileobj=file) as unpacked:
            while chunk := unpacked.read(_COUNT_BYTES):
                counted += len(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        pass  # Truncated: what could be unpacked is its size.
    return _walk_gzipped(path, file, counted)


def _walk_gzipped(path: Path, file: IO[bytes], size: int) -> list[FitsHdu]:
    file.seek(0)
    with gzip.GzipFile(fileobj=file) as unpacked:
        start = unpacked.read(_READ_BYTES)
        return _walk(_Source(path, unpacked, start, size, gzipped=True))


def _walk(source: _Source) -> list[FitsHdu]:
    if not source.start.startswith(_SIMPLE):
        seen = "is empty" if not source.start else f"begins with {source.start[:8]!r}"
        raise HeaderError(source.path, f"is not a FITS file ({seen})", "copy it again or remove it")
    hdus = [_read_hdu(source, 0, 0)]
    while len(hdus) < MAX_HDUS:
        offset = hdus[-1].data_offset + _padded(hdus[-1].data_bytes)
        if offset + BLOCK_BYTES > source.size or source.read(offset, 9) != _XTENSION:
            break
        try:
            hdus.append(_read_hdu(source, len(hdus), offset))
        except HeaderError:
            break
    return hdus


def _read_hdu(source: _Source, index: int, offset: int) -> FitsHdu:
    header = _read_header(source, offset)
    cards = parse_cards(header)
    values: dict[str, Value] = {}
    for card in cards:
        values.setdefault(card.keyword, card.value)
    try:
        bitpix, shape, data_bytes = _geometry(values)
        inside = values.get("ZIMAGE") is True and values.get("XTENSION") == "BINTABLE"
        if inside:
            bitpix, shape, _ = _geometry(values, "Z")
        bzero, bscale = _real(values, "BZERO", 0.0), _real(values, "BSCALE", 1.0)
    except ValueError as error:
        raise HeaderError(source.path, str(error), "write the file anew") from None
    is_array = inside or values.get("XTENSION", "IMAGE") == "IMAGE"
    data_offset = offset + _padded(len(header))
    name = str(values.get("EXTNAME") or "").strip().upper()
    return FitsHdu(
        cards=cards,
        index=index,
        header_offset=offset,
        data_offset=data_offset,
        data_bytes=data_bytes,
        bitpix=bitpix,
        shape=shape,
        bzero=bzero,
        bscale=bscale,
        blank=_blank(values, bitpix),
        tile_compressed=inside,
        name=name,
        is_image=is_array and len(shape) >= 2 and all(shape) and name not in NO_IMAGES,
        missing_bytes=max(0, data_offset + data_bytes - source.size),
        gzipped=source.gzipped,
        header=header,
    )


def _read_header(source: _Source, offset: int) -> bytes:
    """Return the bytes of the header at `offset`, END included."""
    header, wanted = b"", _READ_BYTES
    while len(header) < MAX_HEADER_BYTES:
        seen = max(0, len(header) - CARD_BYTES)
        header = source.read(offset, wanted)
        for end in _END.finditer(header, seen):
            if end.start() % CARD_BYTES == 0:
                return header[: end.start() + CARD_BYTES]
        if len(header) < wanted:
            raise HeaderError(
                source.path,
                "ends within its header, truncated",
                "copy it again",
                ReasonCode.TRUNCATED,
            )
        wanted *= 2
    raise HeaderError(
        source.path, f"no END in {MAX_HEADER_BYTES} bytes of header", "remove it: no FITS file"
    )


def _geometry(values: dict[str, Value], prefix: str = "") -> tuple[int, tuple[int, ...], int]:
    """Return BITPIX, the shape in numpy's order and the bytes of data."""
    bitpix = _whole(values, f"{prefix}BITPIX")
    if bitpix not in _BITPIX:
        msg = f"{prefix}BITPIX is {bitpix}, allowed are 8, 16, 32, 64, -32 and -64"
        raise ValueError(msg)
    n_axes = _whole(values, f"{prefix}NAXIS")
    if not 0 <= n_axes <= MAX_AXES:
        msg = f"{prefix}NAXIS is {n_axes}, at most {MAX_AXES} are read"
        raise ValueError(msg)
    axes = [_whole(values, f"{prefix}NAXIS{n}") for n in range(1, n_axes + 1)]
    if any(not 0 <= axis <= MAX_AXIS for axis in axes):
        msg = f"impossible image size {' x '.join(map(str, axes))}"
        raise ValueError(msg)
    # Random groups (section 6) begin with an empty axis that does not count.
    counted = axes[1:] if values.get("GROUPS") is True and axes[:1] == [0] else axes
    samples = math.prod(counted) if counted else 0
    groups, parameters = _whole(values, "GCOUNT", 1), _whole(values, "PCOUNT", 0)
    data_bytes = abs(bitpix) // 8 * max(groups, 1) * (max(parameters, 0) + samples)
    return bitpix, tuple(reversed(axes)), data_bytes if counted else 0


def _whole(values: dict[str, Value], keyword: str, default: int | None = None) -> int:
    value = values.get(keyword, default)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        msg = f"{keyword} is {value!r}, not a whole number"
        raise ValueError(msg)
    return value


def _real(values: dict[str, Value], keyword: str, default: float) -> float:
    value = values.get(keyword)
    if value is None:
        return default
    if isinstance(value, str):
        # Some writers put numbers into quotes; a decimal comma stays an error.
        value = parse_token(value.strip())
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        msg = f"{keyword} is {value!r}, not a number with a decimal point, so pixels have no value"
        raise ValueError(msg)
    return float(value)


def _blank(values: dict[str, Value], bitpix: int) -> int | None:
    value = values.get("BLANK", values.get("ZBLANK"))
    if bitpix < 0 or not isinstance(value, int | float) or isinstance(value, bool):
        return None
    lowest, highest = (0, 255) if bitpix == 8 else (-(2 ** (bitpix - 1)), 2 ** (bitpix - 1) - 1)
    return int(value) if lowest <= value <= highest and value == int(value) else None


def _padded(length: int) -> int:
    return -(-length // BLOCK_BYTES) * BLOCK_BYTES

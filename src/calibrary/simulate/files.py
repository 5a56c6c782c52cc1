"""Raw frames on disk, byte by byte as capture programs lay them out.

These writers share no code with the readers and writers of `calibrary.headers` and
`calibrary.pixels`: what tests them must not inherit their mistakes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

Value = str | int | float | bool
Keyword = tuple[str, Value, str]
"""Keyword, value, comment."""

FITS_BLOCK = 2880
_FITS_TYPES = {"uint16": (16, ">i2"), "float32": (-32, ">f4")}
_XISF_ALIGNMENT = 4096


def write_fits(path: Path, data: NDArray[Any], keywords: Sequence[Keyword]) -> None:
    """Write a two-dimensional uint16 or float32 image as FITS."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(fits_header(data, keywords) + _fits_pixels(data))


def fits_header(data: NDArray[Any], keywords: Sequence[Keyword]) -> bytes:
    """Return the header blocks of a FITS image of this shape and type."""
    bitpix, _ = _FITS_TYPES[data.dtype.name]
    height, width = data.shape
    structure: list[Keyword] = [
        ("SIMPLE", True, "C# FITS"),
        ("BITPIX", bitpix, ""),
        ("NAXIS", 2, "Dimensionality"),
        ("NAXIS1", width, ""),
        ("NAXIS2", height, ""),
    ]
    if bitpix == 16:
        structure.append(("BZERO", 32768, ""))
    cards = [_card(*k) for k in (*structure, *keywords)]
    text = "".join((*cards, "END".ljust(80)))
    return text.encode("ascii").ljust(-(-len(text) // FITS_BLOCK) * FITS_BLOCK)


def _card(keyword: str, value: Value, comment: str) -> str:
    if isinstance(value, bool):
        field = f"{'T' if value else 'F':>20}"
    elif isinstance(value, str):
        field = _quoted(f"{value:<8}").ljust(20)
    else:
        field = f"{value!r:>20}"
    card = f"{keyword:<8}= {field}"
    return (f"{card} / {comment}" if comment else card)[:80].ljust(80)


def _fits_pixels(data: NDArray[Any]) -> bytes:
    _, stored = _FITS_TYPES[data.dtype.name]
    if data.dtype == np.uint16:
        # An offset of 32768 on 16 bits is a flip of the top bit.
        data = (data ^ np.uint16(0x8000)).view(np.int16)
    raw = data.astype(stored).tobytes()
    return raw.ljust(-(-len(raw) // FITS_BLOCK) * FITS_BLOCK, b"\0")


def write_xisf(
    path: Path,
    data: NDArray[np.uint16],
    keywords: Sequence[Keyword],
    properties: Mapping[str, tuple[str, str]],
    *,
    image_type: str,
    creator: str,
    compress: bool = False,
) -> None:
    """Write a uint16 image (rows, width) as XISF with an attached block.

    Parameters
    ----------
    path : Path
        The file.
    data : ndarray (rows, width) uint16
        Raw samples.
    keywords : sequence of (keyword, value, comment)
        FITS keywords.
    properties : mapping
        Property identifier to its XISF type and value.
    image_type : str
        Attribute ``imageType``.
    creator : str
        Property ``XISF:CreatorApplication``.
    compress : bool
        LZ4 with byte shuffle and a SHA-1 checksum.
    """
    block = np.ascontiguousarray(data, dtype="<u2").tobytes()
    extra = ""
    if compress:
        extra = f' compression="lz4+sh:{len(block)}:2"'
        block = _lz4(np.frombuffer(block, np.uint8).reshape(-1, 2).T.tobytes())
        extra += f' checksum="sha-1:{hashlib.sha1(block).hexdigest()}"'
    height, width = data.shape
    before = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<xisf version="1.0" xmlns="http://www.pixinsight.com/xisf">'
        f'<Metadata><Property id="XISF:CreatorApplication" type="String">{escape(creator)}'
        '</Property><Property id="XISF:BlockAlignmentSize" type="UInt16" value="4096" /></Metadata>'
        f'<Image geometry="{width}:{height}:1" sampleFormat="UInt16" imageType="{image_type}"'
        f' colorSpace="Gray"{extra} location="attachment:'
    )
    after = f':{len(block)}">{_xisf_children(keywords, properties)}</Image></xisf>'
    size = 16 + len((before + "00000000" + after).encode())
    offset = -(-size // _XISF_ALIGNMENT) * _XISF_ALIGNMENT
    xml = f"{before}{offset:08d}{after}".encode()
    signature = b"XISF0100" + len(xml).to_bytes(4, "little") + bytes(4)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((signature + xml).ljust(offset, b"\0") + block)


def _xisf_children(keywords: Sequence[Keyword], properties: Mapping[str, tuple[str, str]]) -> str:
    parts = [
        f"<FITSKeyword name={quoteattr(k)} value={quoteattr(_xisf_value(v))}"
        f" comment={quoteattr(c)} />"
        for k, v, c in keywords
    ]
    for name, (kind, value) in properties.items():
        if kind == "String":
            parts.append(f'<Property id="{name}" type="String">{escape(value)}</Property>')
        else:
            parts.append(f'<Property id="{name}" type="{kind}" value={quoteattr(value)} />')
    return "".join(parts)


def _xisf_value(value: Value) -> str:
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, str):
        return _quoted(value)
    return repr(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _lz4(raw: bytes) -> bytes:
    import lz4.block

    return bytes(lz4.block.compress(raw, store_size=False))

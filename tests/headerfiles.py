"""FITS and XISF files made from plain text, one card a line, for tests of headers."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import quoteattr

BLOCK = 2880


def card_bytes(line: str) -> bytes:
    """Return 80 bytes: ``KEY = value`` is set in columns, a line that begins with ``!`` is raw."""
    if line.startswith("!"):
        raw = line[1:]
    elif line.startswith(("HISTORY", "COMMENT", "CONTINUE", "HIERARCH")):
        raw = line
    else:
        keyword, _, value = line.partition("=")
        raw = f"{keyword.strip():<8}= {value.strip()}"
    encoded = raw.encode("utf-8")
    assert len(encoded) <= 80, line
    return encoded.ljust(80)


def header_bytes(lines: Iterable[str]) -> bytes:
    """Return a header with END, padded to whole blocks."""
    cards = b"".join(card_bytes(line) for line in lines if line.strip())
    return _padded(cards + b"END".ljust(80), b" ")


def fits_bytes(text: str, *, width: int = 4, height: int = 3, data: bytes | None = None) -> bytes:
    """Return a FITS file with the cards of `text` after those that FITS asks for.

    BITPIX, NAXIS and so on may stand in the text; else it is 16 bit, `width` by `height`.
    """
    lines = [line.strip() for line in text.splitlines()]
    keys = {line.partition("=")[0].strip() for line in lines}
    needed = {"BITPIX": "16", "NAXIS": "2", "NAXIS1": str(width), "NAXIS2": str(height)}
    first = [
        "SIMPLE = T",
        *(f"{key} = {value}" for key, value in needed.items() if key not in keys),
    ]
    values = dict(needed)
    for line in lines:
        key, _, value = line.partition("=")
        if key.strip() in ("BITPIX", "NAXIS") or key.strip().startswith("NAXIS"):
            values[key.strip()] = value.split("/")[0].strip()
    size = abs(int(values["BITPIX"])) // 8
    for axis in range(1, int(values["NAXIS"]) + 1):
        size *= int(values[f"NAXIS{axis}"])
    pixels = bytes(size if int(values["NAXIS"]) else 0) if data is None else data
    return header_bytes([*first, *lines]) + _padded(pixels, b"\0")


def extension_bytes(text: str, data: bytes = b"") -> bytes:
    """Return an extension HDU with exactly the cards of `text`."""
    return header_bytes(line.strip() for line in text.splitlines()) + _padded(data, b"\0")


def xisf_bytes(
    keywords: str = "",
    *,
    attributes: Mapping[str, str] | None = None,
    properties: Mapping[str, tuple[str, str]] | None = None,
    inside: str = "",
    data: bytes | None = None,
) -> bytes:
    """Return an XISF file of one image.

    Parameters
    ----------
    keywords
        ``KEY = value`` a line; the value goes into the attribute as it stands. HISTORY lines have
        their text in the comment.
    attributes
        Of the Image element; geometry 4:3:1 and UInt16 unless given.
    properties
        Identifier to type and value.
    inside
        Further XML within the Image element.
    data
        The attached block; zeros by default.
    """
    body = ""
    for line in keywords.splitlines():
        line = line.strip()
        if line.startswith(("HISTORY", "COMMENT")):
            keyword, _, comment = line.partition(" ")
            body += f'<FITSKeyword name="{keyword}" value="" comment={quoteattr(comment)}/>'
        elif line:
            keyword, _, value = line.partition("=")
            body += f'<FITSKeyword name="{keyword.strip()}" value={quoteattr(value.strip())}/>'
    for identifier, (kind, value) in (properties or {}).items():
        given = f"type={quoteattr(kind)} value={quoteattr(value)}"
        body += f"<Property id={quoteattr(identifier)} {given}/>"
    payload = bytes(24) if data is None else data
    element = {
        "geometry": "4:3:1",
        "sampleFormat": "UInt16",
        "colorSpace": "Gray",
        "location": f"attachment:4096:{len(payload)}",
        **(attributes or {}),
    }
    attribute_text = " ".join(f"{key}={quoteattr(value)}" for key, value in element.items())
    return xisf_file(f"<Image {attribute_text}>{body}{inside}</Image>", payload)


def xisf_file(images: str, payload: bytes = b"", *, metadata: str = "") -> bytes:
    """Return an XISF file with the given elements; `payload` stands at byte 4096."""
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<xisf version="1.0" xmlns="http://www.pixinsight.com/xisf">'
        f"{images}<Metadata>{metadata}</Metadata></xisf>"
    ).encode()
    head = b"XISF0100" + struct.pack("<I4x", len(xml)) + xml
    return (head.ljust(4096, b"\0") + payload) if payload else head


def _padded(content: bytes, filler: bytes) -> bytes:
    return content + filler * (-len(content) % BLOCK)

"""The XML header of a monolithic XISF file, without its pixels.

XISF 1.0 specification, sections 9.2 (file), 10.6 (data blocks) and 11 (core elements). The XML
is read as a stream of elements; document types are refused, and with them every entity
expansion.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from calibrary.formats.cards import (
    COMMENTARY,
    Card,
    HeaderError,
    parse_token,
    split_value,
    unreadable,
)
from calibrary.formats.opening import with_more_files
from calibrary.formats.xisf_blocks import Block, decode_text, read_block, size_of

__all__ = ["Block", "XisfHeader", "XisfImage", "read_xisf_header"]

SIGNATURE = b"XISF0100"
MAX_HEADER_BYTES = 32 * 1024 * 1024
"""The longest header seen has 3.5 MB."""
MAX_ENTRIES = 100_000
"""Keywords and properties of one file."""
MAX_IMAGES = 1000
MAX_DEPTH = 64
MAX_SAMPLES = 2**33
_REMEDY = "copy the file again or write it anew"
_PREAMBLE = struct.Struct("<8sI4x")

SAMPLE_BYTES = {
    "uint8": 1,
    "uint16": 2,
    "uint32": 4,
    "uint64": 8,
    "float32": 4,
    "float64": 8,
    "complex32": 8,
    "complex64": 16,
}


@dataclass(slots=True)
class XisfImage:
    """One image: geometry, keywords in file order, properties, and where its samples are."""

    width: int
    height: int
    channels: int
    sample_format: str
    """A key of `SAMPLE_BYTES`."""
    bounds: tuple[float, float] | None
    color_space: str
    pixel_storage: str
    """``planar`` or ``normal`` (channels interleaved)."""
    image_type: str | None
    cfa: str | None
    block: Block
    keywords: list[Card] = field(default_factory=list)
    properties: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class XisfHeader:
    """What the XML header tells."""

    images: list[XisfImage]
    metadata: dict[str, object]
    header_bytes: int
    """Length of the XML, which begins at byte 16."""
    xml: bytes


def read_xisf_header(path: str | os.PathLike[str]) -> XisfHeader:
    """Read the XML header of a monolithic XISF file, pixels left alone.

    Raises
    ------
    HeaderError
        The file cannot be read, is not XISF, holds no image, or its header contradicts itself.
    """
    path = Path(path)
    try:
        with with_more_files(lambda: path.open("rb")) as file:
            size = os.fstat(file.fileno()).st_size
            xml = _read_xml(file.read(_PREAMBLE.size), size, file.read)
            # Some writers fill the header up with zero bytes, which are not XML.
            images, metadata = _parse(xml.rstrip(b"\0"), _PREAMBLE.size + len(xml), size)
    except OSError as error:
        raise unreadable(path, error) from None
    except (ValueError, LookupError) as error:
        raise HeaderError(path, str(error), _REMEDY) from None
    except expat.ExpatError as error:
        raise HeaderError(path, f"broken XML in the header ({error})", _REMEDY) from None
    return XisfHeader(images, metadata, len(xml), xml)


def _read_xml(preamble: bytes, size: int, read: Callable[[int], bytes]) -> bytes:
    if len(preamble) < _PREAMBLE.size or preamble[:8] != SIGNATURE:
        seen = f"begins with {preamble[:8]!r}" if preamble else "is empty"
        msg = f"is not a monolithic XISF file ({seen})"
        raise ValueError(msg)
    length = _PREAMBLE.unpack(preamble)[1]
    if length > size - _PREAMBLE.size:
        msg = f"tells of a header of {length} bytes and has {size} bytes in all, truncated"
        raise ValueError(msg)
    if length > MAX_HEADER_BYTES:
        msg = f"header of {length} bytes; at most {MAX_HEADER_BYTES} are read"
        raise ValueError(msg)
    return read(length)


def _parse(
    xml: bytes, header_end: int, file_size: int
) -> tuple[list[XisfImage], dict[str, object]]:
    elements = _Elements()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = elements.start
    parser.EndElementHandler = elements.end
    parser.CharacterDataHandler = elements.text
    parser.Parse(xml, True)
    images = [_image(found, header_end, file_size) for found in elements.images]
    if not images:
        msg = "no image in the file"
        raise ValueError(msg)
    return images, elements.metadata


def _refuse_doctype(*_: object) -> None:
    msg = "a document type in the XML header, which XISF does not have"
    raise ValueError(msg)


@dataclass(slots=True)
class _Found:
    """An Image element as it stands in the XML."""

    attributes: dict[str, str]
    text: str = ""
    data: dict[str, str] = field(default_factory=dict)
    data_text: str = ""
    cfa: str | None = None
    keywords: list[Card] = field(default_factory=list)
    properties: dict[str, object] = field(default_factory=dict)


class _Elements:
    """Takes the stream of XML elements and keeps what describes the images."""

    def __init__(self) -> None:
        self.images: list[_Found] = []
        self.metadata: dict[str, object] = {}
        self._path: list[str] = []
        self._attributes: dict[str, str] = {}
        self._texts: list[str] = []
        self._entries = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        self._keep_image_text()
        self._path.append(name)
        self._texts.clear()
        if len(self._path) > MAX_DEPTH:
            msg = f"XML elements nested deeper than {MAX_DEPTH}"
            raise ValueError(msg)
        if self._path == ["xisf", "Image"]:
            if len(self.images) == MAX_IMAGES:
                msg = f"more than {MAX_IMAGES} images"
                raise ValueError(msg)
            self.images.append(_Found(attributes))
        elif self._path[:2] == ["xisf", "Image"] and len(self._path) == 3:
            self._start_child(name, attributes)
        self._attributes = attributes

    def _start_child(self, name: str, attributes: dict[str, str]) -> None:
        image = self.images[-1]
        if name == "FITSKeyword":
            self._count()
            image.keywords.append(_keyword(attributes))
        elif name == "ColorFilterArray":
            image.cfa = attributes.get("pattern")
        elif name == "Data":
            image.data = attributes

    def end(self, _name: str) -> None:
        text = "".join(self._texts)
        match self._path:
            case ["xisf", "Image", "Property"]:
                self._keep_property(self.images[-1].properties, text)
            case ["xisf", "Metadata", "Property"]:
                self._keep_property(self.metadata, text)
            case ["xisf", "Image", "Data"]:
                self.images[-1].data_text = text
            case _:
                self._keep_image_text()
        self._texts.clear()
        self._path.pop()

    def text(self, text: str) -> None:
        self._texts.append(text)

    def _keep_image_text(self) -> None:
        # The samples of an inline image stand before, between or after its child elements.
        if self._path == ["xisf", "Image"] and self._texts:
            self.images[-1].text += "".join(self._texts).strip()

    def _keep_property(self, properties: dict[str, object], text: str) -> None:
        self._count()
        identifier = self._attributes.get("id")
        value = _property(self._attributes, text)
        if identifier and value is not None:
            properties.setdefault(identifier, value)

    def _count(self) -> None:
        self._entries += 1
        if self._entries > MAX_ENTRIES:
            msg = f"more than {MAX_ENTRIES} keywords and properties"
            raise ValueError(msg)


def _keyword(attributes: dict[str, str]) -> Card:
    keyword = " ".join(attributes.get("name", "").upper().split()).removeprefix("HIERARCH ")
    text, comment = attributes.get("value", "").strip(), attributes.get("comment", "").strip()
    raw = f"{keyword} = {text} / {comment}"
    if keyword in COMMENTARY:
        # The text stands in the comment; some writers put it into the value.
        return Card(keyword, None, comment or text.strip("' "), raw)
    value = split_value(text)[0] if text.startswith("'") else parse_token(text)
    return Card(keyword, value, comment, raw)


def _property(attributes: dict[str, str], text: str) -> object:
    """Return the value of a scalar, text or time property; ``None`` for anything larger."""
    kind, location = attributes.get("type", ""), attributes.get("location", "")
    raw = attributes.get("value")
    if raw is None and location.startswith("inline") and "compression" not in attributes:
        encoding = location.partition(":")[2]
        return decode_text(text, encoding).decode("utf-8", "replace") if kind == "String" else None
    if raw is None:
        raw = None if location else text
    if raw is None or kind.startswith(("Complex", "F32V", "F64V")) or "Vector" in kind:
        return None
    if kind in ("String", "TimePoint"):
        return raw.strip()
    if kind == "Boolean":
        return raw.strip().lower() in ("1", "true", "t")
    return parse_token(raw.strip())


def _image(found: _Found, header_end: int, file_size: int) -> XisfImage:
    attributes = found.attributes
    width, height, channels = _geometry(attributes.get("geometry", ""))
    sample_format = attributes.get("sampleFormat", "").lower()
    if sample_format not in SAMPLE_BYTES:
        msg = f"sampleFormat {attributes.get('sampleFormat')!r} is not one of XISF 1.0"
        raise ValueError(msg)
    needed = width * height * channels * SAMPLE_BYTES[sample_format]
    return XisfImage(
        width=width,
        height=height,
        channels=channels,
        sample_format=sample_format,
        bounds=_bounds(attributes.get("bounds")),
        color_space=attributes.get("colorSpace", "Gray"),
        pixel_storage=attributes.get("pixelStorage", "Planar").lower(),
        image_type=attributes.get("imageType"),
        cfa=found.cfa,
        block=_block(found, needed, header_end, file_size),
        keywords=found.keywords,
        properties=found.properties,
    )


def _geometry(text: str) -> tuple[int, int, int]:
    parts = text.split(":")
    if len(parts) != 3:
        msg = f"image geometry {text[:40]!r} is not width:height:channels"
        raise ValueError(msg)
    width, height, channels = (size_of(part, "geometry") for part in parts)
    if not 1 <= width * height * channels <= MAX_SAMPLES:
        msg = f"impossible image geometry {text[:40]}"
        raise ValueError(msg)
    return width, height, channels


def _bounds(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    low, _, high = text.partition(":")
    values = float(low), float(high)
    if not (math.isfinite(values[0]) and math.isfinite(values[1])):
        msg = f"bounds {text[:40]!r} are not finite"
        raise ValueError(msg)
    return values


def _block(found: _Found, needed: int, header_end: int, file_size: int) -> Block:
    if found.attributes.get("location") != "embedded":
        return read_block(found.attributes, found.text, needed, header_end, file_size)
    # With an embedded block, compression and checksum stand on the Data element.
    attributes = {**found.attributes, **found.data}
    return read_block(attributes, found.data_text, needed, header_end, file_size)

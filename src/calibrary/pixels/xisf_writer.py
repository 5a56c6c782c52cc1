"""A master as an XISF 1.0 file: one image, its data in one attached block.

The codecs are the `xisf` package's, lz4 without its copies. Its writer is not used: it puts the
clock into the file, writes no checksum, drops a keyword's type, and holds the image four times.
Here it is held twice beside the caller's own, once shuffled and once packed.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt
from xisf import XISF

from calibrary import __version__
from calibrary.formats.lz4_block import compress_lz4
from calibrary.formats.xisf import SIGNATURE
from calibrary.pixels.ascii_text import to_ascii
from calibrary.pixels.master import Master, Value, normalised

ALIGNMENT = 4096
"""Of the data block, bytes; what PixInsight uses."""
_PREAMBLE = struct.Struct("<8sI4x")
_CHUNK = 64 * 1024
"""Samples converted at a time; they stay in the second-level cache."""
_MAX_PART = 1 << 30
"""Bytes compressed at a time; LZ4 takes no more than 2.1e9. More parts are sub-blocks."""

_NAMESPACES = {
    "xmlns": "http://www.pixinsight.com/xisf",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "version": "1.0",
    "xsi:schemaLocation": "http://www.pixinsight.com/xisf http://pixinsight.com/xisf/xisf-1.0.xsd",
}

_STANDARD = {
    "INSTRUME": ("Instrument:Camera:Name", "String"),
    "EGAIN": ("Instrument:Camera:Gain", "Float32"),
    "ISOSPEED": ("Instrument:Camera:ISOSpeed", "Int32"),
    "XBINNING": ("Instrument:Camera:XBinning", "Int32"),
    "YBINNING": ("Instrument:Camera:YBinning", "Int32"),
    "EXPTIME": ("Instrument:ExposureTime", "Float32"),
    "FILTER": ("Instrument:Filter:Name", "String"),
    "CCD-TEMP": ("Instrument:Sensor:Temperature", "Float32"),
    "SET-TEMP": ("Instrument:Sensor:TargetTemperature", "Float32"),
    "XPIXSZ": ("Instrument:Sensor:XPixelSize", "Float32"),
    "YPIXSZ": ("Instrument:Sensor:YPixelSize", "Float32"),
    "TELESCOP": ("Instrument:Telescope:Name", "String"),
    "DATE-OBS": ("Observation:Time:Start", "TimePoint"),
    "DATE-END": ("Observation:Time:End", "TimePoint"),
}
"""Keywords with a standard property (XISF 1.0, section 11.5.3), and its type. Gain and offset
settings have none: Instrument:Camera:Gain is e-/ADU."""
_TYPES = dict(_STANDARD.values())


def write_xisf(
    file: IO[bytes], data_adu: npt.NDArray[np.float32], master: Master, threads: int = 1
) -> int:
    """Write `data_adu` (``[rows, width]``, ADU) as float32 in [0, 1].

    The bytes are the same for any number of threads.

    Returns
    -------
    int
        How many samples had to be changed, missing ones too.
    """
    attributes, parts, changed = _pack(data_adu.reshape(-1), master, threads)
    size = sum(len(part) for part in parts)
    header, position = _header(attributes, size, master)
    file.write(_PREAMBLE.pack(SIGNATURE, len(header)))
    file.write(header)
    file.write(bytes(position - file.tell()))
    for part in parts:
        file.write(part)
    return changed


def _pack(
    samples: npt.NDArray[np.float32], master: Master, threads: int
) -> tuple[dict[str, str], list[memoryview], int]:
    """Return the attributes and the bytes of the data block, and the count of changed samples."""
    codec, shuffle = master.output.get("codec", "lz4"), master.output.get("shuffle", True)
    attributes, parts = {}, []
    if codec != "none":
        data, changed = _serialised(samples, master.pedestal, shuffle, threads)
        parts = _compressed(data, codec)
        attributes["compression"] = f"{codec}{'+sh' * shuffle}:{data.size}{':4' * shuffle}"
        if len(parts) > 1:
            sizes = (min(_MAX_PART, data.size - at) for at in range(0, data.size, _MAX_PART))
            pairs = (f"{len(part)},{size}" for part, size in zip(parts, sizes, strict=True))
            attributes["subblocks"] = ":".join(pairs)
    if not parts or sum(map(len, parts)) >= samples.nbytes:
        # PixInsight shows garbage where a compressed block is not the smaller one.
        data, changed = _serialised(samples, master.pedestal, False, threads)
        attributes, parts = {}, [data.data]
    checksum = master.output.get("checksum", "sha-1")
    if checksum != "none":
        digest = hashlib.new(checksum.replace("-", ""), usedforsecurity=False)
        for part in parts:
            digest.update(part)
        attributes["checksum"] = f"{checksum}:{digest.hexdigest()}"
    return attributes, parts, changed


def _serialised(
    samples: npt.NDArray[np.float32], pedestal: int, shuffle: bool, threads: int
) -> tuple[npt.NDArray[np.uint8], int]:
    """Return little-endian bytes of the normalised samples, and how many were changed.

    Shuffled: first bytes of all samples, then all second bytes, and so on.
    """
    planes = np.empty((4, samples.size), np.uint8)
    plain = planes.reshape(-1).view("<u4")

    def serialise(start: int) -> int:
        values, changed = normalised(samples[start : start + _CHUNK], pedestal)
        words = values.view(np.uint32)
        if not shuffle:
            plain[start : start + _CHUNK] = words
            return changed
        for byte in range(4):
            planes[byte, start : start + _CHUNK] = words >> np.uint32(8 * byte)
        return changed

    with ThreadPoolExecutor(threads) as pool:
        return planes.reshape(-1), sum(pool.map(serialise, range(0, samples.size, _CHUNK)))


def _compressed(data: npt.NDArray[np.uint8], codec: str) -> list[memoryview]:
    parts = []
    for at in range(0, data.size, _MAX_PART):
        part = data[at : at + _MAX_PART]
        if codec.startswith("lz4"):
            parts.append(compress_lz4(part, high=codec == "lz4hc").data)
            continue
        packed = XISF._compress(part, codec)
        parts.append(memoryview(packed) if len(packed) < part.size else part.data)
    return parts


def _header(attributes: Mapping[str, str], size: int, master: Master) -> tuple[bytes, int]:
    """Return the XML and where the data block begins, which the XML tells."""
    position = ALIGNMENT
    while True:
        xml = _xml({**attributes, "location": f"attachment:{position}:{size}"}, master)
        needed = -(-(_PREAMBLE.size + len(xml)) // ALIGNMENT) * ALIGNMENT
        if needed <= position:
            return xml, position
        position = needed


def _xml(block: Mapping[str, str], master: Master) -> bytes:
    root = ET.Element("xisf", _NAMESPACES)
    attributes = {
        "geometry": f"{master.width}:{master.height}:{master.channels}",
        "sampleFormat": "Float32",
        "bounds": "0:1",
        "colorSpace": "RGB" if master.channels == 3 else "Gray",
        **({"imageType": master.image_type} if master.image_type else {}),
        **block,
    }
    image = ET.SubElement(root, "Image", attributes)
    for keyword, value, comment in master.cards:
        _add_keyword(image, keyword, _quoted(value), comment)
    for line in master.history:
        _add_keyword(image, "HISTORY", "", line)
    for identifier, held in _properties(master):
        _add_property(image, identifier, held)
    if master.cfa:
        side = str(round(len(master.cfa) ** 0.5))
        cfa = {"pattern": master.cfa, "width": side, "height": side}
        ET.SubElement(image, "ColorFilterArray", cfa)
    metadata = ET.SubElement(root, "Metadata")
    _add_property(metadata, "XISF:CreationTime", master.time)
    _add_property(metadata, "XISF:CreatorApplication", f"Calibrary {__version__}")
    xml: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml


def _add_keyword(parent: ET.Element, name: str, value: str, comment: str) -> None:
    # ASCII here too: PixInsight keeps keywords as 8-bit text.
    attributes = {"name": name, "value": to_ascii(value), "comment": to_ascii(comment)}
    ET.SubElement(parent, "FITSKeyword", attributes)


def _quoted(value: Value) -> str:
    """Return a keyword's value as text: strings in quotes, numbers bare, truth as T or F."""
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, str):
        return "'{}'".format(value.replace("'", "''"))
    return str(value).upper()


def _properties(master: Master) -> Iterator[tuple[str, object]]:
    found: dict[str, object] = {}
    for keyword, value, _ in master.cards:
        identifier, kind = _STANDARD.get(keyword, ("", ""))
        held = _held(value, kind)
        if held is not None:
            found[identifier] = held
    yield from {**found, **master.properties}.items()


def _held(value: Value, kind: str) -> object:
    """Return a keyword's value as a property of type `kind` holds it, if it can."""
    if kind in ("String", "TimePoint"):
        return value if isinstance(value, str) and value else None
    if kind in ("Int32", "Float32") and isinstance(value, int | float):
        return int(value) if kind == "Int32" else value
    return None


def _add_property(parent: ET.Element, identifier: str, value: object) -> None:
    kind = _TYPES.get(identifier) or _type_of(identifier, value)
    attributes = {"id": identifier, "type": kind}
    text = _legal(str(value))
    if kind == "String":
        ET.SubElement(parent, "Property", attributes).text = text
        return
    if kind == "TimePoint":
        attributes["value"] = f"{text.removesuffix('Z')}Z"
    elif kind == "Boolean":
        attributes["value"] = "true" if value else "false"
    else:
        attributes["value"] = text
    ET.SubElement(parent, "Property", attributes)


def _type_of(identifier: str, value: object) -> str:
    if identifier == "XISF:CreationTime":
        return "TimePoint"
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, int):
        return "Int32" if abs(value) < 2**31 else "Float64"
    return "Float64" if isinstance(value, float) else "String"


def _legal(text: str) -> str:
    """Return `text` without what XML cannot hold: control characters, lone surrogates."""
    return "".join(c for c in text if c.isprintable())

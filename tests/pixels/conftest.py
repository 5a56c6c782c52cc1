"""Makers of XISF files, written from the specification and sharing no code with the reader."""

import base64
import hashlib
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lz4.block
import numpy as np
import pytest
import zstandard

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "zlib": zlib.compress,
    "lz4": lambda data: lz4.block.compress(data, store_size=False),
    "lz4hc": lambda data: lz4.block.compress(data, mode="high_compression", store_size=False),
    "zstd": zstandard.compress,
}
CHECKSUMS = ("sha-1", "sha-256", "sha-512", "sha3-256", "sha3-512", "sha1", "sha256", "sha512")
_HASHLIB = {"sha3-256": "sha3_256", "sha3-512": "sha3_512"}
_FORMATS = {"u1": "UInt8", "u2": "UInt16", "u4": "UInt32", "f4": "Float32", "f8": "Float64"}


def shuffle(data: bytes, item: int) -> bytes:
    """Byte k of every item, for k = 0, 1, ...; what fills no item stays at the end."""
    whole = len(data) // item * item
    return b"".join(data[k:whole:item] for k in range(item)) + data[whole:]


@dataclass(frozen=True)
class Packing:
    """How an image is put into a file."""

    location: str = "attachment"
    codec: str | None = None
    item: int = 0
    big_endian: bool = False
    parts: int = 1
    raw_part: bool = False
    """One of the parts is stored as it is, as PixInsight does with what does not shrink."""
    checksum: str | None = None
    normal: bool = False
    bounds: str | None = "0:1"
    extra_images: str = ""


def xisf_bytes(image: np.ndarray, packing: Packing = Packing()) -> bytes:
    """Return an XISF file of `image`, ``[channels, height, width]``."""
    channels, height, width = image.shape
    samples = image.transpose(1, 2, 0) if packing.normal else image
    order = ">" if packing.big_endian else "<"
    data = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    attributes = {
        "geometry": f"{width}:{height}:{channels}",
        "sampleFormat": _FORMATS[image.dtype.str[1:]],
        "colorSpace": "RGB" if channels == 3 else "Gray",
    }
    if image.dtype.kind == "f" and packing.bounds:
        attributes["bounds"] = packing.bounds
    if packing.normal:
        attributes["pixelStorage"] = "Normal"
    if packing.big_endian:
        attributes["byteOrder"] = "big"
    block, of_data = _packed(data, packing)
    return _file(attributes, block, of_data, packing)


def _packed(data: bytes, packing: Packing) -> tuple[bytes, dict[str, str]]:
    attributes = {}
    if packing.codec:
        size = len(data)
        sh = packing.item > 0
        attributes["compression"] = f"{packing.codec}{'+sh' * sh}:{size}"
        if sh:
            attributes["compression"] += f":{packing.item}"
            data = shuffle(data, packing.item)
        length = -(-size // packing.parts)
        plain = [data[at : at + length] for at in range(0, size, length)]
        packed = [COMPRESS[packing.codec](part) for part in plain]
        for n, part in enumerate(plain):
            # As PixInsight's library: a part of its full size is not compressed.
            if len(packed[n]) == len(part) or (packing.raw_part and n == len(plain) - 1):
                packed[n] = part
        if packing.parts > 1:
            sizes = [f"{len(p)},{len(u)}" for p, u in zip(packed, plain, strict=True)]
            attributes["subblocks"] = ":".join(sizes)
        data = b"".join(packed)
    if packing.checksum:
        algorithm = _HASHLIB.get(packing.checksum, packing.checksum.replace("-", ""))
        attributes["checksum"] = f"{packing.checksum}:{hashlib.new(algorithm, data).hexdigest()}"
    return data, attributes


def _file(
    attributes: dict[str, str], block: bytes, of_data: dict[str, str], packing: Packing
) -> bytes:
    def text(found: dict[str, str]) -> str:
        return " ".join(f'{name}="{value}"' for name, value in found.items())

    base64_text = base64.b64encode(block).decode()
    start = 0
    if packing.location == "embedded":
        element = (
            f'<Image {text(attributes)} location="embedded">'
            f'<Data {text(of_data)} encoding="base64">{base64_text}</Data></Image>'
        )
    elif packing.location == "inline":
        kind = f'location="inline:base64" {text(of_data)}'
        element = f"<Image {text(attributes)} {kind}>{base64_text}</Image>"
    elif packing.location == "hex":
        kind = f'location="inline:hex" {text(of_data)}'
        element = f"<Image {text(attributes)} {kind}>{block.hex()}</Image>"
    else:
        start = 4096
        kind = f'location="attachment:{start}:{len(block)}" {text(of_data)}'
        element = f"<Image {text(attributes)} {kind}></Image>"
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<xisf version="1.0" xmlns="http://www.pixinsight.com/xisf">'
        f"{element}{packing.extra_images}</xisf>"
    ).encode()
    head = struct.pack("<8sI4x", b"XISF0100", len(xml)) + xml
    return head.ljust(start, b"\0") + block if start else head


@pytest.fixture(scope="session")
def make_xisf() -> Callable[..., bytes]:
    """``make_xisf(image, **packing)`` returns the bytes of an XISF file."""

    def make(image: np.ndarray, **changes: Any) -> bytes:
        return xisf_bytes(image, replace(Packing(), **changes))

    return make


@pytest.fixture
def save(tmp_path: Path) -> Callable[[bytes, str], Path]:
    def save_as(data: bytes, name: str) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return save_as

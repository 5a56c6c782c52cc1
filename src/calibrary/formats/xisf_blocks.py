"""The data blocks of an XISF file: where the bytes of an image are, and how they are packed.

XISF 1.0 specification, section 10.6.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

_CODECS = frozenset({"zlib", "lz4", "lz4hc", "zstd"})
_CHECKSUMS = {
    "sha1": "sha1",
    "sha256": "sha256",
    "sha512": "sha512",
    "sha3256": "sha3_256",
    "sha3512": "sha3_512",
}


@dataclass(frozen=True, slots=True)
class Block:
    """Where the bytes of an image are, and how they are packed."""

    kind: Literal["attachment", "embedded", "inline"]
    offset: int
    """Bytes from the start of the file; 0 unless attached."""
    size: int
    """Bytes as stored."""
    data: bytes | None = None
    """The stored bytes of an embedded or inline block, base64 or hex undone."""
    compression: str | None = None
    """``zlib``, ``lz4``, ``lz4hc`` or ``zstd``."""
    shuffle_item: int = 0
    """Item size of the byte shuffle; 0 for none."""
    uncompressed_size: int = 0
    subblocks: tuple[tuple[int, int], ...] = ()
    """Compressed and uncompressed bytes of each part, where it is compressed in parts."""
    checksum: tuple[str, str] | None = None
    """Algorithm as hashlib names it, and the digest of the stored bytes in lower-case hex."""
    byte_order: Literal["little", "big"] = "little"
    missing_bytes: int = 0
    """Bytes of the block beyond the end of the file: 0 unless truncated."""


def read_block(
    attributes: Mapping[str, str], text: str, needed: int, header_end: int, file_size: int
) -> Block:
    """Return the block that an element's attributes and text describe.

    Parameters
    ----------
    attributes
        ``location`` (or, of a Data element, ``encoding``), ``compression``, ``checksum`` and so on.
    text
        The element's own text, which is the block where it is inline or embedded.
    needed
        Bytes of the image, unpacked.
    header_end, file_size
        Bytes; an attached block lies between the two.

    Raises
    ------
    ValueError
        The block is not one of XISF 1.0, or its size is not what the image needs.
    """
    codec, uncompressed, item = _compression(attributes.get("compression"))
    kind, offset, size, data = _location(attributes, text)
    if kind == "attachment" and offset < header_end:
        msg = f"image data at byte {offset}, inside the header"
        raise ValueError(msg)
    if (uncompressed if codec else size) != needed:
        have = uncompressed if codec else size
        msg = f"image geometry asks for {needed} bytes, its data block has {have}"
        raise ValueError(msg)
    order = attributes.get("byteOrder", "little").lower()
    return Block(
        kind=kind,
        offset=offset,
        size=size,
        data=data,
        compression=codec,
        shuffle_item=item,
        uncompressed_size=needed,
        subblocks=_subblocks(attributes.get("subblocks"), size, needed),
        checksum=_checksum(attributes.get("checksum")),
        byte_order="big" if order == "big" else "little",
        missing_bytes=max(0, offset + size - file_size),
    )


def _location(
    attributes: Mapping[str, str], text: str
) -> tuple[Literal["attachment", "embedded", "inline"], int, int, bytes | None]:
    location = attributes.get("location", "")
    kind, _, rest = location.partition(":")
    if kind == "attachment":
        offset, _, size = rest.partition(":")
        return "attachment", size_of(offset, "location"), size_of(size, "location"), None
    if kind == "embedded":
        data = decode_text(text, attributes.get("encoding", ""))
        return "embedded", 0, len(data), data
    if kind == "inline":
        data = decode_text(text, rest)
        return "inline", 0, len(data), data
    msg = f"image data are at {location[:60]!r}, outside the file"
    raise ValueError(msg)


def decode_text(text: str, encoding: str) -> bytes:
    """Undo the base64 or hex of a block in the header."""
    compact = "".join(text.split())
    try:
        if encoding == "base64":
            return base64.b64decode(compact, validate=True)
        if encoding == "hex":
            return bytes.fromhex(compact)
    except (binascii.Error, ValueError):
        msg = f"a data block in the header is not {encoding}"
        raise ValueError(msg) from None
    msg = f"a data block in the header is encoded in {encoding[:20]!r}"
    raise ValueError(msg)


def _compression(text: str | None) -> tuple[str | None, int, int]:
    """Return codec, uncompressed bytes and shuffle item size of ``zlib+sh:1000:2``."""
    if not text:
        return None, 0, 0
    name, *sizes = text.split(":")
    codec, _, shuffle = name.lower().partition("+")
    if codec not in _CODECS or shuffle not in ("", "sh") or len(sizes) != 1 + bool(shuffle):
        msg = f"compression {text[:40]!r} is not one of XISF 1.0"
        raise ValueError(msg)
    item = size_of(sizes[1], "compression") if shuffle else 0
    if item > 16:
        msg = f"compression {text[:40]!r} shuffles items of {item} bytes"
        raise ValueError(msg)
    return codec, size_of(sizes[0], "compression"), item if item > 1 else 0


def _subblocks(text: str | None, size: int, needed: int) -> tuple[tuple[int, int], ...]:
    if not text:
        return ()
    pairs = [part.split(",") for part in text.split(":")]
    if any(len(pair) != 2 for pair in pairs):
        msg = f"subblocks {text[:40]!r} are not pairs of sizes"
        raise ValueError(msg)
    blocks = tuple((size_of(a, "subblocks"), size_of(b, "subblocks")) for a, b in pairs)
    if sum(a for a, _ in blocks) != size or sum(b for _, b in blocks) != needed:
        msg = "subblocks do not add up to their data block"
        raise ValueError(msg)
    return blocks


def _checksum(text: str | None) -> tuple[str, str] | None:
    if not text:
        return None
    name, _, digest = text.partition(":")
    algorithm = _CHECKSUMS.get(name.lower().replace("-", ""))
    if algorithm is None:
        msg = f"checksum {name[:20]!r} is not one of XISF 1.0"
        raise ValueError(msg)
    return algorithm, digest.strip().lower()


def size_of(text: str, what: str) -> int:
    """Return the size that `text` holds: decimal digits and nothing else."""
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        msg = f"{what} holds {text[:20]!r}, not a size"
        raise ValueError(msg)
    return int(text)

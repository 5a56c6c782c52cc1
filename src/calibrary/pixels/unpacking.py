"""XISF data blocks: checksums, decompression, byte un-shuffling (XISF 1.0, section 10.6).

The codecs are those of the `xisf` package; sub-blocks, checksums and bounds on what a hostile
block may unpack to are added here. The work is done outside Python's lock, so that several
frames can be unpacked at once.
"""

from __future__ import annotations

import hashlib
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from calibrary.headers.xisf_blocks import Block
from calibrary.pixels.layout import PixelError
from calibrary.pixels.sources import Bytes, Source, Unpacked

UNPACKING_BYTES = 512 * 1024 * 1024
"""Packed and unpacked bytes that all threads together may hold while they unpack frames."""
_HASH_BYTES = 1024 * 1024
_SHUFFLE_BYTES = 128 * 1024
"""Un-shuffled at a time: source and result stay in the second-level cache."""


def verify_checksum(path: Path, packed: Source, block: Block) -> None:
    """Compare the stored bytes of a block with the checksum in the header.

    Raises
    ------
    PixelError
        They differ.
    """
    if block.checksum is None:
        return
    algorithm, told = block.checksum
    digest = hashlib.new(algorithm, usedforsecurity=False)
    buffer = np.empty(min(_HASH_BYTES, block.size), np.uint8)
    for offset in range(0, block.size, _HASH_BYTES):
        piece = buffer[: block.size - offset]
        packed.read_into(offset, piece)
        digest.update(piece.data)
    if digest.hexdigest() != told:
        raise PixelError(
            f"{path}: the {algorithm} checksum of its pixels is wrong, they have changed since "
            "they were written; copy it again"
        )


def unpack(path: Path, packed: Source, block: Block, scratch: Path | None) -> Source:
    """Decompress and un-shuffle a block, once.

    Parameters
    ----------
    packed
        The stored bytes of the block.
    scratch
        Folder for the unpacked bytes of images too large for memory; ``None`` for the system's.

    Raises
    ------
    PixelError
        The block does not unpack to the image's size.
    CalibraryError
        The scratch folder is full.
    """
    unpacked = Unpacked(path, block.uncompressed_size, scratch)
    try:
        with _room.held(block.size + block.uncompressed_size):
            pieces = _decompressed(path, packed, block)
            for piece in _unshuffled(pieces, block) if block.shuffle_item else pieces:
                unpacked.append(piece)
        return unpacked.source()
    except BaseException:
        unpacked.close()
        raise


def _decompressed(path: Path, packed: Source, block: Block) -> Iterator[bytes | Bytes]:
    """Yield the block's parts, decompressed; it is one part unless it has sub-blocks."""
    offset = 0
    for size, unpacked_size in block.subblocks or ((block.size, block.uncompressed_size),):
        piece = np.empty(size, np.uint8)
        packed.read_into(offset, piece)
        offset += size
        # PixInsight stores a part that would not shrink as it is.
        yield piece if size == unpacked_size else _decompress(path, piece, block, unpacked_size)


def _decompress(path: Path, piece: Bytes, block: Block, size: int) -> bytes:
    # Imported here: most frames are not compressed, and the import costs 0.1 s.
    from xisf import XISF

    try:
        if block.compression == "zlib":
            # The package's own call has no bound on what it unpacks to.
            data = zlib.decompressobj().decompress(piece.data, size + 1)
        else:
            data = XISF._decompress(piece, {"compression": (block.compression, size, None)})
    except Exception as error:
        # Each codec has its own kind of error, and zstd asks for the memory a header tells of.
        raise _broken(path, block, str(error) or type(error).__name__) from None
    if len(data) != size:
        raise _broken(path, block, f"not the {size} bytes told of")
    return bytes(data)


def _broken(path: Path, block: Block, reason: str) -> PixelError:
    reason = " ".join(reason.split())
    return PixelError(
        f"{path}: its {block.compression} data cannot be decompressed ({reason}); copy it again"
    )


def _unshuffled(pieces: Iterator[bytes | Bytes], block: Block) -> Iterator[Bytes]:
    """Yield the bytes of a shuffled block in their own order, some items at a time.

    Shuffling is done before a block is cut into sub-blocks: first bytes of all items, then
    second bytes, and so on; what is left over stands at the end as it is.
    """
    data = _joined(pieces, block)
    item = block.shuffle_item
    count = data.size // item
    planes = data[: count * item].reshape(item, count)
    step = _SHUFFLE_BYTES // item
    items = np.empty((step, item), np.uint8)
    for start in range(0, count, step):
        chunk = items[: count - start]
        for byte in range(item):
            chunk[:, byte] = planes[byte, start : start + step]
        yield chunk.reshape(-1)
    if count * item < data.size:
        yield data[count * item :]


def _joined(pieces: Iterator[bytes | Bytes], block: Block) -> Bytes:
    if len(block.subblocks) <= 1:
        return np.frombuffer(next(pieces), np.uint8)
    data = np.empty(block.uncompressed_size, np.uint8)
    filled = 0
    for piece in pieces:
        data[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
        filled += len(piece)
    return data


class _Room:
    """Bounds what several threads hold at once; one alone may always go on."""

    def __init__(self, limit: int) -> None:
        self._limit, self._held = limit, 0
        self._changed = threading.Condition()

    @contextmanager
    def held(self, size: int) -> Iterator[None]:
        """Wait until `size` bytes fit in, or nothing else is held."""
        with self._changed:
            self._changed.wait_for(lambda: self._held == 0 or self._held + size <= self._limit)
            self._held += size
        try:
            yield
        finally:
            with self._changed:
                self._held -= size
                self._changed.notify_all()


_room = _Room(UNPACKING_BYTES)

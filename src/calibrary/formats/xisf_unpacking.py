"""XISF data blocks: checksums, decompression, byte un-shuffling (XISF 1.0, section 10.6).

The codecs are the libraries that the `xisf` package uses. Its own functions know no sub-blocks,
no checksums and no bound on what a hostile block may unpack to, and hold a frame two or three
times. All work is done outside Python's lock: threads unpack frames side by side.
"""

from __future__ import annotations

import hashlib
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from calibrary.formats.layout import PixelError
from calibrary.formats.sources import Bytes, Source, Unpacked
from calibrary.formats.xisf_blocks import Block

UNPACKING_BYTES = 256 * 1024 * 1024
"""Packed and unpacked bytes that all threads together may hold while they unpack frames; one
frame alone may take more."""
_HASH_BYTES = 1024 * 1024
_SHUFFLE_BYTES = 256 * 1024
"""Un-shuffled at a time: source and result stay in the second-level cache."""
_ZLIB_BYTES = 64 * 1024
"""Unpacked at a time; zlib may make a thousand times as much of it."""

Parts = Sequence[tuple[int, int]]
"""Packed and unpacked bytes of each part of a block."""


def verify_checksum(path: Path, stored: Source, block: Block) -> None:
    """Compare the stored bytes of a block with the checksum in the header.

    Raises
    ------
    PixelError
        They differ.
    """
    if block.checksum is not None:
        buffer = np.empty(min(_HASH_BYTES, block.size), np.uint8)
        steps = range(0, block.size, _HASH_BYTES)
        _read_pieces(path, stored, block, (buffer[: block.size - at] for at in steps))


def _read_pieces(path: Path, stored: Source, block: Block, pieces: Iterable[Bytes]) -> None:
    """Fill pieces with the stored bytes of a block, in order, and verify its checksum."""
    algorithm, told = block.checksum or ("", "")
    digest = hashlib.new(algorithm, usedforsecurity=False) if algorithm else None
    offset = 0
    for piece in pieces:
        stored.read_into(offset, piece)
        offset += piece.size
        if digest:
            digest.update(piece.data)
    if digest and digest.hexdigest() != told:
        raise PixelError(
            f"{path}: the {algorithm} checksum of its pixels is wrong, they have changed since "
            "they were written; copy it again"
        )


def unpack(path: Path, stored: Source, block: Block, scratch: Path | None) -> Source:
    """Verify, decompress and un-shuffle a block, once.

    Parameters
    ----------
    stored
        The stored bytes of the block.
    scratch
        Folder for the unpacked bytes of images too large for memory; ``None`` for the system's.

    Raises
    ------
    PixelError
        Its checksum is wrong, or it does not unpack to the image's size.
    CalibraryError
        The scratch folder is full.
    """
    parts = block.subblocks or ((block.size, block.uncompressed_size),)
    # A shuffled block is needed whole: its first item lies at both ends of it.
    at_once = [parts] if block.shuffle_item else [[part] for part in parts]
    needed = block.size + max(map(_unpacked_bytes, at_once))
    unpacked = Unpacked(path, block.uncompressed_size, scratch)
    try:
        with _room.held(needed):
            packed = np.empty(block.size, np.uint8)
            steps = range(0, block.size, _HASH_BYTES)
            _read_pieces(path, stored, block, (packed[at : at + _HASH_BYTES] for at in steps))
            for some in at_once:
                data = np.empty(_unpacked_bytes(some), np.uint8)
                packed = _decompress_parts(path, packed, block, some, data)
                for piece in _unshuffled(data, block.shuffle_item):
                    unpacked.append(piece)
        return unpacked.source()
    except BaseException:
        unpacked.close()
        raise


def _unpacked_bytes(parts: Parts) -> int:
    return sum(size for _, size in parts)


def _decompress_parts(path: Path, packed: Bytes, block: Block, parts: Parts, out: Bytes) -> Bytes:
    """Fill `out` from the first parts of `packed`; return what follows them."""
    for size, unpacked_size in parts:
        # PixInsight stores a part that would not shrink as it is.
        codec = None if size == unpacked_size else block.compression
        try:
            _decompress(codec, packed[:size], out[:unpacked_size])
        except Exception as error:
            # Each codec has errors of its own.
            reason = " ".join(str(error).split()) or type(error).__name__
            raise PixelError(
                f"{path}: its {codec} data cannot be decompressed ({reason}); copy it again"
            ) from None
        packed, out = packed[size:], out[unpacked_size:]
    return packed if packed.size else np.empty(0, np.uint8)  # An empty part holds the whole.


def _decompress(codec: str | None, packed: Bytes, out: Bytes) -> None:
    """Fill `out` exactly, else raise an error of any type."""
    # Imported here: most frames are not compressed.
    if codec == "zstd":
        from zstandard import ZstdDecompressor

        reader = ZstdDecompressor().stream_reader(packed.data)
        filled = reader.readinto(out.data)
        if filled != out.size or reader.read(1):
            msg = f"not the {out.size} bytes told of"
            raise ValueError(msg)
    elif codec == "zlib":
        _decompress_zlib(packed, out)
    elif codec is None:
        out[:] = packed
    else:
        from calibrary.formats.lz4_block import decompress_lz4

        decompress_lz4(packed, out)


def _decompress_zlib(packed: Bytes, out: Bytes) -> None:
    unpacker = zlib.decompressobj()
    filled = 0
    for start in range(0, packed.size, _ZLIB_BYTES):
        piece = unpacker.decompress(packed[start : start + _ZLIB_BYTES].data)
        if filled + len(piece) > out.size:
            break
        out[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
        filled += len(piece)
    if filled != out.size or not unpacker.eof:
        msg = f"not the {out.size} bytes told of"
        raise ValueError(msg)


def _unshuffled(data: Bytes, item: int) -> Iterator[Bytes]:
    """Yield shuffled bytes in their own order, some items at a time.

    Shuffling is done before a block is cut into sub-blocks: first bytes of all items, then
    second bytes, and so on; what is left over stands at the end as it is. `item` 0: not shuffled.
    """
    if item == 0:
        yield data
        return
    count = data.size // item
    planes = data[: count * item].reshape(item, count)
    step = _SHUFFLE_BYTES // item
    items = np.empty((step, item), np.uint8)
    for start in range(0, count, step):
        chunk = items[: count - start]
        _interleave(planes[:, start : start + step], chunk)
        yield chunk.reshape(-1)
    if count * item < data.size:
        yield data[count * item :]


def _interleave(planes: Bytes, items: Bytes) -> None:
    """Fill ``items[count, item]`` from ``planes[item, count]``."""
    if len(planes) == 2:
        # Twice as fast as byte by byte: NumPy does many whole numbers with one instruction.
        pairs = items.view("<u2")[:, 0]
        np.left_shift(planes[1], 8, out=pairs, dtype=np.uint16)
        np.bitwise_or(pairs, planes[0], out=pairs)
        return
    for byte, plane in enumerate(planes):
        items[:, byte] = plane


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

"""LZ4 blocks, packed and unpacked straight from the caller's buffers.

The `lz4` package works into a buffer of its own and copies that: it holds an image twice, and
three quarters of its time go into fresh memory. The library inside the package is called
directly instead; it does not know Python's lock, so threads can work side by side.
"""

from __future__ import annotations

import ctypes
from functools import cache

import lz4.block
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

MAX_BYTES = 0x7E000000
"""Of a block, packed or not: the library's own limit."""
HC_LEVEL = 9
"""Effort of lz4hc: the library's default."""


def decompress_lz4(packed: Bytes, out: Bytes) -> None:
    """Unpack one LZ4 block, which must fill `out` exactly.

    Both arrays are contiguous.

    Raises
    ------
    ValueError, lz4.block.LZ4BlockError
        The block is corrupt, or unpacks to another size.
    """
    if max(packed.size, out.size) > MAX_BYTES:
        msg = f"a block of more than {MAX_BYTES} bytes"
        raise ValueError(msg)
    library = _library()
    if library is None:
        out[:] = np.frombuffer(lz4.block.decompress(packed, uncompressed_size=out.size), np.uint8)
        return
    filled = library.LZ4_decompress_safe(packed.ctypes.data, out.ctypes.data, packed.size, out.size)
    if filled != out.size:
        msg = "corrupt" if filled < 0 else f"{filled} bytes instead of {out.size}"
        raise ValueError(msg)


def compress_lz4(data: Bytes, *, high: bool = False) -> Bytes:
    """Pack one LZ4 block; `data` as it is where packing would not make it smaller.

    Parameters
    ----------
    data
        Contiguous, at most `MAX_BYTES`.
    high
        The slow compressor, lz4hc.
    """
    library = _library()
    if library is None:
        mode = "high_compression" if high else "default"
        packed = lz4.block.compress(data, mode=mode, store_size=False)
        return np.frombuffer(packed, np.uint8) if len(packed) < data.size else data
    out = np.empty(data.size, np.uint8)
    given = (data.ctypes.data, out.ctypes.data, data.size, data.size - 1)
    if high:
        filled = library.LZ4_compress_HC(*given, HC_LEVEL)
    else:
        filled = library.LZ4_compress_default(*given)
    return out[:filled] if filled else data


@cache
def _library() -> ctypes.CDLL | None:
    """Return the library inside the package; ``None`` where a build of it does not show it."""
    try:
        library = ctypes.CDLL(lz4.block._block.__file__)
        for name, effort in (
            ("LZ4_decompress_safe", ()),
            ("LZ4_compress_default", ()),
            ("LZ4_compress_HC", (ctypes.c_int,)),
        ):
            function = getattr(library, name)
            pointer, count = ctypes.c_void_p, ctypes.c_int
            function.argtypes = (pointer, pointer, count, count, *effort)
            function.restype = count
    except (AttributeError, OSError):
        return None
    return library

"""What every reader tells of the one image of a file, whatever the format."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from calibrary.formats.cards import Card
from calibrary.formats.opening import open_unbuffered

_DIGEST_BYTES = 16


@dataclass(slots=True)
class ImageHeader:
    """What a file's header tells of its image, the same for all formats."""

    format: str
    cards: Sequence[Card]
    properties: Mapping[str, object]
    width: int
    height: int
    channels: int
    sample_format: str
    normalised: bool
    header_digest: str
    missing_bytes: int
    image_type: str | None = None
    cfa: str | None = None
    defect: str | None = None
    """Why the image cannot be an input, whatever it shows."""
    extensions: tuple[str, ...] = ()
    """Names of further HDUs, upper case."""
    whole_numbers: bool | None = None
    """Whether float samples, where they were looked at, are all whole numbers, as of a camera."""
    warnings: list[str] = field(default_factory=list)


_PROBES = 3
_PROBED = 4096


def are_whole_numbers(
    path: Path, offset: int, count: int, item: Literal[4, 8], order: Literal["<", ">"]
) -> bool | None:
    """Tell whether float samples are whole numbers of at most 32 bits, by some of them.

    Parameters
    ----------
    path
        The file.
    offset, count
        Its samples: bytes from the start of the file, and how many.
    item, order
        Bytes of a sample, and ``<`` for little endian.

    Returns
    -------
    bool or None
        ``None`` where all that were looked at are 0, or nothing could be read.
    """
    kind = "f" if item == 4 else "d"
    seen = False
    with open_unbuffered(path) as file:
        for probe in range(_PROBES):
            first = max(0, (count - _PROBED) * probe // (_PROBES - 1))
            file.seek(offset + first * item)
            raw = file.read(min(count, _PROBED) * item) or b""
            values = struct.unpack(
                f"{order}{len(raw) // item}{kind}", raw[: len(raw) // item * item]
            )
            if not all(-(2**31) <= value < 2**32 and value.is_integer() for value in values):
                return False
            seen = seen or any(values)
    return True if seen else None


def digest_of(*headers: bytes) -> str:
    """Return the digest of a file's header bytes."""
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for header in headers:
        digest.update(header)
    return digest.hexdigest()

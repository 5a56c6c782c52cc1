"""What every reader tells of the one image of a file, whatever the format."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from calibrary.formats.cards import Card

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
    warnings: list[str] = field(default_factory=list)


def digest_of(*headers: bytes) -> str:
    """Return the digest of a file's header bytes."""
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for header in headers:
        digest.update(header)
    return digest.hexdigest()

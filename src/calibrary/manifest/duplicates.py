"""A file that was copied twice counts once.

Equal size and equal header make two files candidates; then 64 KiB from their middle, which for
two different exposures never agree; only then the whole files.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace

from calibrary.headers.reading import is_set_aside_for_pedestal, is_set_aside_for_type
from calibrary.manifest.cache import HeaderCache
from calibrary.records import Frame, Reason, ReasonCode, Status

_SAMPLE_BYTES = 64 * 1024
_CHUNK_BYTES = 1024 * 1024


def set_copies_aside(frames: Sequence[Frame], cache: HeaderCache) -> list[Frame]:
    """Return the frames with all but one of byte-identical ones set aside.

    The one with the shortest path is kept: copies are called ``name (1)``, ``name - Copy``.
    """
    alike = _groups(frames, _by_header)
    for part, read in (("sample", _sample_digest), ("whole", _whole_digest)):
        alike = _divided(alike, cache, part, read)
    copies: dict[str, Frame] = {}
    for group in alike:
        first, *others = sorted(group, key=lambda frame: (len(frame.path), frame.path))
        copies.update((other.path, first) for other in others)
    if not copies:
        return list(frames)
    return [
        _as_copy(frame, copies[frame.path]) if frame.path in copies else frame for frame in frames
    ]


def _by_header(frame: Frame) -> Hashable:
    usable = (
        frame.status is Status.USED
        or is_set_aside_for_type(frame)
        or is_set_aside_for_pedestal(frame)
    )
    return (frame.size_bytes, frame.header_digest) if usable and frame.header_digest else None


def _groups(frames: Iterable[Frame], key: Callable[[Frame], Hashable]) -> list[list[Frame]]:
    groups: defaultdict[Hashable, list[Frame]] = defaultdict(list)
    for frame in frames:
        groups[key(frame)].append(frame)
    return [group for value, group in groups.items() if value is not None and len(group) > 1]


def _divided(
    groups: list[list[Frame]], cache: HeaderCache, part: str, read: Callable[[Frame], str]
) -> list[list[Frame]]:
    """Divide groups of equal files by the digest of one part of them."""
    if not groups:
        return []
    known = cache.digests(part)
    new: dict[tuple[str, int, int], str] = {}
    divided = []
    for group in groups:
        digests: dict[str, str] = {}
        for frame in group:
            key = frame.path, frame.size_bytes, frame.mtime_ns
            digests[frame.path] = known.get(key) or new.setdefault(key, read(frame))
        divided += _groups(group, lambda frame: digests[frame.path] or None)  # noqa: B023 - used at once
    cache.keep_digests(part, {key: digest for key, digest in new.items() if digest})
    return divided


def _sample_digest(frame: Frame) -> str:
    return _digest(frame, frame.size_bytes // 2, _SAMPLE_BYTES)


def _whole_digest(frame: Frame) -> str:
    return _digest(frame, 0, frame.size_bytes)


def _digest(frame: Frame, first: int, count: int) -> str:
    """Return a digest of some bytes of a file; empty where it cannot be read."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open(frame.path, "rb") as file:  # noqa: PTH123 - a str from the manifest
            file.seek(first)
            while count > 0 and (chunk := file.read(min(count, _CHUNK_BYTES))):
                digest.update(chunk)
                count -= len(chunk)
    except OSError:
        return ""
    return digest.hexdigest()


def _as_copy(frame: Frame, of: Frame) -> Frame:
    used = ", which is used" if of.status is Status.USED else ""
    text = f"the same bytes as {of.path}{used}"
    reason = Reason(ReasonCode.COPY, text, "delete one of the two", of.path)
    return replace(frame, status=Status.SET_ASIDE, reason=reason)

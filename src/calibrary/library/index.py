"""The masters that a library holds, by header and, where that is silent, by file name."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from calibrary.library.master_names import MasterName, folder_date, parse_name
from calibrary.manifest.scanning import FoundFile, scan
from calibrary.records import VOID, Frame, FrameType, Reason, ReasonCode, Status

_PUBLISHED = ("published", "refused")
"""Outcomes after which the master in the library, if there is one, is this workflow's own."""

_BOTH = (".xisf", ".fits")


def read_library(library: Path, cache: Path | None) -> list[Frame]:
    """Return what lies in the library, sorted by path.

    Parameters
    ----------
    library : Path
        Root of the library; it need not exist.
    cache : Path or None
        File of headers already read.

    Returns
    -------
    list of Frame
        Every image file below the library, with its absolute path. Masters have `master_of`;
        what their header lacks is taken from the file name (the guide's pattern or ANAWBPPS's
        own) and the folders. Of those that Calibrary did not make, `inputs_digest` is ``None``.
    """
    from calibrary.manifest.indexing import index_frames

    if not library.is_dir():
        return []
    frames = index_frames([library], cache, progress=False)
    root = os.path.abspath(library)  # noqa: PTH100 - links stay as they are
    return [complete(frame, root) for frame in frames]


def complete(frame: Frame, root: str) -> Frame:
    """Return a master with what its name tells and its header does not."""
    path = os.path.relpath(frame.path, root).replace(os.sep, "/")
    name = parse_name(path)
    if name is None:
        if frame.frame_type is not FrameType.MASTER or frame.date_obs is not None:
            return frame
        return dataclasses.replace(frame, date_obs=folder_date(path))
    if frame.frame_type is not FrameType.MASTER:
        # The name says it is one; a header that says 'Dark Frame' is that of its first input.
        frame = dataclasses.replace(
            frame,
            frame_type=FrameType.MASTER,
            status=Status.IGNORED,
            reason=Reason(ReasonCode.MASTER, "a master by its name: masters are never inputs"),
        )
    lacking = {
        key: value
        for key, value in _told(name).items()
        if value is not None and getattr(frame, key) is None
    }
    if name.master_of is FrameType.DARKFLAT and frame.master_of is FrameType.DARK:
        # XISF has no image type for dark-flats; many programs write theirs as darks.
        lacking["master_of"] = name.master_of
    return dataclasses.replace(frame, **lacking) if lacking else frame


def _told(name: MasterName) -> dict[str, Any]:
    return {
        "master_of": name.master_of,
        "exposure_s": name.exposure_s,
        "temp_c": name.temp_c,
        "gain": name.gain,
        "offset": name.offset,
        "usb_limit": name.usb_limit,
        "x_binning": name.x_binning,
        "y_binning": name.y_binning,
        "filter": name.filter,
        "date_obs": name.date,
    }


def library_digest(library: Path, results: Path) -> str:
    """Return a digest of names, sizes and times of what lies in the library.

    Masters that the workflow of this results folder put there are left out: publishing is no
    reason to plan anew. No file of the library is opened.
    """
    found = {file.path: file for file in scan([library])} if library.is_dir() else {}
    own = {path for path, size, time in _own(library, results) if _is(found, path, size, time)}
    # One master in two formats: only one of the files stands in the verdict.
    own |= {path.rpartition(".")[0] + suffix for path in own for suffix in _BOTH}
    digest = hashlib.sha256()
    for file in found.values():
        if file.path not in own:
            line = f"{os.path.relpath(file.path, library)}\0{file.size}\0{file.mtime_ns}\n"
            digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def published_digests(results: Path) -> frozenset[str]:
    """Return the digests of the masters that the workflow of this results folder published."""
    return frozenset(v["digest"] for v in _verdicts(results) if v["outcome"] == "published")


def _own(library: Path, results: Path) -> Iterator[tuple[str, int, int]]:
    root = os.path.abspath(library)  # noqa: PTH100 - as `scan` does
    for verdict in _verdicts(results):
        if verdict["outcome"] in _PUBLISHED and verdict["master"] is not None:
            path = os.path.join(root, *verdict["master"].split("/"))  # noqa: PTH118 - thousands
            yield path, verdict["master_size"], verdict["master_mtime_ns"]


def _is(found: Mapping[str, FoundFile], path: str, size: int, mtime_ns: int) -> bool:
    file = found.get(path)
    return file is not None and (file.size, file.mtime_ns) == (size, mtime_ns)


def _verdicts(results: Path) -> Iterator[dict[str, Any]]:
    try:
        names = sorted(entry.path for entry in os.scandir(results / "verify"))
    except OSError:
        return
    for name in names:
        if name.endswith((".json", VOID)):
            with open(name, "rb") as file:  # noqa: PTH123 - thousands of small files
                yield json.loads(file.read())

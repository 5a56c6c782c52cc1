"""What a process does that reads headers for `calibrary.manifest.indexing`.

Lines of JSON in, lines of JSON out: first the user's additions to the tables, then lists of files
as ``[path, size, mtime_ns, root]``; for each list, the list of their frames.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from calibrary.formats.table import format_of
from calibrary.headers.reading import HeaderError, read_header
from calibrary.manifest.rows import encode_frame
from calibrary.manifest.scanning import FoundFile
from calibrary.records import Frame, Reason, ReasonCode, Status, UnreachableError


def read_frame(file: FoundFile, extras: Mapping[str, object] | None) -> Frame:
    """Return the frame of a file; one that cannot be understood is set aside, never an error."""
    path = Path(file.path)
    try:
        return read_header(path, extras, Path(file.root)).frame
    except (HeaderError, UnreachableError) as error:
        reason = error.reason
    except Exception as error:
        text = f"header not understood ({type(error).__name__}: {error})"
        reason = Reason(ReasonCode.NOT_UNDERSTOOD, text, "please report it")
    kind = format_of(path).name
    return Frame(
        path=file.path,
        size_bytes=file.size,
        mtime_ns=file.mtime_ns,
        format=kind,
        status=Status.SET_ASIDE,
        reason=reason,
    )


def main() -> None:
    """Read lists of files from standard input until it ends."""
    extras = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        frames = [read_frame(FoundFile(*file), extras) for file in json.loads(line)]
        sys.stdout.write(json.dumps([encode_frame(frame) for frame in frames]) + "\n")
        sys.stdout.flush()

"""Open files, as many at once as the system allows."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO


def open_unbuffered(path: Path) -> IO[bytes]:
    """Open a file for reading, without a buffer.

    Raises
    ------
    OSError
        It cannot be opened.
    """
    return with_more_files(lambda: path.open("rb", buffering=0))


def with_more_files(open_it: Callable[[], IO[bytes]]) -> IO[bytes]:
    """Open a file; where the process has too many open, raise its limit to what is allowed."""
    try:
        return open_it()
    except OSError as error:
        if error.errno != errno.EMFILE or not _raise_limit():
            raise
        return open_it()


def _raise_limit() -> bool:
    """Let the process open as many files as it may; tell whether that is more than before."""
    if sys.platform == "win32":  # No such limit below the 16 million handles of a process.
        return False
    import resource

    soft, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))
    return soft != allowed

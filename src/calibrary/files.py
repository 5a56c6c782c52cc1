"""Files that appear whole or not at all: written beside their place, then renamed into it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from calibrary.records import CalibraryError

LONGEST_PATH = 259 if sys.platform == "win32" else None
"""Characters of a path that the system surely takes."""


@contextmanager
def appearing(path: Path, *, durable: bool = True, replace: bool = True) -> Iterator[Path]:
    """Give a path beside `path`; what is made there takes its place at the end.

    A reader sees what was at `path` before or the new file whole, never half of it. After any
    error what was there is still there, and nothing is left beside it.

    Parameters
    ----------
    path
        Its folder is made where it is missing.
    durable
        Flush the file and its name to the disk, for what must outlive a power cut.
    replace
        Take the place of a file that is there; else that is a ``FileExistsError``.

    Raises
    ------
    OSError
        Whatever the system refuses.
    """
    beside = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    # A killed run may have left one.
    beside.unlink(missing_ok=True)
    try:
        yield beside
        if durable:
            with beside.open("r+b") as file:
                os.fsync(file.fileno())
        if replace:
            beside.replace(path)
        else:
            _take_free_name(beside, path)
    finally:
        # After a rename between two names of one file, too, which does nothing.
        beside.unlink(missing_ok=True)
    if durable:
        _flush_folder(path.parent)


def write_text_atomic(path: Path, text: str) -> None:
    """Write `text` so that a reader never sees half of it.

    Raises
    ------
    CalibraryError
        It cannot be written; what was there still is.
    """
    try:
        with appearing(path, durable=False) as beside:
            beside.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from None


def unwritable(path: Path, error: OSError) -> CalibraryError:
    """Return the error for a file that the system does not let be written."""
    reason = error.strerror or error
    remedy = "free space, or change its permissions or the folder"
    if LONGEST_PATH is not None and len(str(path.absolute())) > LONGEST_PATH:
        remedy = (
            f"its path has more than the {LONGEST_PATH} characters that Windows takes: choose a "
            "folder with a shorter one, or allow long paths in the system's settings"
        )
    return CalibraryError(f"{path}: cannot be written ({reason}); {remedy}")


def _flush_folder(path: Path) -> None:
    # Windows opens no folders, and some network file systems know no flushing of them.
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _take_free_name(beside: Path, path: Path) -> None:
    try:
        # A link fails where the name is taken: nothing is overwritten, not even in a race.
        os.link(beside, path)
    except FileExistsError:
        raise
    except (OSError, AttributeError):
        # The file system, or the system, knows no links.
        if path.exists():
            raise FileExistsError(f"{path}: exists") from None
        beside.rename(path)

"""Where the bytes of an image come from: a file, memory, or an unpacked copy of either.

Nothing here knows about formats. Reads take an offset, so that threads may share a source.
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import IO, Protocol

import numpy as np
import numpy.typing as npt

from calibrary.formats import cards
from calibrary.formats.layout import Layout, PixelError
from calibrary.formats.opening import open_unbuffered, with_more_files
from calibrary.records import CalibraryError, UnreachableError

IN_MEMORY_BYTES = 256 * 1024
"""Unpacked images up to this size stay in memory, larger ones go to a scratch file: an
integration has all its frames open at once."""

Bytes = npt.NDArray[np.uint8]


class Source(Protocol):
    """Bytes of one image, counted from its first sample."""

    def read_into(self, offset: int, out: Bytes) -> None:
        """Fill `out` with the bytes from `offset` on."""

    def close(self) -> None:
        """Let the file go."""


@dataclass(slots=True)
class Opened:
    """What a format module finds: where the samples are and how they are laid out."""

    layout: Layout
    source: Source
    direct: bool
    interleaved: bool = False
    """The channels of a pixel stand together, instead of each channel's rows."""
    scale_unknown: bool = False
    """Floats whose header does not say whether they are normalised."""


class FileSource:
    """Bytes of an open file, from `start` on."""

    def __init__(self, path: Path, file: IO[bytes], start: int) -> None:
        self._path, self._file, self._start = path, file, start
        self._moving = Lock()

    def read_into(self, offset: int, out: Bytes) -> None:
        """Fill `out` from the file, without any buffer in between.

        Raises
        ------
        PixelError
            The file ends before `out` is full.
        UnreachableError
            It cannot be reached any more.
        """
        done = 0
        try:
            while done < out.size:
                # The system reads at most 2 GiB in one call.
                got = self._read_at(self._start + offset + done, out[done:])
                if got == 0:
                    raise PixelError(f"{self._path}: ends within its pixels; copy it again")
                done += got
        except OSError as error:
            raise unreadable(self._path, error) from None

    def _read_at(self, position: int, out: Bytes) -> int:
        """Read into `out` from a place in the file; several threads may read one file."""
        if sys.platform != "win32" and hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [out.data], position)
        # Windows, and macOS before 11: one thread at a time moves the file's position.
        with self._moving:
            self._file.seek(position)
            return self._file.readinto(out.data) or 0  # type: ignore[attr-defined]

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class MemorySource:
    """Bytes in memory."""

    def __init__(self, data: Bytes) -> None:
        self._data = data

    def read_into(self, offset: int, out: Bytes) -> None:
        """Copy into `out`."""
        out[:] = self._data[offset : offset + out.size]

    def close(self) -> None:
        """Nothing to do."""


class Unpacked:
    """Takes unpacked bytes in order, then serves them.

    Small images stay in memory; the others go to a file without a name, which the system removes
    when it is closed, however the process ends.
    """

    def __init__(self, path: Path, size: int, scratch: Path | None) -> None:
        self._path, self._size, self._scratch = path, size, scratch
        self._filled = 0
        self._memory = np.empty(size, np.uint8) if size <= IN_MEMORY_BYTES else None
        self._file = None if self._memory is not None else self._open()

    def _open(self) -> IO[bytes]:
        try:
            return with_more_files(lambda: tempfile.TemporaryFile(dir=self._scratch, buffering=0))
        except OSError as error:
            raise self._no_scratch(error) from None

    def append(self, data: bytes | Bytes) -> None:
        """Add the next bytes of the image.

        Raises
        ------
        PixelError
            There are more bytes than the image has.
        CalibraryError
            The scratch folder is full. Not a `PixelError`: the frame is not to blame.
        """
        piece = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else data
        start, self._filled = self._filled, self._filled + piece.size
        if self._filled > self._size:
            raise self._wrong_size()
        if self._memory is not None:
            self._memory[start : self._filled] = piece
        elif self._file is not None:
            done = 0
            try:
                while done < piece.size:
                    done += self._file.write(piece[done:].data)
            except OSError as error:
                raise self._no_scratch(error) from None

    def source(self) -> Source:
        """Return the bytes appended.

        Raises
        ------
        PixelError
            They are fewer than the image has.
        """
        if self._filled != self._size:
            raise self._wrong_size()
        if self._memory is not None:
            return MemorySource(self._memory)
        assert self._file is not None
        return FileSource(self._path, self._file, 0)

    def close(self) -> None:
        """Give up what was appended."""
        if self._file is not None:
            self._file.close()

    def _wrong_size(self) -> PixelError:
        return PixelError(
            f"{self._path}: unpacks to {self._filled} bytes, its image has {self._size}; "
            "copy it again"
        )

    def _no_scratch(self, error: OSError) -> CalibraryError:
        folder = self._scratch or Path(tempfile.gettempdir())
        return CalibraryError(
            f"{folder}: no room to unpack {self._path.name} ({error.strerror}); "
            "free space there or set TMPDIR to another folder"
        )


def open_file(path: Path) -> IO[bytes]:
    """Open a file for unbuffered reading.

    Raises
    ------
    UnreachableError
        It cannot be opened.
    """
    try:
        return open_unbuffered(path)
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: Exception) -> PixelError | UnreachableError:
    """Return the error for a file that the system, or a library, cannot read."""
    found = cards.unreadable(path, error)
    return found if isinstance(found, UnreachableError) else PixelError(str(found))

"""The formats that frames are read from: one row each, and one module that reads it.

To add a format, write its reader, a module with the two functions of `Reader`, and a row here.
The scan of folders, headers, pixels and the table in the README follow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from calibrary.formats.image import ImageHeader
    from calibrary.formats.sources import Opened


class Reader(Protocol):
    """What a format's module has.

    Rows and whole images are read through what `open_pixels` returns, the same for all formats
    (`calibrary.pixels.reading`).
    """

    def header(self, path: Path) -> ImageHeader:
        """Return what the header tells of the one image; no pixel is read.

        Raises
        ------
        HeaderError
            The file cannot be read or understood, or holds no image.
        """

    def open_pixels(self, path: Path, scratch: Path | None) -> Opened:
        """Return where the samples of the one image are, and their layout.

        Parameters
        ----------
        path
            The file.
        scratch
            Folder for what must be unpacked; ``None`` for the system's temporary folder.

        Raises
        ------
        PixelError, HeaderError
            The file cannot be understood, is truncated or corrupt.
        CalibraryError
            There is no room in the scratch folder.
        """


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files that frames are read from."""

    name: str
    """As in the column ``format`` of the manifest."""
    suffixes: tuple[str, ...]
    """Endings of file names, lower case."""
    reader: str
    """The module that reads it."""
    what: str
    """What is read, for the README."""

    def load(self) -> Reader:
        """Return the reader, imported when it is first needed."""
        return cast(Reader, import_module(self.reader))


FORMATS = (
    Format(
        name="fits",
        suffixes=(".fits", ".fit", ".fts", ".fz", ".fits.gz", ".fit.gz", ".fts.gz"),
        reader="calibrary.formats.fits_reader",
        what="FITS: integers and floats, plain, gzipped, or tile-compressed by fpack",
    ),
    Format(
        name="xisf",
        suffixes=(".xisf",),
        reader="calibrary.formats.xisf_reader",
        what="monolithic XISF: integers and floats, plain or compressed by any codec of XISF 1.0",
    ),
)
"""The first is taken for files of unknown names."""

SUFFIXES = tuple(suffix for row in FORMATS for suffix in row.suffixes)
"""Endings of the files that are looked at, lower case."""


def format_of(path: PurePath) -> Format:
    """Return the format that the name of a file tells: FITS where it tells none."""
    name = path.name.lower()
    return next((row for row in FORMATS if name.endswith(row.suffixes)), FORMATS[0])


def reader_of(path: PurePath) -> Reader:
    """Return the reader of a file, by its name."""
    return format_of(path).load()


MARKS = ("<!-- formats: python -m calibrary.formats README.md -->", "<!-- end of formats -->")
"""Between them the README holds what `markdown` returns."""


def markdown() -> str:
    """Return the table of formats for people."""
    lines = ["| files | what is read |", "|---|---|"]
    for row in FORMATS:
        suffixes = " ".join(f"`{suffix}`" for suffix in row.suffixes)
        lines.append(f"| {suffixes} | {row.what} |")
    return "\n".join(lines)


def with_table(text: str) -> str:
    """Return a page with the table of formats between its marks made anew."""
    first, last = map(re.escape, MARKS)
    table = f"{MARKS[0]}\n{markdown()}\n{MARKS[1]}"
    return re.sub(f"{first}.*?{last}", lambda _: table, text, flags=re.DOTALL)

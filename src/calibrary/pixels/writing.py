"""Write a master: XISF or FITS by its suffix, whole or not at all, the same bytes each time."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from calibrary.model import CalibraryError
from calibrary.pixels.layout import ADU_FULL_SCALE

Value = str | int | float | bool | None
CardLike = tuple[str, Value, str]

_NOT_IN_KEYWORDS = re.compile(r"[^A-Z0-9_-]")
_RESERVED = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|END|BSCALE|BZERO|BLANK|BUNIT|BLOCKED|HISTORY|COMMENT"
    r"|PCOUNT|GCOUNT|GROUPS|CHECKSUM|DATASUM|LONGSTRN|CONTINUE|INHERIT|THEAP|EXT(NAME|VER|LEVEL)"
    r"|Z(IMAGE|BITPIX|NAXIS\d*|CMPTYPE|TILE\d+)|P(TYPE|SCAL|ZERO)\d+"
    r"|T(TYPE|FORM|NULL|SCAL|ZERO|UNIT|DISP|DIM|BCOL)\d+|TFIELDS"
)
"""Keywords that describe the file's own structure; a copied one would be wrong here."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Master:
    """What goes into a master file besides its samples.

    `write_master` makes it; keywords are legal and single, numbers finite.
    """

    width: int
    height: int
    channels: int
    cards: tuple[CardLike, ...]
    history: tuple[str, ...]
    properties: Mapping[str, object]
    image_type: str | None
    cfa: str | None
    output: Mapping[str, Any] = field(default_factory=dict)

    @property
    def time(self) -> str:
        """Time of the last exposure, the file's only date; ISO 8601, UTC, ``Z`` at the end.

        A file of the same inputs is the same file, so the clock is never read.
        """
        dates = {keyword: str(value) for keyword, value, _ in self.cards}
        return f"{dates.get('DATE-END') or dates.get('DATE-OBS') or '1970-01-01T00:00:00'}Z"


def write_master(
    path: Path,
    data_adu: npt.NDArray[np.float32],
    *,
    height: int,
    channels: int,
    cards: Sequence[CardLike],
    history: Sequence[str] = (),
    properties: Mapping[str, object] | None = None,
    image_type: str | None = None,
    cfa: str | None = None,
    output: Mapping[str, Any] | None = None,
) -> int:
    """Write a master beside `path`, then rename it into place.

    XISF samples are float32 in [0, 1], ADU / 65535, negative and non-finite ones 0: PixInsight
    would else rescale the whole image. FITS samples are float32 ADU, untouched.

    Parameters
    ----------
    path
        Ends in ``.xisf``, or in ``.fits``, ``.fit`` or ``.fts``.
    data_adu
        ``[height * channels, width]``, float32, ADU.
    cards
        Keyword, value, comment. Of a repeated keyword the last one counts. Cards about the
        file's structure, and values that are unknown (``None``), not finite or, under DATE, no
        ISO 8601 date in UTC, are left out.
    history
        Lines of HISTORY.
    properties
        XISF properties beyond those that follow from the cards.
    image_type
        XISF imageType, such as ``MasterDark``.
    cfa
        Bayer pattern, such as ``RGGB``.
    output
        ``codec`` (lz4, lz4hc, zlib, zstd, none), ``shuffle``, ``checksum`` (sha-1, sha-256,
        sha-512, none), ``fits_units`` (adu, normalised).

    Returns
    -------
    int
        How many samples were outside [0, 65535] ADU or not finite, and had to be changed.

    Raises
    ------
    CalibraryError
        It cannot be written: disk full, no permission. What was at `path` is still there.
    """
    path = Path(path)
    rows, width = data_adu.shape
    if rows != height * channels or data_adu.dtype != np.float32:
        msg = f"{data_adu.dtype} {data_adu.shape} is not {height} x {channels} rows of float32"
        raise ValueError(msg)
    master = Master(
        width=width,
        height=height,
        channels=channels,
        cards=tuple(_clean(cards)),
        history=tuple(history),
        properties=properties or {},
        image_type=image_type,
        cfa=cfa,
        output=output or {},
    )
    with replacing(path) as file:
        if path.suffix.lower() == ".xisf":
            from calibrary.pixels.xisf_writer import write_xisf

            return write_xisf(file, data_adu, master)
        from calibrary.pixels.fits_writer import write_fits

        return write_fits(file, data_adu, master)


def _clean(cards: Sequence[CardLike]) -> list[CardLike]:
    kept: dict[str, CardLike] = {}
    for keyword, value, comment in cards:
        if isinstance(value, np.generic):
            value = value.item()
        name = _NOT_IN_KEYWORDS.sub("_", keyword.upper())[:8]
        if name == "DATE" or name.startswith("DATE-"):
            value = _plain_date(str(value))
        if name and not _RESERVED.fullmatch(name) and _known(value):
            kept[name] = (name, value, comment)
    return list(kept.values())


def _known(value: Value) -> bool:
    return value is not None and (not isinstance(value, float) or bool(np.isfinite(value)))


def _plain_date(text: str) -> str | None:
    """Return a date as FITS wants it, UTC without saying so (section 4.4.2.1), if it is one."""
    plain = text.removesuffix("Z").removesuffix("+00:00")
    try:
        datetime.fromisoformat(plain)
    except ValueError:
        return None
    return plain if _DATE.fullmatch(plain) else None


def normalised(
    data_adu: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float32], int]:
    """Return ADU as floats in [0, 1], and how many samples had to be changed for it."""
    values = data_adu / np.float32(ADU_FULL_SCALE)
    inside = np.minimum(np.fmax(values, np.float32(0.0)), np.float32(1.0))
    return inside, int(np.count_nonzero(inside != values))


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file beside `path`; on success it takes the place of `path`, else it is removed.

    Raises
    ------
    CalibraryError
        For whatever the system refuses; the text names `path`.
    """
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with beside.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise CalibraryError(
            f"{path}: cannot be written ({error.strerror or error}); free space, or change its "
            "permissions or the folder"
        ) from None


def _sync_folder(folder: Path) -> None:
    """Make a rename durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

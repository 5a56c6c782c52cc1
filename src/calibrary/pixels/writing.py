"""Write a master: XISF or FITS by its suffix, whole or not at all, the same bytes each time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from calibrary.files import appearing, unwritable
from calibrary.pixels.master import CardLike, Master, Value
from calibrary.pixels.storing import storing_of, with_marks

_NOT_IN_KEYWORDS = re.compile(r"[^A-Z0-9_-]")
_RESERVED = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|END|BSCALE|BZERO|BLANK|BUNIT|BLOCKED|HISTORY|COMMENT"
    r"|PCOUNT|GCOUNT|GROUPS|CHECKSUM|DATASUM|LONGSTRN|CONTINUE|INHERIT|THEAP|EXT(NAME|VER|LEVEL)"
    r"|Z(IMAGE|BITPIX|NAXIS\d*|CMPTYPE|TILE\d+)|P(TYPE|SCAL|ZERO)\d+"
    r"|T(TYPE|FORM|NULL|SCAL|ZERO|UNIT|DISP|DIM|BCOL)\d+|TFIELDS"
)
"""Keywords that describe the file's own structure; a copied one would be wrong here."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?)?", re.ASCII)


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
    threads: int = 1,
) -> int:
    """Write a master beside `path`, then rename it into place.

    XISF samples are float32 in [0, 1], ADU / 65535: PixInsight would else rescale the whole image.
    Where more than 1 in 10,000 are negative, a pedestal is added to all of them, which the header
    tells (PEDESTAL, ADDEDPED) and `reading` takes away; else negative ones become 0. FITS samples
    are float32 ADU, untouched. A sample that is not finite is missing: 0 in XISF, NaN in FITS, and
    their number stands in the header (MISSPIX).

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
    threads
        For XISF, whose samples are normalised and shuffled side by side.

    Returns
    -------
    int
        How many samples the format cannot hold, and had to be changed; missing ones do not count.

    Raises
    ------
    CalibraryError
        It cannot be written: disk full, no permission; its samples do not fit into [0, 1]. What
        was at `path` is still there.
    """
    path = Path(path)
    rows, width = data_adu.shape
    if rows != height * channels or data_adu.dtype != np.float32:
        msg = f"{data_adu.dtype} {data_adu.shape} is not {height} x {channels} rows of float32"
        raise ValueError(msg)
    output = output or {}
    stored = storing_of(
        path,
        data_adu,
        in_unit_range=_is_xisf(path) or output.get("fits_units", "adu") != "adu",
        is_flat=image_type == "MasterFlat",
    )
    master = Master(
        width=width,
        height=height,
        channels=channels,
        cards=tuple(_clean(with_marks(cards, stored))),
        history=tuple(history),
        properties=properties or {},
        image_type=image_type,
        cfa=cfa,
        output=output,
        pedestal=stored.pedestal,
    )
    try:
        with appearing(path) as beside, beside.open("wb") as file:
            changed = _writer(path, threads)(file, data_adu, master)
        return changed - stored.missing if changed else 0
    except OSError as error:
        raise unwritable(path, error) from None


def _is_xisf(path: Path) -> bool:
    return path.suffix.lower() == ".xisf"


def _writer(
    path: Path, threads: int
) -> Callable[[IO[bytes], npt.NDArray[np.float32], Master], int]:
    """Return the writer of a format; what it imports is loaded only when it is needed."""
    if _is_xisf(path):
        from calibrary.pixels.xisf_writer import write_xisf

        return partial(write_xisf, threads=threads)
    from calibrary.pixels.fits_writer import write_fits

    return write_fits


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

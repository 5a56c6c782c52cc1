"""A master as a FITS file: one image, float32."""

from __future__ import annotations

from typing import IO

import numpy as np
import numpy.typing as npt
from astropy.io import fits

from calibrary.pixels.ascii_text import to_ascii
from calibrary.pixels.master import CardLike, Master, normalised

_CHUNK_ROWS = 64
_STRING_MAX = 68
"""Characters of a string that fit on a card, doubled quotes counted."""


def write_fits(file: IO[bytes], data_adu: npt.NDArray[np.float32], master: Master) -> int:
    """Write `data_adu` (``[rows, width]``) as float32, in ADU or in [0, 1].

    Returns
    -------
    int
        How many samples had to be changed, missing ones too: none in ADU.
    """
    in_adu = master.output.get("fits_units", "adu") == "adu"
    samples: npt.NDArray[np.float32] = np.empty(data_adu.shape, ">f4")
    changed = 0
    for start in range(0, data_adu.shape[0], _CHUNK_ROWS):
        values = data_adu[start : start + _CHUNK_ROWS]
        if not in_adu:
            known = np.isfinite(values)
            values, count = normalised(values, master.pedestal)
            values[~known] = np.nan
            changed += count
        samples[start : start + _CHUNK_ROWS] = values
    if master.channels > 1:
        samples = samples.reshape(master.channels, master.height, master.width)
    hdu = fits.PrimaryHDU(samples)
    if in_adu:
        hdu.header["BUNIT"] = ("adu", "unit of the samples")
    _fill(hdu.header, master)
    # A fixed comment: astropy's own tells the time of writing.
    hdu.add_datasum(when="checksum of the data")
    hdu.add_checksum(when="checksum of header and data", override_datasum=True)
    hdu.writeto(file, output_verify="exception")
    return changed


def _fill(header: fits.Header, master: Master) -> None:
    cards = [_card(card) for card in master.cards]
    if any(len(card.image) > fits.card.CARD_LENGTH for card in cards):
        header["LONGSTRN"] = ("OGIP 1.0", "long strings are continued")
    for card in cards:
        header.append(card, end=True)
    for line in master.history:
        header.add_history(to_ascii(line))


def _card(card: CardLike) -> fits.Card:
    keyword, value, comment = card
    if isinstance(value, str):
        value = to_ascii(value).rstrip()
        if len(value) + value.count("'") > _STRING_MAX:
            return _continued(keyword, value)
        # An ampersand at the end means that the string is continued.
        value = value[:-1] + "+" if value.endswith("&") else value
    made = fits.Card(keyword, value)
    # Keyword and value take at least 30 columns where a comment follows.
    room = fits.card.CARD_LENGTH - max(30, len(made.image.rstrip())) - len(" / ")
    if room > 0:
        made.comment = to_ascii(comment)[:room]
    return made


def _continued(keyword: str, text: str) -> fits.Card:
    """Return a string too long for one card, without its comment (section 4.2.1.2).

    Not astropy's own way, which tears doubled quotes apart.
    """
    pieces = [""]
    for letter in text.replace("&", "+"):
        spelled = "''" if letter == "'" else letter
        if len(pieces[-1]) + len(spelled) >= _STRING_MAX:
            pieces.append("")
        pieces[-1] += spelled
    names = [f"{keyword:8}= ", *["CONTINUE  "] * (len(pieces) - 1)]
    ends = [*["&'"] * (len(pieces) - 1), "'"]
    lines = (f"{a}'{b}{c}".ljust(80) for a, b, c in zip(names, pieces, ends, strict=True))
    return fits.Card.fromstring("".join(lines))

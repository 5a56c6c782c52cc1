"""Which filter a frame was taken through: by one keyword, by the wheels, else by its name."""

from __future__ import annotations

import itertools
import re
from pathlib import PurePath

from calibrary.headers.dialects import Dialects
from calibrary.headers.lookup import Header, clean_text
from calibrary.records import FrameType


def read_filter(header: Header, frame_type: FrameType, path: PurePath) -> str | None:
    """Return the filter.

    What several wheels hold is joined with ``+``; a wheel that is open does not count where
    another has a filter. Of a flat without any in the header the name may tell it.

    Parameters
    ----------
    header
        Its keywords and properties.
    frame_type
        Only of a flat the name is asked: in that of a dark it is where the wheel stood, if
        anything.
    path
        Of the file; its name, then its folder.
    """
    found = [*itertools.islice(_known(header, "filter"), 1), *_known(header, "filter_wheels")]
    filters: list[tuple[str, str]] = []
    for key, text in found:
        is_open = text.casefold() in header.dialects.unknown["open_wheel"]
        if not is_open and not any(_holds(other, text) for _, other in filters):
            filters.append((key, text))
    if filters or found:
        filters = filters or found[:1]
        header.sources["filter"] = ", ".join(key for key, _ in filters)
        return "+".join(text for _, text in filters)
    return _by_name(header, path) if frame_type is FrameType.FLAT else None


def _known(header: Header, quantity: str) -> list[tuple[str, str]]:
    """Return key and text of every value that says something."""
    unknown = header.dialects.unknown["filter"]
    texts = [(found.key, clean_text(found.value)) for found in header.all(quantity)]
    return [(key, text) for key, text in texts if text and text.casefold() not in unknown]


def _holds(joined: str, text: str) -> bool:
    """Tell whether a filter's text names another: ``V``, or ``V+ND3``, names ``V``."""
    return text.casefold() in joined.casefold().replace(",", "+").split("+")


def _by_name(header: Header, path: PurePath) -> str | None:
    for name, where in ((path.name.partition(".")[0], "file name"), (path.parent.name, "folder")):
        found = _in_name(header.dialects, name, is_folder=where == "folder")
        if found is not None:
            header.sources["filter"] = where
            header.warn(f"no filter in the header, {found!r} by the {where}")
            return found
    return None


def _in_name(dialects: Dialects, name: str, *, is_folder: bool) -> str | None:
    for pattern in dialects.name_filters:
        if match := pattern.search(name):
            return str(match["filter"])
    # "flat-R", "Ha_flat_1"; digits are left to the words: "flat_OIII_2", "flat_O3_2".
    words: list[str] = re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name))
    for at, word in enumerate(words):
        beside = [*words[max(0, at - 1) : at], *words[at + 1 : at + 2]]
        alone = is_folder and len(words) == 1
        if word.casefold() in dialects.filter_words and (alone or any(map(_is_flat, beside))):
            return word
    return None


def _is_flat(word: str) -> bool:
    return word.casefold().rstrip("0123456789").rstrip("s") in ("flat", "skyflat", "domeflat")

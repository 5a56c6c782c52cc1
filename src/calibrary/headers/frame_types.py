"""What type of frame a file says it is: by its header, else by its name, else by its folder."""

from __future__ import annotations

import glob
import itertools
import re
from dataclasses import dataclass, replace
from pathlib import PurePath

from calibrary.headers.dialects import Dialects, normalise_type
from calibrary.headers.lookup import Found, Header, clean_text, number
from calibrary.records import CALIBRATION_TYPES, FrameType, Reason, ReasonCode, TypeSource

RETYPE = "retype it in the overrides file"
"""The remedy for a wrong or missing type."""


@dataclass(frozen=True, slots=True)
class TypeFinding:
    """A frame's type, and what is wrong with it."""

    frame_type: FrameType
    source: TypeSource | None
    key: str | None
    """Keyword, property, or the name it was read from."""
    master: bool = False
    reason: Reason | None = None
    """Why a frame of this type is no input; ``None`` if it is one."""
    said: str | None = None
    """What the header says of the type, and under which keywords."""


@dataclass(frozen=True, slots=True)
class _Said:
    found: Found
    frame_type: FrameType | None
    master: bool


def find_type(header: Header, path: PurePath, image_type: str | None) -> TypeFinding:
    """Return the type of a frame.

    Parameters
    ----------
    header
        Its keywords.
    path
        Of the file; its name and folders speak where the header does not.
    image_type
        The attribute ``imageType`` of an XISF image, which goes before all keywords.
    """
    said = _sayings(header, image_type)
    finding = _finding(header.dialects, path, said)
    told = ", ".join(f"{s.found.key} = {_quote(s.found)}" for s in said)
    return replace(finding, said=told or None)


def _finding(dialects: Dialects, path: PurePath, said: list[_Said]) -> TypeFinding:
    known = [s for s in said if s.frame_type is not None]
    master = any(s.master for s in said)
    if not known:
        return _from_names(dialects, path, said, master)
    kinds = {s.frame_type for s in known} - {None}
    first = known[0]
    if kinds == {FrameType.DARK, FrameType.DARKFLAT}:
        # XISF has no imageType for dark-flats, so a program that knows them says both.
        first = next(s for s in known if s.frame_type is FrameType.DARKFLAT)
    elif len(kinds) > 1:
        texts = ", ".join(f"{s.found.key} says {_quote(s.found)}" for s in known)
        text = f"contradictory frame type: {texts}"
        reason = Reason(ReasonCode.TYPE_CONTRADICTORY, text, RETYPE)
        return TypeFinding(FrameType.UNKNOWN, None, None, master, reason)
    frame_type = first.frame_type or FrameType.UNKNOWN
    source = TypeSource.PROPERTY if first.found.key == "imageType" else TypeSource.HEADER
    light = _light_reason(dialects, path, first) if frame_type is FrameType.LIGHT else None
    return TypeFinding(frame_type, source, first.found.key, master, light)


def _sayings(header: Header, image_type: str | None) -> list[_Said]:
    found = [Found(image_type, "imageType")] if image_type else []
    order = header.dialects.keywords["frame_type"]
    cards = [c for c in header.cards if c.keyword in order and c.value not in (None, "")]
    cards.sort(key=lambda card: order.index(card.keyword))
    found += [Found(card.value, card.keyword) for card in cards]
    return [_said(header.dialects, f) for f in found]


def _said(dialects: Dialects, found: Found) -> _Said:
    if found.key == "PICTTYPE":
        code = number(found.value)
        return _Said(found, dialects.frame_type_numbers.get(int(code or 0)), master=False)
    text = clean_text(found.value) or ""
    plain = normalise_type(text)
    master = "MASTER" in text.upper() or found.key == "CALFRAME"
    for pattern, frame_type in dialects.frame_types:
        if plain and pattern.fullmatch(plain):
            return _Said(found, frame_type, master)
    return _Said(found, None, master)


def _from_names(dialects: Dialects, path: PurePath, said: list[_Said], master: bool) -> TypeFinding:
    # A header that names some other kind of image ("Focus") is believed, unless it only says
    # that the file is a master.
    other = next((s for s in said if not s.master and _speaks(s)), None)
    if other is not None:
        text = (
            f"{other.found.key} is {_quote(other.found)}, which is no type that a master is"
            " made from"
        )
        reason = Reason(ReasonCode.TYPE_OTHER, text, f"if it should be, {RETYPE}")
        return TypeFinding(FrameType.UNKNOWN, TypeSource.HEADER, other.found.key, master, reason)
    frame_type, source, name = type_from_names(dialects, path)
    if frame_type is None:
        keys = ", ".join(dialects.keywords["frame_type"][:3])
        text = f"no frame type in the header ({keys}), file name or folder"
        reason = Reason(ReasonCode.TYPE_MISSING, text, RETYPE)
        return TypeFinding(FrameType.UNKNOWN, None, None, master, reason)
    if frame_type is not FrameType.LIGHT:
        return TypeFinding(frame_type, source, name, master)
    text = f"the name {name!r} says light, the header has no type"
    return TypeFinding(frame_type, source, name, master, _light(text))


def _speaks(said: _Said) -> bool:
    # PICTTYPE 0 is unknown; FRAME also numbers frames or names a coordinate system.
    if said.found.key in ("PICTTYPE", "FRAME"):
        return False
    return normalise_type(str(said.found.value)) not in ("", "UNKNOWN", "NONE", "N/A")


def type_from_names(
    dialects: Dialects, path: PurePath
) -> tuple[FrameType | None, TypeSource | None, str | None]:
    """Return the type that whole words of the file's name, else its nearest folder, tell."""
    words = _type_words(dialects, path.name.partition(".")[0] or path.name)
    words = words or _type_words(dialects, path.name)
    if words:
        # "Bias_5.0s_Bin1_Dark_gain100": the first word is the type, the later the filter slot.
        return words[0], TypeSource.FILENAME, path.name
    for folder in reversed(path.parent.parts):
        kinds = set(_type_words(dialects, folder))
        if len(kinds) == 1:
            return kinds.pop(), TypeSource.FOLDER, folder
        if kinds:
            break
    return None, None, None


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case: ``MasterDark_01`` gives ``master, dark``."""
    return [word.lower() for word in _WORD.findall(name)]


def is_master_name(dialects: Dialects, name: str) -> bool:
    """Tell whether a file name is that of a master: begins so, or says so before a type."""
    words = words_of(name)
    if words and words[0] in ("master", "masters"):
        return True
    plain = [*dialects.names, *(f"master{word}" for word in dialects.names)]
    pairs = itertools.pairwise(words)
    return any(first == "master" and second in plain for first, second in pairs) or any(
        word.startswith("master") and word.removeprefix("master") in dialects.names
        for word in words
    )


def _type_words(dialects: Dialects, name: str) -> list[FrameType]:
    words = [word.removeprefix("master") for word in words_of(name)]
    types: list[FrameType] = []
    at = 0
    while at < len(words):
        word, after = words[at], words[at + 1] if at + 1 < len(words) else ""
        frame_type = dialects.names.get(word)
        if word in ("dark", "flat") and after in ("flat", "flats", "dark", "darks"):
            if not after.startswith(word):
                frame_type = FrameType.DARKFLAT
                at += 1
        elif after in dialects.not_after:
            frame_type = None
        if frame_type is not None:
            types.append(frame_type)
        at += 1
    return types


def _light(text: str) -> Reason:
    return Reason(ReasonCode.LIGHT, text, f"if it is none, {RETYPE}")


def _light_reason(dialects: Dialects, path: PurePath, said: _Said) -> Reason:
    seen = f"{said.found.key} is {_quote(said.found)}"
    frame_type, source, name = type_from_names(dialects, path)
    if frame_type in CALIBRATION_TYPES:
        where = "file name" if source is TypeSource.FILENAME else f"folder {name!r}"
        entry = f"retype: [{{files: {_glob(path, source, name)!r}, type: {frame_type}}}]"
        return Reason(
            ReasonCode.LIGHT_BY_HEADER,
            f"{seen} but the {where} says {frame_type}",
            f"if it is a {frame_type}, {RETYPE}: {entry}",
            entry,
        )
    return _light(f"{seen}: a light, not a calibration frame")


def _glob(path: PurePath, source: TypeSource | None, name: str | None) -> str:
    """Return a glob that takes this frame and its siblings."""
    if source is TypeSource.FOLDER:
        return f"{glob.escape(name or '')}/"
    stem = re.match(r"(.*?(?:flats?|darks?|bias(?:es)?)[-_ .]?)", path.name, re.IGNORECASE)
    return f"{glob.escape(stem[1] if stem else path.stem)}*"


def _quote(found: Found) -> str:
    return repr(clean_text(found.value) or "")[:60]

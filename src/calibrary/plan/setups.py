"""Setups by one name: aliases, and what the header of a master lost, from its name or folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from calibrary.config.model import Aliases
from calibrary.library.master_names import setup_of
from calibrary.library.names import setup_name
from calibrary.plan.places import below
from calibrary.records import Frame, GroupKeys


def with_aliases(frames: Sequence[Frame], aliases: Aliases) -> list[Frame]:
    """Return the frames or masters with the names and numbers that the configuration joins."""
    names = {key: of for key in Aliases.model_fields if (of := getattr(aliases, key))}
    if not names:
        return list(frames)
    aliased = []
    for frame in frames:
        changes = {}
        for key, of in names.items():
            value = getattr(frame, key)
            name = of.get(value, value)
            if name != value:
                changes[key] = name
        aliased.append(dataclasses.replace(frame, **changes) if changes else frame)
    return aliased


def with_setups(masters: Sequence[Frame], keys: Iterable[GroupKeys], library: str) -> list[Frame]:
    """Return the masters, those without telescope and camera with that of a setup of this run.

    A name holds ``{TELESCOP}_{INSTRUME}`` sanitised, so it can be recognised but not taken
    apart. Letter case does not count: ANAWBPPS writes it in capitals.
    """
    setups: dict[str, set[tuple[str | None, str | None]]] = {}
    for key in keys:
        setups.setdefault(setup_name(key).casefold(), set()).add((key.telescope, key.camera))
    found = []
    for master in masters:
        if master.telescope is None and master.camera is None and master.master_of is not None:
            known = setups.get((setup_of(below(master.path, library)) or "").casefold(), set())
            if len(known) == 1:
                telescope, camera = next(iter(known))
                master = dataclasses.replace(master, telescope=telescope, camera=camera)
        found.append(master)
    return found

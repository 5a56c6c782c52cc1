"""Coverage: what masters there are for each setup, and what to shoot next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from calibrary.config import Config
from calibrary.library.names import exposure_word, settings_words, setup_name, telling_words
from calibrary.plan.places import below
from calibrary.plan.setups import with_aliases
from calibrary.records import (
    CALIBRATION_TYPES,
    Action,
    CalibratorKind,
    Frame,
    FrameType,
    GroupKeys,
    Key,
    Verdict,
    keys_of,
)
from calibrary.records.keys import naming_keys

if TYPE_CHECKING:
    import pandas as pd

REFRESH_DAYS = {
    FrameType.BIAS: 60,
    FrameType.DARK: 30,
    FrameType.DARKFLAT: 1,
    FrameType.FLAT: 1,
}
"""Age from which a master is stale, days: the guide's refresh schedule (bias every one to two
months, darks monthly, flats and dark-flats with every session)."""

COLUMNS = (
    "setup",
    "frame_type",
    "setting",
    "masters",
    "newest",
    "age_days",
    "refresh_days",
    "stale",
    "n_frames",
    "minimum",
    "recommended",
    "verdict",
    "status",
    "shoot_next",
)
"""Columns of ``coverage.csv``.

setting : exposure or filter, gain, offset, binning, temperature, as in the master's name; then, as
    there too, what tells rows apart that would read alike: readout mode, USB limit, size and place
    of a sub-frame, serial number of the camera, Bayer pattern
masters : how many there are, of all dates
newest, age_days : date of the newest one (``YYYY-MM-DD``) and its age
refresh_days, stale : age from which it is stale, and whether it is
n_frames, minimum, recommended : frames of the newest one and the numbers wanted
verdict : of the newest one; empty for a master that this run did not judge
status : ``missing``, ``failed``, ``too_few``, ``below_minimum``, ``stale`` or ``ok``
shoot_next : what to do about it; empty if nothing
"""

_URGENCY = ("failed", "too_few", "missing", "below_minimum", "stale", "ok")
_WORDS = {
    FrameType.BIAS: "bias frames",
    FrameType.DARK: "darks",
    FrameType.DARKFLAT: "dark-flats",
    FrameType.FLAT: "flats",
}


@dataclass(frozen=True, slots=True)
class _Item:
    """One master, made or to be made."""

    setup: str
    frame_type: FrameType
    keys: GroupKeys
    day: str
    n_frames: int | None
    verdict: str = ""
    exists: bool = True
    lacks: str = ""
    foreign: bool = False
    """Another program made it: its header may have lost what tells cameras apart."""

    @property
    def alike(self) -> tuple[str, FrameType, str]:
        """What names that nothing is appended to have in common."""
        setting = " ".join(settings_words(self.frame_type, self.keys))
        return self.setup, self.frame_type, setting

    @property
    def state(self) -> tuple[object, ...]:
        """What else must be equal for two to stand in one row."""
        return _state(self.keys)


def coverage(
    groups: Sequence[Mapping[str, Any]],
    masters: Sequence[Frame],
    config: Config,
    verdicts: Mapping[str, Mapping[str, Any]],
    today: date,
) -> pd.DataFrame:
    """Return one row for each setup, type and setting, the most urgent of a setup first.

    Parameters
    ----------
    groups : sequence of mapping
        The work orders as ``plan/groups.json`` has them.
    masters : sequence of Frame
        The library.
    verdicts : mapping
        Group -> its record in ``verify/``.

    Returns
    -------
    pandas.DataFrame
        With the columns `COLUMNS`. Only the newest master of a setting is judged: older ones
        are history.
    """
    import pandas as pd

    made = [_of_group(group, verdicts.get(group["group"], {})) for group in groups]
    known = {v.get("master") for v in verdicts.values()}
    shelved = with_aliases(masters, config.aliases)
    made += [item for master in shelved if (item := _of_master(master, known, config))]
    found: dict[tuple[str, FrameType, str], list[_Item]] = defaultdict(list)
    for item in made:
        found[item.alike].append(item)
    lacking = [
        item
        for item in (
            *_lacking_darkflats(groups, verdicts, config),
            *_lacking_bias(groups, made, config),
        )
        if not any(_serves(other, item.keys) for other in found.get(item.alike, ()))
    ]
    for item in lacking:
        found[item.alike].append(item)
    rows = [
        row
        for (_, _, setting), items in found.items()
        for row in _rows(setting, items, config, today)
    ]
    rows.sort(
        key=lambda row: (
            row["setup"],
            _URGENCY.index(row["status"]),
            CALIBRATION_TYPES.index(FrameType(row["frame_type"])),
            row["setting"],
        )
    )
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({"age_days": "Int64", "n_frames": "Int64"})


def _of_group(group: Mapping[str, Any], record: Mapping[str, Any]) -> _Item:
    return _Item(
        setup=group["setup"],
        frame_type=FrameType(group["frame_type"]),
        keys=_keys(group),
        day=(group["first_date_obs"] or "")[:10],
        n_frames=record.get("n_combined") or group["n_frames"],
        verdict=str(record.get("verdict") or ""),
        exists=group["action"] != Action.TOO_FEW and record.get("master") is not None,
    )


def _of_master(master: Frame, known: set[object], config: Config) -> _Item | None:
    if master.master_of is None or below(master.path, config.library) in known:
        return None
    keys = keys_of(master)
    return _Item(
        setup=setup_name(keys),
        frame_type=master.master_of,
        keys=keys,
        day=(master.date_obs or "")[:10],
        n_frames=master.n_combined,
        foreign=master.inputs_digest is None,
    )


def _keys(group: Mapping[str, Any]) -> GroupKeys:
    return GroupKeys(**group["keys"])


def _telling() -> tuple[Key, ...]:
    """Return the keys that part rows although the setting, as names have it, is the same."""
    return tuple(key for key in naming_keys() if key.told_by_masters)


def _state(keys: GroupKeys) -> tuple[Hashable, ...]:
    """Return the values of those keys as the header of a master tells them.

    Of a whole frame some programs write that it begins at zero, others nothing.
    """
    return tuple(
        0 if value is None and key.name in _ORIGIN else value
        for key, value in ((key, key.in_master(keys)) for key in _telling())
    )


_ORIGIN = ("x_origin", "y_origin")


def _serves(item: _Item, keys: GroupKeys) -> bool:
    """Say whether, as in matching, one camera in one state may have made an item and `keys`."""
    return not any(
        key.excludes(mine, its, lenient=key.if_known or (item.foreign and key.lost))
        for key, mine, its in zip(_telling(), item.state, _state(keys), strict=True)
    )


def _rows(
    setting: str, items: Sequence[_Item], config: Config, today: date
) -> list[dict[str, Any]]:
    """Part the masters of one setting as groups are parted: unknown goes only with unknown.

    A master of another program goes into the only row that it does not contradict; where there
    are several, nobody knows whose it is, and it has a row of its own.
    """
    parts: dict[tuple[object, ...], list[_Item]] = defaultdict(list)
    for item in items:
        parts[item.state].append(item)
    # Those that tell most find their row first.
    for state in sorted(parts, key=lambda state: state.count(None)):
        if not all(item.foreign for item in parts[state]):
            continue
        others = [part for key, part in parts.items() if key != state]
        fitting = [part for part in others if _serves(parts[state][0], part[0].keys)]
        if len(fitting) == 1:
            fitting[0].extend(parts.pop(state))
    keys = [part[0].keys for part in parts.values()]
    return [
        _row(" ".join([setting, *telling_words(part[0].keys, keys)]), part, config, today)
        for part in parts.values()
    ]


def _lacking_darkflats(
    groups: Iterable[Mapping[str, Any]],
    verdicts: Mapping[str, Mapping[str, Any]],
    config: Config,
) -> Iterable[_Item]:
    for group in groups:
        if group["frame_type"] != FrameType.FLAT or not group["calibrator"]:
            continue
        used = verdicts.get(group["group"], {}).get("calibrator") or group["calibrator"]
        kind = used.get("kind") or group["calibrator"]["kind"]
        if kind in (CalibratorKind.DARKFLAT, CalibratorKind.LIBRARY):
            continue
        keys = _keys(group)
        instead = "uncalibrated" if kind == CalibratorKind.NONE else f"calibrated with a {kind}"
        window = f"within {config.match.window} of the flats"
        lacks = f"{exposure_word(keys.exposure_s)} {window}, which are {instead}"
        plain = replace(keys, filter=None)
        yield _Item(group["setup"], FrameType.DARKFLAT, plain, "", None, exists=False, lacks=lacks)


def _lacking_bias(
    groups: Iterable[Mapping[str, Any]], made: Iterable[_Item], config: Config
) -> Iterable[_Item]:
    """Yield the bias that sensors have none of, whatever the temperature, once for each."""
    if not config.use_bias:
        return
    biases: dict[tuple[object, ...], list[_Item]] = defaultdict(list)
    for item in made:
        if item.frame_type is FrameType.BIAS:
            biases[_sensor(item)].append(item)
    told = set()
    for group in groups:
        keys = replace(_keys(group), exposure_s=None, filter=None)
        item = _Item(group["setup"], FrameType.BIAS, keys, "", None, exists=False)
        sensor = _sensor(item)
        if (sensor, item.state) not in told:
            told.add((sensor, item.state))
            if not any(_serves(bias, keys) for bias in biases[sensor]):
                yield item


def _sensor(item: _Item) -> tuple[object, ...]:
    keys = item.keys
    return item.setup, keys.gain, keys.offset, keys.x_binning, keys.y_binning


def _row(setting: str, items: Sequence[_Item], config: Config, today: date) -> dict[str, Any]:
    newest = max(items, key=lambda item: (item.exists, item.day, item.n_frames or 0))
    of = newest.frame_type
    minimum: int = getattr(config.frames.minimum, of.value)
    recommended: int = getattr(config.frames.recommended, of.value)
    age = (today - date.fromisoformat(newest.day)).days if newest.day else None
    stale = age is not None and age > REFRESH_DAYS[of]
    status = _status(newest, minimum, stale=stale)
    return {
        "setup": newest.setup,
        "frame_type": of.value,
        "setting": setting,
        "masters": sum(item.exists for item in items),
        "newest": newest.day,
        "age_days": age,
        "refresh_days": REFRESH_DAYS[of],
        "stale": stale,
        "n_frames": newest.n_frames,
        "minimum": minimum,
        "recommended": recommended,
        "verdict": newest.verdict,
        "status": status,
        "shoot_next": _advice(status, newest, minimum, recommended, age),
    }


def _status(item: _Item, minimum: int, *, stale: bool) -> str:
    if item.n_frames is None and not item.exists:
        return "missing"
    if item.verdict == Verdict.FAIL:
        return "failed"
    if not item.exists:
        return "too_few"
    if item.n_frames is not None and item.n_frames < minimum:
        return "below_minimum"
    return "stale" if stale else "ok"


def _advice(status: str, item: _Item, minimum: int, recommended: int, age: int | None) -> str:
    words = _WORDS[item.frame_type]
    n = item.n_frames or 0
    if status == "missing":
        return f"{recommended} {words}" + (f" of {item.lacks}" if item.lacks else "")
    if status == "failed":
        return f"{recommended} new {words}: the master failed verification, the report says why"
    if status in ("too_few", "below_minimum"):
        more = f"{minimum - n} more {words} at least, {recommended - n} for the recommended number"
        return more if n < minimum else f"{recommended} {words}"
    if status == "stale":
        every = {1: "every session", 30: "monthly", 60: "every one to two months"}
        return (
            f"{recommended} new {words}: {age} days old, due {every[REFRESH_DAYS[item.frame_type]]}"
        )
    return ""

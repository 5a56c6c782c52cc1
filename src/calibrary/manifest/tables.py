"""Frames as tables: the manifest for people and pandas, and the full record for later stages."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calibrary.files import write_text_atomic
from calibrary.records import (
    FRAME_FIELDS,
    MANIFEST_COLUMNS,
    CalibraryError,
    Frame,
    FrameType,
    Reason,
    Status,
    TypeSource,
)

if TYPE_CHECKING:
    import pandas as pd

_DTYPES = {"int": "Int64", "float": "Float64", "bool": "boolean"}
"""Nullable, so that an unknown integer does not make a column of floats."""


def _base_type(annotation: str) -> str:
    return annotation.removesuffix(" | None")


_TYPES = {field.name: _base_type(str(field.type)) for field in fields(Frame)}


def frames_to_table(frames: Iterable[Frame]) -> pd.DataFrame:
    """Return the frames as a table: one row each, the columns of the manifest, typed.

    Unknown is ``pandas.NA``.
    """
    import pandas as pd

    rows = list(frames)
    columns = {name: [_plain(getattr(frame, name)) for frame in rows] for name in MANIFEST_COLUMNS}
    table = pd.DataFrame(columns, dtype=object)
    return table.astype({name: _DTYPES.get(_TYPES[name], "string") for name in columns})


def _plain(value: object) -> object:
    return str(value) if isinstance(value, str | Reason) else value


def write_manifest(frames: Path, path: Path, set_aside: Mapping[str, str]) -> None:
    """Write ``manifest.csv``: one row per file, unknown is empty.

    The same frames give the same bytes. Values stay the texts that they are: to understand
    100,000 rows and to write them down again takes seconds.

    Parameters
    ----------
    frames
        The table that `write_frames` wrote.
    path
        ``manifest.csv``.
    set_aside
        Frames, by path, that were set aside later, and why.
    """
    import pandas as pd

    table = pd.read_csv(frames, usecols=list(MANIFEST_COLUMNS), dtype=str, keep_default_na=False)
    told = table["reason"] != ""
    table.loc[told, "reason"] = [str(read_reason(text)) for text in table.loc[told, "reason"]]
    late = table["path"].isin(list(set_aside))
    table.loc[late, "status"] = Status.SET_ASIDE.value
    table.loc[late, "reason"] = table.loc[late, "path"].map(set_aside)
    write_text_atomic(path, table.to_csv(index=False, lineterminator="\n"))


def write_frames(frames: Iterable[Frame], path: Path) -> None:
    """Write every field of the frames as CSV, for `read_frames`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FRAME_FIELDS)
    for frame in frames:
        writer.writerow([_to_text(getattr(frame, name)) for name in FRAME_FIELDS])
    write_text_atomic(path, text.getvalue())


def read_frames(path: Path) -> list[Frame]:
    """Return the frames that `write_frames` wrote, exactly.

    Raises
    ------
    CalibraryError
        The file cannot be read or is not such a table.
    """
    converters = [_converter(_TYPES[name]) for name in FRAME_FIELDS]
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            header = next(rows, [])
            if tuple(header) != FRAME_FIELDS:
                msg = "other columns than expected"
                raise ValueError(msg)
            return [_frame(row, converters) for row in rows]
    except (OSError, ValueError, csv.Error) as error:
        msg = f"{path}: not a table of frames ({error}); delete it and run again"
        raise CalibraryError(msg) from None


def _frame(row: Sequence[str], converters: Sequence[Callable[[str], Any]]) -> Frame:
    values: list[Any] = [convert(text) for text, convert in zip(row, converters, strict=True)]
    return Frame(*values)


def read_reason(text: str) -> Reason:
    """Return the reason that a cell of `write_frames` holds.

    Raises
    ------
    ValueError
        The cell holds something else.
    """
    return Reason.from_data(json.loads(text))


_CONVERTERS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda text: text == "True",
    "FrameType": FrameType,
    "TypeSource": TypeSource,
    "Status": Status,
    "Reason": read_reason,
}


def _converter(kind: str) -> Callable[[str], Any]:
    if kind == "dict[str, float]":
        return lambda text: json.loads(text) if text else {}
    convert = _CONVERTERS[kind]
    return lambda text: convert(text) if text else None


def _to_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True) if value else ""
    if isinstance(value, Reason):
        return json.dumps(value.to_data(), ensure_ascii=False)
    return str(value)

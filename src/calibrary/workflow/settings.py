"""What `calibrary run` remembers: the configuration of the last run, and a state folder a library.

The settings file is a configuration as ``config/config.yaml`` is, with its comments: whatever it
sets holds for every run that is started without a clone.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
import yaml

from calibrary.files import write_text_atomic
from calibrary.records import CalibraryError
from calibrary.workflow.shipped import shipped

HOME_VARIABLE = "CALIBRARY_HOME"
"""Environment variable with a folder for settings and state, instead of the platform's own."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """Source and library of the last `calibrary run`."""

    source: tuple[str, ...]
    library: str


def settings_file() -> Path:
    """Return the path of the settings file; it need not exist."""
    return _home(platformdirs.user_config_path("calibrary", appauthor=False)) / "config.yaml"


def check_folder() -> Path:
    """Return where `calibrary check` keeps the headers it read, while no library is known."""
    return _home(platformdirs.user_cache_path("calibrary", appauthor=False)) / "check"


def state_folder(library: Path) -> Path:
    """Return where runs of a library keep their results: never inside it.

    Programs that look for masters look through the whole library; candidates that failed their
    verification must not be there.
    """
    place = library.resolve()
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", place.name).strip("_")[:40] or "library"
    digest = hashlib.sha256(str(place).encode()).hexdigest()[:8]
    home = _home(platformdirs.user_data_path("calibrary", appauthor=False))
    return home / "libraries" / f"{name}-{digest}"


def remembered() -> Remembered | None:
    """Return what the last run was given, if there was one.

    Raises
    ------
    CalibraryError
        The settings file is damaged.
    """
    path = settings_file()
    if not path.exists():
        return None
    data = load(path)
    source, library = data.get("source"), data.get("library")
    if not source or not library:
        return None
    return Remembered(tuple([source] if isinstance(source, str) else source), str(library))


def remember(source: Sequence[Path], library: Path) -> None:
    """Write source and library into the settings file; all else in it stays as it is.

    Raises
    ------
    CalibraryError
        The file is damaged or cannot be written.
    """
    path = settings_file()
    if not path.exists():
        _first_settings(path)
    load(path)
    before = text = path.read_text(encoding="utf-8")
    folders = [str(folder) for folder in source]
    text = _with_value(text, "library", str(library))
    text = _with_value(text, "source", folders if len(folders) > 1 else folders[0])
    if text != before:
        write_text_atomic(path, text)


def _first_settings(path: Path) -> None:
    """Write the default configuration, and a file of overrides that has nothing but comments."""
    defaults = shipped() / "config"
    overrides = path.with_name("overrides.yaml")
    if not overrides.exists():
        text = (defaults / "overrides.yaml").read_text(encoding="utf-8")
        write_text_atomic(overrides, text)
    text = (defaults / "config.yaml").read_text(encoding="utf-8")
    # Each library has results of its own, see `state_folder`.
    text = re.sub(r"(?m)^results: .*$", r"# \g<0>", text)
    write_text_atomic(path, _with_value(text, "overrides", str(overrides)))


def load(path: Path) -> dict[str, Any]:
    """Read a configuration file; nothing in it is checked.

    Raises
    ------
    CalibraryError
        It is no YAML, or no mapping.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        told = " ".join(str(error).split())
        raise CalibraryError(f"{path}: cannot be read ({told}); mend or delete it") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise CalibraryError(f"{path}: is no configuration; mend or delete it")
    return data


def _with_value(text: str, key: str, value: str | list[str]) -> str:
    """Return a YAML mapping in which `key` has another value; the rest stays byte for byte."""
    root = yaml.compose(text)
    if isinstance(root, yaml.MappingNode) and root.flow_style:
        # In braces there are no comments to keep, and no lines to add.
        return yaml.safe_dump({**yaml.safe_load(text), key: value}, allow_unicode=True)
    # JSON is YAML, whatever the path has in it.
    new = json.dumps(value, ensure_ascii=False)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    for name, old in pairs:
        if name.value == key:
            start, end = name.end_mark.index, old.end_mark.index
            rest = text[end:]
            # The end of a block lies behind its line.
            gap = "\n" if isinstance(old, yaml.CollectionNode) and not old.flow_style else ""
            return f"{text[:start]}: {new}{gap}{rest}"
    return f"{text.rstrip()}\n\n{key}: {new}\n".lstrip()


def _home(platform: Path) -> Path:
    told = os.environ.get(HOME_VARIABLE)
    return Path(told).expanduser() if told else platform

"""What a run would make of a source folder, and what calibrates what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from calibrary.api.reading import frame_files
from calibrary.plan.planning import Plan
from calibrary.records import CalibraryError, Frame, FrameType

_NOWHERE = "no library"
"""Stands for the library where none is given; it does not exist."""


class Library:
    """The masters below a folder: those of Calibrary, PixInsight, Siril and others.

    Parameters
    ----------
    path
        Root of the library.

    Raises
    ------
    CalibraryError
        There is no such folder.

    Examples
    --------
    >>> import calibrary
    >>> library = calibrary.Library("masters")
    >>> len(library)
    1
    >>> [dark] = library.find(master_of="dark", exposure_s=120)
    >>> dark.gain, dark.temp_c
    (56.0, -10.0)
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise CalibraryError(f"{self.path}: no such folder")
        self._masters: list[Frame] | None = None

    @property
    def masters(self) -> list[Frame]:
        """What is known of each master, by path; headers are read once."""
        from calibrary.library.index import read_library

        if self._masters is None:
            found = read_library(self.path, None)
            self._masters = [frame for frame in found if frame.master_of is not None]
        return self._masters

    def __len__(self) -> int:
        """Return the number of masters."""
        return len(self.masters)

    def __iter__(self) -> Iterator[Frame]:
        """Yield the masters, by path."""
        return iter(self.masters)

    def find(self, **wanted: object) -> list[Frame]:
        """Return the masters whose fields have these values, the newest first.

        Parameters
        ----------
        **wanted
            Fields of `Frame`, such as ``master_of="flat", filter="Ha", camera="QHY600M"``.

        Raises
        ------
        CalibraryError
            There is no such field.
        """
        unknown = wanted.keys() - set(Frame.__slots__)
        if unknown:
            known = ", ".join(sorted(Frame.__slots__))
            raise CalibraryError(f"{', '.join(sorted(unknown))}: no such field; there are {known}")
        found = [
            frame
            for frame in self.masters
            if all(getattr(frame, name) == value for name, value in wanted.items())
        ]
        return sorted(found, key=lambda frame: frame.date_obs or "", reverse=True)


@dataclass(frozen=True, slots=True)
class MatchedGroup:
    """Flats that belong together, and what is to be subtracted from them."""

    group: str
    frames: tuple[Path, ...]
    kind: str
    """``darkflat``, ``dark``, ``library``, ``bias`` or ``none``."""
    calibrator: Path | None
    """The master in the library; None where nothing fits."""
    reason: str
    """Why nothing better was taken; empty for the first choice."""


def plan(
    source: str | PathLike[str] | Iterable[str | PathLike[str]],
    config: Mapping[str, Any] | None = None,
) -> Plan:
    """Say what a run would make of source folders; nothing is written.

    Parameters
    ----------
    source
        A folder, or several.
    config
        Settings as in ``config.yaml``, such as ``{"library": "masters", "use_bias": False}``.

    Returns
    -------
    Plan
        ``groups`` with frames, calibrator and the master's place; ``frames`` with what became of
        each; ``matches``.

    Raises
    ------
    CalibraryError
        A folder cannot be read, or a setting is wrong.

    Examples
    --------
    >>> import calibrary
    >>> plan = calibrary.plan("night")
    >>> for group in plan.groups:
    ...     print(group.frame_type, len(group.frames), group.calibrator and group.calibrator.kind)
    dark 5 None
    flat 5 none
    """
    from calibrary.config import load_config
    from calibrary.library.index import read_library
    from calibrary.manifest import index_frames
    from calibrary.plan.overrides import load_overrides
    from calibrary.plan.planning import make_plan

    folders = [source] if isinstance(source, str | PathLike) else list(source)
    settings = {"library": _NOWHERE, "overrides": None, **(config or {})}
    checked = load_config({**settings, "source": [str(folder) for folder in folders]})
    frames = index_frames(checked.source, None, extras=checked.headers, progress=False)
    overrides = load_overrides(Path(checked.overrides) if checked.overrides else None)
    return make_plan(frames, read_library(Path(checked.library), None), checked, overrides)


def match(
    frames: str | PathLike[str] | Iterable[str | PathLike[str]],
    library: Library | str | PathLike[str],
    config: Mapping[str, Any] | None = None,
) -> list[MatchedGroup]:
    """Find the master that is to be subtracted from flats, among those of a library.

    Parameters
    ----------
    frames
        Flats, or folders of them; other frames are left out.
    library
        Where to look.
    config
        Settings as in ``config.yaml``: tolerances, the ladder.

    Returns
    -------
    list of MatchedGroup
        Flats of one filter, exposure, session and camera together.

    Raises
    ------
    CalibraryError
        A file cannot be read, or there is no flat among them.

    Examples
    --------
    >>> import calibrary
    >>> [flats] = calibrary.match("night/flats", "masters")
    >>> flats.kind, flats.calibrator, len(flats.frames)
    ('none', None, 5)
    """
    from calibrary.config import load_config
    from calibrary.headers.reading import read_header
    from calibrary.plan.overrides import Overrides
    from calibrary.plan.planning import make_plan

    shelf = library if isinstance(library, Library) else Library(library)
    read = [read_header(path).frame for path in frame_files(frames)]
    flats = [frame for frame in read if frame.frame_type is FrameType.FLAT]
    if not flats:
        raise CalibraryError("none of the files is a flat by its header")
    settings = {**(config or {}), "source": ["."], "library": str(shelf.path)}
    made = make_plan(flats, shelf.masters, load_config(settings), Overrides())
    return [
        MatchedGroup(
            group.group,
            tuple(Path(frame.path) for frame in group.frames),
            group.calibrator.kind.value,
            shelf.path / group.calibrator.master if group.calibrator.master else None,
            str(group.calibrator.reason),
        )
        for group in made.groups
        if group.calibrator is not None
    ]

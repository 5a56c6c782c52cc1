"""Find the image files below the source folders: names, sizes and times, no contents."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from calibrary.formats.table import SUFFIXES
from calibrary.records import CalibraryError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

log = logging.getLogger(__name__)

IGNORE_FILE = ".calibraryignore"


class FoundFile(NamedTuple):
    """A file below a source folder."""

    path: str
    """Absolute."""
    size: int
    """Bytes."""
    mtime_ns: int
    root: str
    """The source folder, absolute."""


class _Rules(NamedTuple):
    """An ignore file, and the folder that it speaks of."""

    folder: str
    spec: GitIgnoreSpec


def scan(sources: Iterable[str | os.PathLike[str]]) -> Iterator[FoundFile]:
    """Yield the image files below the source folders, in the same order every time.

    Links are followed; each folder is visited once, however many ways lead to it. Hidden files
    and folders are left out, and so is what a ``.calibraryignore`` (gitignore syntax, in any
    folder) names. A folder below a source that cannot be read is left out with a warning.

    Raises
    ------
    CalibraryError
        A source folder does not exist or cannot be read; an ignore file cannot be understood.
    """
    visited: set[tuple[int, int]] = set()
    for source in sources:
        root = os.path.abspath(os.path.expanduser(source))  # noqa: PTH100, PTH111 - no links resolved
        try:
            os.scandir(root).close()
        except OSError as error:
            msg = f"{root}: source folder cannot be read ({error.strerror}); correct `source`"
            raise CalibraryError(msg) from None
        yield from _walk(root, visited)


def tree_digest(found: Iterable[FoundFile]) -> str:
    """Return a digest of paths, sizes and times: another one when any of them changed."""
    digest = hashlib.sha256()
    for file in found:
        line = f"{file.path}\0{file.size}\0{file.mtime_ns}\0{file.root}\n"
        digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _walk(root: str, visited: set[tuple[int, int]]) -> Iterator[FoundFile]:
    pending: list[tuple[str, tuple[_Rules, ...]]] = [(root, ())]
    while pending:
        folder, rules = pending.pop()
        try:
            stat = os.stat(folder)  # noqa: PTH116 - in the loop over all folders
            if (stat.st_dev, stat.st_ino) in visited:
                continue
            visited.add((stat.st_dev, stat.st_ino))
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            log.warning("%s: folder left out, it cannot be read (%s)", folder, error.strerror)
            continue
        if any(entry.name == IGNORE_FILE for entry in entries):
            rules = (*rules, _Rules(folder, _read_rules(Path(folder, IGNORE_FILE))))
        folders = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                if not _is_ignored(entry.path + "/", rules):
                    folders.append((entry.path, rules))
            elif entry.name.lower().endswith(SUFFIXES) and not _is_ignored(entry.path, rules):
                yield from _found(entry, root)
        pending.extend(reversed(folders))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A link to itself.
        return False


def _found(entry: os.DirEntry[str], root: str) -> Iterator[FoundFile]:
    try:
        entry.path.encode("utf-8")
        stat = entry.stat()
    except UnicodeEncodeError:
        log.warning("%r: file left out, its name is not UTF-8; rename it", entry.path)
    except OSError as error:
        log.warning("%s: file left out, it cannot be read (%s)", entry.path, error.strerror)
    else:
        yield FoundFile(entry.path, stat.st_size, stat.st_mtime_ns, root)


def _read_rules(path: Path) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(path.read_text(encoding="utf-8").splitlines())
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        msg = f"{path}: cannot be understood ({reason}); write it like a .gitignore file"
        raise CalibraryError(msg) from None


def _is_ignored(path: str, rules: Sequence[_Rules]) -> bool:
    # As with git, the ignore file nearest to the file has the last word.
    for rule in reversed(rules):
        verdict = rule.spec.check_file(path[len(rule.folder.rstrip("/")) + 1 :]).include
        if verdict is not None:
            return bool(verdict)
    return False

"""Headers already read, kept between runs in one SQLite file.

A record counts only for the same path, size, modification time and source folder, read by the
same tables; each carries a checksum. Whatever else is found in the file, it is
thrown away and written anew: the cache saves time and is never needed.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from calibrary import __version__, formats, headers
from calibrary.manifest.rows import decode_frame, encode_frame
from calibrary.manifest.scanning import FoundFile
from calibrary.records import FRAME_FIELDS, Frame

log = logging.getLogger(__name__)

_PATIENCE_S = 30.0
_SCHEMA = (
    "CREATE TABLE meta (version TEXT NOT NULL)",
    "CREATE TABLE frames (path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, root TEXT,"
    " tables TEXT, frame TEXT NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE contents (path TEXT, part TEXT, size INTEGER, mtime_ns INTEGER,"
    " digest TEXT NOT NULL, PRIMARY KEY (path, part)) WITHOUT ROWID",
)


class HeaderCache:
    """The cache file, open; a context manager.

    Parameters
    ----------
    path
        The file; ``None`` keeps nothing. It is made where it is missing.
    tables
        Digest of the tables by which headers are read.
    """

    def __init__(self, path: Path | None, tables: str) -> None:
        self._version = f"{__version__} {_code_digest()} {','.join(FRAME_FIELDS)}"
        self._tables = tables
        self._path = path
        self._database = None if path is None else self._open(path)

    def __enter__(self) -> HeaderCache:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._database is not None:
            self._database.close()

    def frames(self, wanted: Mapping[str, FoundFile]) -> Iterator[Frame]:
        """Yield the frames among `wanted` (by path) that are known and unchanged."""
        if self._database is None:
            return
        query = "SELECT path, size, mtime_ns, root, frame, checksum FROM frames WHERE tables = ?"
        try:
            rows = self._database.execute(query, (self._tables,))
            for path, size, mtime_ns, root, frame, checksum in rows:
                file = wanted.get(path)
                if file is None or (size, mtime_ns, root) != file[1:]:
                    continue
                if checksum == _checksum(file, frame):
                    yield decode_frame(frame)
        except (sqlite3.Error, ValueError, TypeError) as error:
            self._give_up(error)

    def keep(self, frames: Iterable[tuple[FoundFile, Frame]]) -> None:
        """Remember frames."""
        rows = [
            (*file, self._tables, text := encode_frame(frame), _checksum(file, text))
            for file, frame in frames
        ]
        self._write("INSERT OR REPLACE INTO frames VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def digests(self, part: str) -> dict[tuple[str, int, int], str]:
        """Return the known digests of a part of the files, by path, size and time."""
        if self._database is None:
            return {}
        query = "SELECT path, size, mtime_ns, digest FROM contents WHERE part = ?"
        try:
            return {
                (row[0], row[1], row[2]): row[3] for row in self._database.execute(query, (part,))
            }
        except sqlite3.Error:
            return {}

    def keep_digests(self, part: str, digests: Mapping[tuple[str, int, int], str]) -> None:
        """Remember digests of a part of the files."""
        rows = [(path, part, size, time, digest) for (path, size, time), digest in digests.items()]
        self._write("INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?, ?)", rows)

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if self._database is None or not rows:
            return
        try:
            with self._database:
                self._database.executemany(statement, rows)
        except sqlite3.Error as error:
            log.warning("header cache cannot be written (%s); the next run reads anew", error)

    def _give_up(self, error: Exception) -> None:
        """Throw a damaged file away; leave one alone that another process is writing."""
        if self._database is None or self._path is None:
            return
        self._database.close()
        self._database = None
        if not _is_busy(error):
            log.warning("%s: header cache is damaged (%s), made anew", self._path, error)
            self._path.unlink(missing_ok=True)
            self._database = self._open(self._path)

    def _open(self, path: Path) -> sqlite3.Connection | None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                return self._connect(path)
            except sqlite3.DatabaseError as error:
                if _is_busy(error) or not path.is_file():
                    raise
                log.warning("%s: header cache is damaged (%s), made anew", path, error)
                path.unlink()
                return self._connect(path)
        except (sqlite3.Error, OSError) as error:
            log.warning("%s: header cache cannot be used (%s); all headers are read", path, error)
            return None

    def _connect(self, path: Path) -> sqlite3.Connection:
        database = sqlite3.connect(path, timeout=_PATIENCE_S)
        try:
            if _version_of(database) != self._version:
                self._create(database)
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _create(self, database: sqlite3.Connection) -> None:
        """Empty the file and lay it out, all at once for other processes."""
        database.isolation_level = None
        database.execute("BEGIN IMMEDIATE")
        if _version_of(database) != self._version:
            for table in ("meta", "frames", "contents"):
                database.execute(f"DROP TABLE IF EXISTS {table}")
            for statement in _SCHEMA:
                database.execute(statement)
            database.execute("INSERT INTO meta VALUES (?)", (self._version,))
        database.execute("COMMIT")
        database.isolation_level = "DEFERRED"


def _code_digest() -> str:
    """Return a digest of the code that reads headers: what other code has read does not count."""
    digest = hashlib.sha256()
    for package in (formats, headers):
        for path in sorted(Path(str(package.__file__)).parent.glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _version_of(database: sqlite3.Connection) -> str | None:
    if {row[0] for row in database.execute("SELECT sql FROM sqlite_master")} != set(_SCHEMA):
        return None
    row = database.execute("SELECT version FROM meta").fetchone()
    return row[0] if row else None


def _is_busy(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _checksum(file: FoundFile, frame: str) -> int:
    return zlib.crc32(f"{file.path}\0{file.size}\0{file.mtime_ns}\0{frame}".encode())

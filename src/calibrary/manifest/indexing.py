"""Source folders become frames: what is new or changed is read, the rest comes from the cache."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from calibrary.headers.dialects import HeaderExtras, load_dialects, plain_extras
from calibrary.manifest.cache import HeaderCache
from calibrary.manifest.duplicates import set_copies_aside
from calibrary.manifest.exposures import doubt_zeros
from calibrary.manifest.rows import decode_frame
from calibrary.manifest.scanning import FoundFile, scan
from calibrary.manifest.worker import read_frame
from calibrary.progress import tell
from calibrary.records import Frame

if TYPE_CHECKING:
    import subprocess

_CHUNK = 64
"""Files that a process reads at a time."""
_KEEP_EVERY = 4096
"""Frames after which the cache is written: what a killed run has read is not lost."""
_FILES_PER_PROCESS = 1000
"""A second process takes 0.1 s to start: it pays from here on."""


def index_frames(
    sources: Iterable[str | os.PathLike[str]],
    cache: Path | None,
    extras: HeaderExtras | Mapping[str, object] | None = None,
    processes: int | None = None,
    progress: bool | None = None,
) -> list[Frame]:
    """Return every frame below the source folders, sorted by path.

    Parameters
    ----------
    sources
        Folders.
    cache
        File of the headers already read; ``None`` reads all of them.
    extras
        The user's additions to the tables, see `calibrary.headers.dialects.load_dialects`.
    processes
        How many read at a time at most, where there is enough to read; ``None`` for the number
        of processors.
    progress
        Whether to show a progress bar; ``None`` for: on a terminal only.

    Raises
    ------
    CalibraryError
        A source folder cannot be read, or `extras` names a quantity that there is not.
    """
    plain = plain_extras(extras)
    with HeaderCache(cache, load_dialects(plain).digest) as known:
        files = {file.path: file for file in scan(sources)}
        frames = {frame.path: frame for frame in known.frames(files)}
        new = [file for path, file in files.items() if path not in frames]
        with _progress(len(new), progress) as advance:
            readings = _read_all(new, plain, processes)
            while some := list(itertools.islice(readings, _KEEP_EVERY // _CHUNK)):
                for batch in some:
                    frames.update((frame.path, frame) for _, frame in batch)
                    advance(len(batch))
                known.keep(pair for batch in some for pair in batch if _may_be_kept(*pair))
        return set_copies_aside(doubt_zeros([frames[path] for path in sorted(frames)]), known)


def _may_be_kept(file: FoundFile, frame: Frame) -> bool:
    # A file that could not be read may be readable the next time without a new time stamp; one
    # that changed while it was read is not what was found.
    return frame.header_digest is not None and file[1:3] == (frame.size_bytes, frame.mtime_ns)


Batch = list[tuple[FoundFile, Frame]]


def _read_all(
    files: Sequence[FoundFile], extras: Mapping[str, object], processes: int | None
) -> Iterator[Batch]:
    chunks = [files[at : at + _CHUNK] for at in range(0, len(files), _CHUNK)]
    processes = min(len(files) // _FILES_PER_PROCESS, processes or _processors())
    if processes < 2:
        for chunk in chunks:
            yield [(file, read_frame(file, extras)) for file in chunk]
        return
    from concurrent.futures import ThreadPoolExecutor, as_completed
    from queue import SimpleQueue

    idle: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()
    workers = [_start_worker(extras) for _ in range(processes)]
    for worker in workers:
        idle.put(worker)

    def read(chunk: Sequence[FoundFile]) -> Batch:
        worker = idle.get()
        try:
            return _read_by(worker, chunk, extras)
        finally:
            idle.put(worker)

    # One thread for each worker: it writes a chunk and waits for the answer.
    threads = ThreadPoolExecutor(processes)
    try:
        for done in as_completed([threads.submit(read, chunk) for chunk in chunks]):
            yield done.result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            _stop(worker)


def _start_worker(extras: Mapping[str, object]) -> subprocess.Popen[str]:
    # A fresh interpreter, not a fork: safe with threads, and the caller's main module is not run.
    import subprocess

    worker = subprocess.Popen(
        [sys.executable, "-c", "from calibrary.manifest.worker import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        # Ctrl-C goes to the parent alone; workers end with their standard input.
        start_new_session=True,
    )
    _send(worker, extras)
    return worker


def _read_by(
    worker: subprocess.Popen[str], chunk: Sequence[FoundFile], extras: Mapping[str, object]
) -> Batch:
    try:
        _send(worker, chunk)
        answer = worker.stdout.readline() if worker.stdout else ""
        frames = [decode_frame(text) for text in json.loads(answer)]
    except (OSError, ValueError):
        # The worker is gone (killed, out of memory): read here.
        frames = [read_frame(file, extras) for file in chunk]
    return list(zip(chunk, frames, strict=True))


def _send(worker: subprocess.Popen[str], message: object) -> None:
    if worker.stdin is not None:
        worker.stdin.write(json.dumps(message) + "\n")
        worker.stdin.flush()


def _stop(worker: subprocess.Popen[str]) -> None:
    worker.kill()
    for pipe in (worker.stdin, worker.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    worker.wait()


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _progress(total: int, wanted: bool | None) -> Iterator[Callable[[int], None]]:
    """Show how many of `total` headers are read, on standard error or to who listens."""
    if total == 0 or not (sys.stderr.isatty() if wanted is None else wanted):
        done = 0

        def told(count: int) -> None:
            nonlocal done
            done += count
            tell(done / total, f"reading headers: {done} of {total}")

        yield told
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("reading headers"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda count: bar.advance(task, count)

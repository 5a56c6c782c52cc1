"""What every job of the workflow does around its one function: its log, and its errors."""

from __future__ import annotations

import atexit
import gc
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from calibrary import progress
from calibrary.records import CalibraryError


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End the process with exit status 1 and one line, when the user can mend the error."""
    try:
        yield
    except CalibraryError as error:
        print(f"calibrary: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def collect_rarely() -> None:
    """Let Python look for cycles of garbage rarely, and not when the process ends.

    A hundred thousand frames, or the jobs of 2,000 groups, are a million objects that stay. The
    collector would walk over all of them time and again: a third of what Snakemake takes when
    there is nothing to do. So are the types of Numba, which an end would take apart one by one.
    """
    gc.set_threshold(200_000)
    atexit.register(gc.freeze)


@contextmanager
def job(log: str) -> Iterator[None]:
    """Send log lines to the job's log, errors too, and tell a display how far it is.

    See also `collect_rarely`.
    """
    collect_rarely()
    handler = logging.FileHandler(log, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    with progress.heard_by(progress.file_writer(Path(log).stem)):
        try:
            yield
        except CalibraryError as error:
            logging.error("%s", error)
            if not progress.shown():  # The display of the run reads the log.
                print(f"calibrary: {error}", file=sys.stderr)
            raise SystemExit(1) from None
        except BaseException:
            logging.exception("unexpected error")
            raise

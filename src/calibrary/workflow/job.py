"""What every job of the workflow does around its one function: its log, and its errors."""

from __future__ import annotations

import atexit
import gc
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

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
    """Send log lines to the job's log, errors too; see also `collect_rarely`."""
    collect_rarely()
    handler = logging.FileHandler(log, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    with one_line_errors():
        try:
            yield
        except CalibraryError as error:
            logging.error("%s", error)
            raise
        except BaseException:
            logging.exception("unexpected error")
            raise

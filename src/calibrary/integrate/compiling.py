"""Where compiled kernels are kept, so that only the first run on a machine compiles them."""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
from filelock import FileLock
from numba import njit
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from calibrary import progress

log = logging.getLogger(__name__)
CACHE_VARIABLE = "CALIBRARY_KERNEL_CACHE"
"""Environment variable with the folder for compiled kernels."""
_SOURCES = (
    "absolute_lines.py",
    "compiling.py",
    "exchanges.py",
    "kernels.py",
    "lanes.py",
    "lines.py",
    "methods.py",
    "network.py",
    "rejections.py",
    "screens.py",
    "settling.py",
    "siril.py",
    "siril_lines.py",
    "tiles.py",
    "winsorizing.py",
)


def compile_once(
    signature: Any,  # noqa: ANN401
    name: str,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that compiles a kernel for one signature, or loads it compiled.

    Jobs that start at the same time with nothing compiled wait for the first one. Each kernel has
    a folder of its own, `name`: then a file of the cache has one content, whoever writes it.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        folder = cache_folder() / name
        folder.mkdir(exist_ok=True)
        with _first_alone(folder / "compiled"), _numba_cache(folder):
            return njit(signature, cache=True, nogil=True)(function)  # type: ignore[no-any-return]

    return decorate


top_level = njit(inline="always")
"""Decorates functions that stand just below a kernel.

Numba optimises a function together with all that it calls, and again with each of its callers:
for functions that call nearly everything, that would take most of the time of compiling.
"""


@intrinsic
def borrowed(typing_context: Any, array: Any) -> Any:  # noqa: ANN401, ARG001
    """Return an array over the same memory that is not counted in and out as it is handed on.

    Numba counts the users of an array with atomic instructions, at every call that it does not
    inline: for each pixel that takes as long as the arithmetic, and threads wait for each other
    where they share an array. A kernel's arguments outlive it, so that there is nothing to count.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        view = make_array(signature.args[0])(context, builder, arguments[0])
        view.meminfo = cgutils.get_null_value(view.meminfo.type)
        return view._getvalue()

    return array(array), generate


def cache_folder() -> Path:
    """Return the folder for kernels of this version of the sources, existing and writable.

    That of the environment variable, else beside the package, else the user's cache, else a
    temporary one of the user.
    """
    told = os.environ.get(CACHE_VARIABLE)
    user = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    places = (
        [Path(told)]
        if told
        else [
            Path(__file__).parent / "__pycache__",
            Path(user).expanduser() / "calibrary",
            Path(tempfile.gettempdir()) / f"calibrary-{_user_id()}",
        ]
    )
    name = f"kernels-{_source_digest()}"
    for place in places:
        folder = place / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK) and folder.stat().st_uid == _user_id():
            return folder
    return Path(tempfile.mkdtemp(prefix="calibrary-"))


def _user_id() -> int:
    """Return the number by which the system tells whose a file is."""
    if sys.platform == "win32":
        return 0  # as `Path.stat` has it there; a temporary folder is the user's own
    return os.getuid()


def _source_digest() -> str:
    """Numba looks at the file of a kernel only; the functions it calls stand in others too."""
    digest = hashlib.sha256(numba.__version__.encode())
    for name in _SOURCES:
        digest.update((Path(__file__).parent / name).read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def _first_alone(marker: Path) -> Iterator[None]:
    """Hold a lock until `marker` exists; the first to get here makes it."""
    if marker.exists():
        yield
        return
    log.info("compiling for this processor: done once, takes some 15 s")
    progress.tell(0.0, "preparing the integration for this computer (once, about 15 s)")
    with FileLock(marker.with_suffix(".lock")):
        yield
        marker.touch()


@contextmanager
def _numba_cache(folder: Path) -> Iterator[None]:
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before

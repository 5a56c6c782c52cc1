"""Calibrary: raw calibration frames in, a verified library of master frames out.

>>> import calibrary
>>> dark = calibrary.stack("night/darks")
>>> dark.write("master_dark.fits")
0
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calibrary.api.judging import verify
    from calibrary.api.planning import Library, MatchedGroup, match, plan
    from calibrary.api.reading import Image, read
    from calibrary.api.stacking import Stack, stack
    from calibrary.records import CalibraryError, Frame, FrameType, Verdict

__version__ = "0.1.0"

_HOMES = {
    "CalibraryError": "records",
    "Frame": "records",
    "FrameType": "records",
    "Image": "api.reading",
    "Library": "api.planning",
    "MatchedGroup": "api.planning",
    "Stack": "api.stacking",
    "Verdict": "records",
    "match": "api.planning",
    "plan": "api.planning",
    "read": "api.reading",
    "stack": "api.stacking",
    "verify": "api.judging",
}

__all__ = [
    "CalibraryError",
    "Frame",
    "FrameType",
    "Image",
    "Library",
    "MatchedGroup",
    "Stack",
    "Verdict",
    "__version__",
    "match",
    "plan",
    "read",
    "stack",
    "verify",
]


class _Package(ModuleType):
    """Keeps the names of functions from the packages `plan` and `verify` when those are loaded."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'calibrary' has no attribute {name!r}")
    value = getattr(import_module(f"calibrary.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__

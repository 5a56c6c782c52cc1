"""Errors that a user can mend, and those that may pass by themselves."""

from __future__ import annotations

import errno

from calibrary.records.reason import Reason, ReasonCode


class CalibraryError(Exception):
    """A problem the user can mend; its text is one line that names the file and the remedy."""


class UnreachableError(CalibraryError):
    """A file could not be reached: a share or a disk is away, a permission is missing.

    Nothing is known of the file itself. What needs it fails and is tried again; a file that is bad
    by itself is another error, and set aside.
    """

    def __init__(self, path: object, text: str, remedy: str = "run again") -> None:
        self.reason = Reason(ReasonCode.UNREACHABLE, text, remedy)
        super().__init__(f"{path}: {self.reason}")


_OF_THE_FILE = frozenset({errno.EINVAL, errno.EOVERFLOW, errno.EFBIG})
"""What the system answers to offsets and sizes that a damaged header asks for."""


def is_unreachable(error: BaseException) -> bool:
    """Tell whether an error is the system's, on the way to a file, and not about its contents.

    Libraries raise ``OSError`` without a number for contents that they do not understand.
    """
    return (
        isinstance(error, OSError) and error.errno is not None and error.errno not in _OF_THE_FILE
    )

"""Faults of the system, for any Python process that has this folder in ``PYTHONPATH``.

``CALIBRARY_FAULTS`` names a JSON file: a list of ``{"process", "path", "error"}``. A process whose
command line contains `process` gets the system's `error` (such as ``EIO``) when it opens a file
whose path matches the regular expression `path`.
"""

import errno
import json
import os
import re
import sys
from pathlib import Path


def _install(faults):
    command = " ".join(sys.orig_argv)
    mine = [
        (re.compile(fault["path"]), getattr(errno, fault["error"]))
        for fault in faults
        if fault["process"] in command
    ]

    def hook(event, arguments):
        if event == "open" and isinstance(arguments[0], str):
            for path, number in mine:
                if path.search(arguments[0]):
                    raise OSError(number, os.strerror(number), arguments[0])

    if mine:
        sys.addaudithook(hook)


_asked = Path(os.environ.get("CALIBRARY_FAULTS", ""))
if _asked.is_file():
    _install(json.loads(_asked.read_text(encoding="utf-8")))

"""Where Snakefile, rules, profiles and the default configuration are, in a clone or installed."""

from __future__ import annotations

from pathlib import Path

from calibrary.records import CalibraryError

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped() -> Path:
    """Return the folder with ``Snakefile``, ``workflow/``, ``profiles/`` and ``config/``.

    That of the clone which the package is imported from, else inside the installed package; they
    are the same files (``pyproject.toml``).

    Raises
    ------
    CalibraryError
        The installation has lost them.
    """
    for folder in (_PACKAGE / "shipped", _PACKAGE.parents[1]):
        if (folder / "workflow" / "Snakefile").is_file():
            return folder
    raise CalibraryError(f"{_PACKAGE}: the workflow's files are missing; install calibrary again")

"""The observatory after its first run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from observatory import Ended, Workspace, flats, take

from calibrary.records import FrameType
from calibrary.simulate.series import Series


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Ended]:
    """Bias, two darks, dark-flats and flats of two filters, and the run that built them."""
    space = Workspace(tmp_path_factory.mktemp("observatory"))
    take(
        space.frames,
        flats("R", "2025-11-10T16:00:00"),
        flats("Ha", "2025-11-10T16:10:00", exposure_s=6.0),
        Series(FrameType.DARKFLAT, 5, "2025-11-10T16:20:00", 1.5),
        Series(FrameType.DARKFLAT, 5, "2025-11-10T16:25:00", 6.0),
        Series(FrameType.BIAS, 6, "2025-11-10T17:00:00", container="xisf"),
        Series(FrameType.DARK, 5, "2025-11-10T18:00:00", 120.0),
        Series(FrameType.DARK, 5, "2025-11-10T18:30:00", 300.0, container="xisf_lz4"),
    )
    (space.root / "config").mkdir()
    (space.root / "config/config.yaml").write_text("source: frames\nlibrary: library\n")
    return space, space.run()


@pytest.fixture(scope="session")
def pristine(first_run: tuple[Workspace, Ended], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The observatory as the first run left it, put away."""
    space, ended = first_run
    assert ended.status == 0, ended.text
    away = tmp_path_factory.mktemp("pristine") / "observatory"
    shutil.copytree(space.root, away, symlinks=True)
    return away


@pytest.fixture
def space(first_run: tuple[Workspace, Ended], pristine: Path) -> Iterator[Workspace]:
    """The observatory after its first run, to do with as a test likes; put right afterwards.

    It stays in its place, since a source folder that moved is read again.
    """
    root = first_run[0].root
    yield Workspace(root)
    _writable(root)
    shutil.rmtree(root)
    shutil.copytree(pristine, root, symlinks=True)


def _writable(root: Path) -> None:
    for path in [root, *root.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)

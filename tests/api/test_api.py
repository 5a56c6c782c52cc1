"""`import calibrary`: its examples run, it is light, and its names are those it lists."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys

import numpy as np
import pytest
from observatory import flats, take

import calibrary
from calibrary.records import FrameType
from calibrary.simulate.series import Series

MODULES = (
    "calibrary",
    *(f"calibrary.api.{n}" for n in ("reading", "stacking", "judging", "planning")),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with darks, flats and a library of one master: where the examples run."""
    root = tmp_path_factory.mktemp("api")
    darks = take(root, Series(FrameType.DARK, 5, "2025-11-10T18:00:00", 120.0))
    (root / "night/darks").mkdir(parents=True)
    for number, path in enumerate(darks, start=1):
        path.rename(root / f"night/darks/{number:04d}.fits")
    for path in take(root, flats("R", "2025-11-10T16:00:00")):
        (root / "night/flats").mkdir(exist_ok=True)
        path.rename(root / "night/flats" / path.name)
    calibrary.stack(root / "night/darks").write(_new(root / "masters/dark.xisf"))
    return root


def _new(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@pytest.mark.parametrize("module", MODULES)
def test_examples_are_true(module, place, tmp_path, monkeypatch):
    (tmp_path / "night").symlink_to(place / "night")
    (tmp_path / "masters").symlink_to(place / "masters")
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS)
    assert tried > 0
    assert failed == 0


def test_every_name_is_there_and_none_is_a_module():
    assert set(dir(calibrary)) == set(calibrary.__all__)
    importlib.import_module("calibrary.plan.planning")
    importlib.import_module("calibrary.verify.judge")
    for name in calibrary.__all__:
        assert not isinstance(getattr(calibrary, name), type(sys)), name


def test_importing_it_loads_nothing_heavy():
    code = "import calibrary, sys; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "numba", "pandas", "snakemake", "astropy"} & set(done.stdout.split())


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        calibrary.nonsense  # noqa: B018


def test_arrays_are_adu_and_numpy_takes_the_image(place):
    image = calibrary.read(place / "night/darks/0001.fits")
    assert 400 < np.median(image) < 600
    master = calibrary.read(place / "masters/dark.xisf")
    assert master.frame.master_of is FrameType.DARK
    assert abs(np.median(master) - np.median(image)) < 2


def test_all_errors_are_one_class(place, tmp_path):
    (tmp_path / "empty").mkdir()
    calls = [
        lambda: calibrary.read(tmp_path / "x.fits"),
        lambda: calibrary.stack(tmp_path / "empty"),
        lambda: calibrary.stack([]),
        lambda: calibrary.verify(tmp_path / "x.fits"),
        lambda: calibrary.plan(tmp_path / "nowhere"),
        lambda: calibrary.plan(tmp_path, {"nonsense": 1}),
        lambda: calibrary.match(place / "night/darks", place / "masters"),
        lambda: calibrary.Library(tmp_path / "nowhere"),
        lambda: calibrary.Library(place / "masters").find(nonsense=1),
    ]
    for call in calls:
        with pytest.raises(calibrary.CalibraryError):
            call()


def test_a_flat_is_matched_with_the_dark_of_the_library(place, tmp_path):
    take(tmp_path / "darks", Series(FrameType.DARK, 5, "2025-11-01T18:00:00", 1.5))
    calibrary.stack(tmp_path / "darks").write(_new(tmp_path / "library/dark.fits"))
    (match,) = calibrary.match(place / "night/flats", tmp_path / "library")
    assert match.kind == "library"
    assert match.calibrator == tmp_path / "library/dark.fits"


def test_a_stack_writes_only_where_it_may(place, tmp_path):
    stack = calibrary.stack(place / "night/darks", rejection="none")
    frames = [calibrary.read(path).data for path in (place / "night/darks").iterdir()]
    np.testing.assert_allclose(stack.data, np.mean(frames, axis=0, dtype=float), rtol=1e-6)
    stack.write(tmp_path / "m.fits")
    with pytest.raises(calibrary.CalibraryError, match="exists"):
        stack.write(tmp_path / "m.fits")
    with pytest.raises(calibrary.CalibraryError, match="must end in"):
        stack.write(tmp_path / "m.tiff")

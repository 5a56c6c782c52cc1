"""`calibrary stack` from the command line to the master file."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from calibrary.cli import main
from calibrary.pixels.reading import read_image
from tests.integrate import references


@pytest.fixture
def darks(write_frames):
    stack = np.random.default_rng(4).normal(700, 6, (16, 20, 30)).round().astype(np.uint16)
    stack[3, 5, 6] = 50000
    return stack, [str(path) for path in write_frames(stack, IMAGETYP="Dark Frame", EXPTIME=60.0)]


@pytest.fixture
def run(monkeypatch, capsys):
    """Run `calibrary stack`; return its exit status and what it printed."""

    def call(*arguments) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["calibrary", "stack", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out + printed.err

    return call


@pytest.mark.parametrize("suffix", [".xisf", ".fits"])
def test_master_is_the_mean_of_what_is_kept(darks, run, tmp_path, suffix):
    stack, paths = darks
    output = tmp_path / f"master{suffix}"
    status, printed = run(*paths, "-o", output, "--rejection", "sigma")
    assert status == 0, printed
    assert "16 frames, sigma 4 / 3" in printed
    expected = [references.sigma(pixel, 4.0, 3.0).mean() for pixel in stack.reshape(16, -1).T]
    master, _ = read_image(output)
    np.testing.assert_allclose(master.ravel(), expected, rtol=2e-6)


def test_profile_and_calibrator(darks, run, tmp_path):
    stack, paths = darks
    dark, output = tmp_path / "dark.fits", tmp_path / "flat.fits"
    assert run(*paths, "-o", dark, "--rejection", "median")[0] == 0
    options = ("--calibrator", dark, "--rejection", "none", "--normalize", "none")
    assert run(*paths, "-o", output, *options)[0] == 0
    difference, _ = read_image(output)
    expected = stack.mean(axis=0) - np.median(stack, axis=0)
    np.testing.assert_allclose(difference, expected, atol=1e-2)
    _, printed = run(*paths, "-o", tmp_path / "w.fits", "--profile", "siril")
    assert "winsorized 3 / 3" in printed


def test_an_output_is_not_overwritten_unasked(darks, run, tmp_path):
    _, paths = darks
    output = tmp_path / "master.fits"
    assert run(*paths, "-o", output)[0] == 0
    before = output.read_bytes()
    status, printed = run(*paths, "-o", output)
    assert status == 1
    assert printed == f"calibrary: {output}: exists; choose another output, or give --overwrite\n"
    assert output.read_bytes() == before
    assert run(*paths, "-o", output, "--overwrite")[0] == 0
    assert output.read_bytes() == before


def test_a_mixture_is_told(darks, write_frames, run, tmp_path):
    stack, paths = darks
    others = write_frames(stack[:1], "other", IMAGETYP="Flat Field", EXPTIME=2.0)
    assert "differ" not in run(*paths, "-o", tmp_path / "darks.fits")[1]
    status, printed = run(*paths, *others, "-o", tmp_path / "m.fits")
    assert status == 0
    assert "calibrary: the frames differ in type: dark, flat" in printed
    assert "calibrary: the frames differ in exposure: 2 s, 60 s" in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.fits", "-o", "m.fits"], "nowhere.fits: there is no such file; check its name"),
        ([".", "-o", "m.fits"], ".: no FITS or XISF files below this folder"),
        (["x.fits", "-o", "m.png"], "m.png: must end in .xisf, .fits, .fit, .fts"),
    ],
)
def test_a_wrong_name_is_one_clear_line(run, arguments, said):
    assert run(*arguments) == (1, f"calibrary: {said}\n")

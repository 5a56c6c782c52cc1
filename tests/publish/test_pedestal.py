"""Raw frames with a PEDESTAL: set aside until the user says that they are raw, then exact."""

from __future__ import annotations

import astropy.io.fits
import numpy as np
import pytest
from observatory import flats, take

from calibrary.headers.reading import read_header
from calibrary.records import FrameType
from calibrary.simulate.series import Series


@pytest.fixture
def night(tmp_path):
    """Flats and dark-flats, whose program writes -100 into every frame."""
    take(
        tmp_path / "source",
        flats("R", "2025-11-10T16:00:00"),
        Series(FrameType.DARKFLAT, 5, "2025-11-10T16:20:00", 1.5),
    )
    write_pedestal(tmp_path, -100)
    (tmp_path / "overrides.yaml").write_text("raw: [{files: '*'}]\n")
    return tmp_path


def write_pedestal(root, value):
    for path in (root / "source").rglob("*.fits"):
        with astropy.io.fits.open(path, mode="update") as hdus:
            hdus[0].header["PEDESTAL"] = value


def test_they_are_set_aside_unless_declared_raw(run, night):
    assert run(night) == {}


def test_declared_raw_they_make_the_same_masters_which_keep_the_pedestal(run, night):
    declared = run(night, overrides=str(night / "overrides.yaml"))
    assert declared["flat"]["calibrator"]["kind"] == "darkflat"
    masters = {kind: night / "library" / verdict["master"] for kind, verdict in declared.items()}
    assert read_header(masters["darkflat"]).frame.pedestal == -100.0
    assert "PEDESTAL" not in astropy.io.fits.getheader(masters["flat"]), "it is subtracted"
    pixels = {kind: astropy.io.fits.getdata(path) for kind, path in masters.items()}

    write_pedestal(night, 0)
    plain = run(night)
    for kind, verdict in plain.items():
        again = astropy.io.fits.getdata(night / "library" / verdict["master"])
        np.testing.assert_array_equal(again, pixels[kind])

"""Masters that Calibrary wrote are read back as what they are, in either format."""

import numpy as np
import pytest

from calibrary.headers.reading import read_header

CARDS = [
    ("IMAGETYP", "Master DarkFlat", "type of image"),
    ("TELESCOP", 'Edge HD 8"', "telescope"),
    ("CAMSERNO", "0a1b2c3d4e5f", "serial number of the camera"),
    ("EXPTIME", 1.5, "[s] exposure of one frame"),
    ("EXPOSURE", 1.5, "[s] exposure of one frame"),
    ("GAIN", 56, "gain setting"),
    ("SET-TEMP", -10.0, "[degC] set temperature"),
    ("NCOMBINE", 19, "frames"),
    ("QCMEAN", 500.25, "[ADU] mean"),
    ("QCRDNOIS", 1.5, "[ADU] read noise"),
    ("SWCREATE", "Calibrary 0.1.0", "software"),
    ("CALDIGST", "0123456789abcdef" * 4, "digest"),
]


@pytest.mark.parametrize("suffix", ["xisf", "fits"])
@pytest.mark.parametrize("units", ["adu", "normalised"])
def test_round_trip(tmp_path, suffix, units):
    from calibrary.pixels.writing import write_master

    path = tmp_path / f"m.{suffix}"
    write_master(
        path,
        np.full((30, 40), 500, np.float32),
        height=30,
        channels=1,
        cards=CARDS,
        history=["dark subtracted: none", "input a.fits rejected 0.001"],
        properties={},
        image_type="MasterDark",
        cfa=None,
        output={"codec": "lz4", "shuffle": True, "checksum": "sha-1", "fits_units": units},
    )
    frame = read_header(path).frame

    assert (frame.frame_type, frame.master_of, frame.n_combined) == ("master", "darkflat", 19)
    assert (frame.status, frame.exposure_s, frame.gain) == ("ignored", 1.5, 56.0)
    assert (frame.telescope, frame.temp_c) == ('Edge HD 8"', -10.0)
    assert frame.camera_serial == "0a1b2c3d4e5f"
    assert frame.inputs_digest == "0123456789abcdef" * 4
    assert frame.qc == {"QCMEAN": 500.25, "QCRDNOIS": 1.5}
    assert frame.normalised == (suffix == "xisf" or units == "normalised")

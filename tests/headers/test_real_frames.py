"""Real frames of two cameras: what their owners say of them is what is understood."""

from collections import Counter

import pytest

from calibrary.headers.reading import is_set_aside_for_type, read_header
from calibrary.records import Frame


@pytest.fixture(scope="module")
def frames(shared_data) -> dict[str, Frame]:
    paths = sorted(p for p in shared_data.rglob("*") if p.suffix.lower() in (".fit", ".fits"))
    return {path.name: read_header(path, root=shared_data).frame for path in paths}


def seconds_in(name: str) -> float:
    told = name.split("expos")[1].split("-")[0]
    return 60.0 if told == "1" else float(told.removesuffix("s"))


def test_every_frame_is_understood(frames):
    assert len(frames) == 96
    assert Counter((f.frame_type, f.status) for f in frames.values()) == {
        ("bias", "used"): 20,
        ("dark", "used"): 37,
        ("light", "set_aside"): 33,
        ("darkflat", "set_aside"): 4,
        ("master", "ignored"): 2,
    }


def test_stl1001(frames):
    own = {name: f for name, f in frames.items() if f.camera == "SBIG STL-1001 3 CCD Camera"}
    assert len(own) == 52
    for name, frame in own.items():
        set_c = -5.0 if "Neg5" in name else -10.0
        assert (frame.set_temp_c, frame.temp_c) == (set_c, set_c)
        assert abs((frame.ccd_temp_c or 0) - set_c) < 0.3
        assert frame.exposure_s == (0.0 if "bias" in name else seconds_in(name))
        assert (frame.width, frame.height, frame.sample_format) == (1024, 1024, "uint16")
        assert (frame.gain, frame.offset, frame.egain) == (None, None, 2.06)
        assert (frame.x_binning, frame.y_binning) == (1, 1)
        assert frame.night == "2017-09-08"
        assert frame.filter == "Visible"
        assert frame.date_obs is not None
        assert "2017-09-08T20:45" <= frame.date_obs <= "2017-09-08T22:53"


def test_flats_called_light_frames_wait_for_a_retype(frames):
    flats = [f for name, f in frames.items() if name.startswith("flat-expos23s")]
    assert len(flats) == 10
    for frame in flats:
        assert frame.frame_type == "light"
        assert is_set_aside_for_type(frame)
        assert "files: 'flat-*', type: flat" in str(frame.reason)


def test_st402(frames):
    darks = {name: f for name, f in frames.items() if name.endswith(".DARK.FIT") and name[0] == "L"}
    assert Counter(f.exposure_s for f in darks.values()) == {240.0: 5, 360.0: 5, 1200.0: 5}
    for frame in darks.values():
        assert (frame.width, frame.height, frame.temp_c) == (765, 255, -15.0)
        assert (frame.x_binning, frame.y_binning) == (1, 2)
        assert frame.night == "2017-10-18"
    flats = {name: f for name, f in frames.items() if name.startswith("L2-flat")}
    subtracted = {name for name, f in flats.items() if "Auto-Dark" in str(f.reason)}
    assert subtracted == {"L2-flat-red-180.00000000.FIT"}
    assert sum(is_set_aside_for_type(f) for f in flats.values()) == 8

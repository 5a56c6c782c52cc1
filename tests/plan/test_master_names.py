"""What the name of a master tells."""

import re

import pytest

from calibrary.library.master_names import MasterName, parse_name
from calibrary.records import FrameType


def test_anawbpps_own_pattern():
    name = parse_name(
        "EDGE_HD_8_QHY600M_MasterDark_2025_11_10_High_Gain_Mode_16BIT_G56_OS10_U60_Bin1x1_120s_-10C.xisf"
    )
    assert name == MasterName(
        FrameType.DARK,
        setup="EDGE_HD_8_QHY600M",
        date="2025-11-10",
        exposure_s=120.0,
        gain=56.0,
        offset=10.0,
        usb_limit=60.0,
        x_binning=1,
        y_binning=1,
        temp_c=-10.0,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "T_C_MasterFlat_2025_11_10_HA_High_Gain_G0_OS10_Bin2x2_2.5s_5C",
            (FrameType.FLAT, "HA", 2.5),
        ),
        (
            "T_C_MasterDarkFlat_2025_11_10_L_M_G0_OS10_Bin1x1_0.5s_0C",
            (FrameType.DARKFLAT, None, 0.5),
        ),
        ("T_C_MasterFlat_S_II_Gain56_Offset10_1x1_-10C", (FrameType.FLAT, "S_II", None)),
        ("T_C_MasterFlat_CFA_NO_GAIN_NO_OFFSET_1x1_NO_TEMP", (FrameType.FLAT, None, None)),
        ("T_C_MasterBias_0s_Gain56_Offset10_1x1_-10C", (FrameType.BIAS, None, 0.0)),
        ("T_C_MasterDark_0.5s_Gain56_Offset10_1x1_-10C_2130", (FrameType.DARK, None, 0.5)),
        ("T_C_MasterDark_2025_11_10_M_GNULL_OSNULL_Bin1x1_030s_0C", (FrameType.DARK, None, 30.0)),
    ],
)
def test_types_filters_exposures(text, expected):
    name = parse_name(f"{text}.xisf")
    assert (name.master_of, name.filter, name.exposure_s) == expected


def test_the_folder_tells_the_date():
    path = "!!!DARKS_LIB/T_C/DARKS_2025_11_10/T_C_MasterDark_120s_Gain56_Offset10_1x1_-10C.xisf"
    assert parse_name(path).date == "2025-11-10"


@pytest.mark.parametrize(
    "path", ["dark_001.fits", "masterDark_BIN-1_EXPOSURE-300.00s.xisf", "Master_Plan.xisf", "x"]
)
def test_other_names_tell_nothing(path):
    assert parse_name(path) is None


@pytest.mark.parametrize("kind", ["bias", "dark", "darkflat", "flat"])
@pytest.mark.parametrize("known", [True, False])
def test_the_names_calibrary_gives_are_read_back(shoot, plan, kind, known):
    lost = {} if known else {"gain": None, "offset": None, "temp_c": None, "filter": None}
    (group,) = plan(shoot(kind, 5, "2025-11-10T20:00:00", **lost)).groups
    name, keys = parse_name(group.master), group.keys
    assert (name.master_of, name.setup) == (group.frame_type, group.setup)
    assert (name.gain, name.offset, name.temp_c) == (keys.gain, keys.offset, keys.temp_c)
    assert (name.x_binning, name.y_binning) == (1, 1)
    assert name.date == "2025-11-10"
    if kind == "flat":
        assert name.filter == keys.filter
    elif kind != "bias":
        assert name.exposure_s == keys.exposure_s
    assert re.fullmatch(r"Edge_HD_8__QHY600M", name.setup)

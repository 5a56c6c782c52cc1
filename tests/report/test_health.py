"""Sensor health: which masters make which trend."""

from pathlib import Path

import numpy as np

from calibrary.records import Frame, FrameType
from calibrary.report.health import trends

LIBRARY = Path("/library")


def master(name, of=FrameType.BIAS, date="2026-01-05T20:00:00", **fields):
    path = LIBRARY / "!!!BIASES_LIB" / "Scope_Cam" / "BIASES_2026_01_05" / f"{name}.xisf"
    return Frame(str(path), frame_type=FrameType.MASTER, master_of=of, date_obs=date, **fields)


def test_masters_without_figures_make_no_trend():
    assert trends([master("a"), master("b", qc={"QCLEVEL": 500.0}, date=None)], LIBRARY) == {}


def test_settings_that_do_not_compare_are_series_of_their_own():
    masters = [
        master("a", gain=0.0, qc={"QCLEVEL": 500.0}),
        master("b", gain=100.0, qc={"QCLEVEL": 510.0}),
        master("c", gain=100.0, qc={"QCLEVEL": 511.0}, date="2026-02-05T20:00:00"),
    ]
    (trend,) = trends(masters, LIBRARY)["Scope_Cam"]
    assert trend.quantity.label == "Bias level"
    assert [len(points) for _, points in sorted(trend.series.items())] == [1, 2]
    assert [series["name"] for series in trend.data()["series"]] == ["gain 0", "gain 100"]
    assert trend.caption == "Bias level of 3 masters; latest 511 ADU on 2026-02-05 (gain 100)"


def test_hot_pixels_are_compared_at_equal_exposure_only():
    masters = [
        master(f"d{s}", FrameType.DARK, exposure_s=s, qc={"QCHOT": 9.0, "QCDRATE": 0.1})
        for s in (60.0, 300.0)
    ]
    by_label = {t.quantity.label: t for t in trends(masters, LIBRARY)["Scope_Cam"]}
    assert len(by_label["Hot pixels"].series) == 2
    assert len(by_label["Dark rate"].series) == 1


def test_a_master_outside_the_layout_goes_by_its_names():
    frame = Frame(
        "/elsewhere/m.fits", master_of=FrameType.BIAS, telescope="T", camera="C",
        date_obs="2026-01-01T00:00:00", qc={"QCLEVEL": 1.0},
    )  # fmt: skip
    assert list(trends([frame], LIBRARY)) == ["T_C"]


def test_what_headers_of_masters_carry_is_found(tmp_path):
    from calibrary.headers.reading import read_header
    from calibrary.pixels.writing import write_master

    path = tmp_path / "m.fits"
    cards = [("IMAGETYP", "Master Bias", ""), ("DATE-OBS", "2026-01-01T00:00:00", "")]
    write_master(
        path, np.zeros((4, 4), np.float32), height=4, channels=1, history=[], properties={},
        cards=[*cards, ("QCLEVEL", 501.5, "[ADU]"), ("CALDIGST", "0" * 64, "")],
        image_type=None, cfa=None,
        output={"format": "fits", "codec": "none", "shuffle": False, "checksum": "none",
                "fits_units": "adu"},
    )  # fmt: skip
    (found,) = trends([read_header(path).frame], tmp_path).values()
    assert [trend.caption[:24] for trend in found] == ["Bias level of 1 master; "]


def test_the_dark_rate_is_told_by_the_bias_nearest_in_time():
    masters = [
        master("old", qc={"QCLEVEL": 400.0}, date="2025-01-05T20:00:00"),
        master("near", qc={"QCLEVEL": 500.0}),
        master("other", gain=7.0, qc={"QCLEVEL": 0.0}),
        master("dark", FrameType.DARK, exposure_s=100.0, qc={"QCLEVEL": 520.0}),
    ]
    by_label = {t.quantity.label: t for t in trends(masters, LIBRARY)["Scope_Cam"]}
    ((point,),) = by_label["Dark rate"].series.values()
    assert point[1] == 0.2

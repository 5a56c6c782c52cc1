"""Sensor health: which masters make which trend."""

from pathlib import Path

from calibrary.model import Frame, FrameType
from calibrary.report.health import QUANTITIES, trends

LIBRARY = Path("/library")


def master(name, of=FrameType.BIAS, date="2026-01-05T20:00:00", **fields):
    path = LIBRARY / "!!!BIASES_LIB" / "Scope_Cam" / "BIASES_2026_01_05" / f"{name}.xisf"
    return Frame(str(path), frame_type=FrameType.MASTER, master_of=of, date_obs=date, **fields)


def test_masters_without_figures_make_no_trend():
    assert trends([master("a"), master("b", qc={"level.median": 500.0}, date=None)], LIBRARY) == {}


def test_settings_that_do_not_compare_are_series_of_their_own():
    masters = [
        master("a", gain=0.0, qc={"level.median": 500.0}),
        master("b", gain=100.0, qc={"level.median": 510.0}),
        master("c", gain=100.0, qc={"level.median": 511.0}, date="2026-02-05T20:00:00"),
    ]
    (trend,) = trends(masters, LIBRARY)["Scope_Cam"]
    assert trend.quantity.label == "Bias level"
    assert [len(points) for _, points in sorted(trend.series.items())] == [1, 2]
    assert trend.caption == "Bias level of 3 masters; latest 511 ADU on 2026-02-05"


def test_hot_pixels_are_compared_at_equal_exposure_only():
    masters = [
        master(f"d{s}", FrameType.DARK, exposure_s=s, qc={"hot.count": 9.0, "dark.rate": 0.1})
        for s in (60.0, 300.0)
    ]
    by_label = {t.quantity.label: t for t in trends(masters, LIBRARY)["Scope_Cam"]}
    assert len(by_label["Hot pixels"].series) == 2
    assert len(by_label["Dark rate"].series) == 1


def test_a_master_outside_the_layout_goes_by_its_names():
    frame = Frame(
        "/elsewhere/m.fits", master_of=FrameType.BIAS, telescope="T", camera="C",
        date_obs="2026-01-01T00:00:00", qc={"level.median": 1.0},
    )  # fmt: skip
    assert list(trends([frame], LIBRARY)) == ["T_C"]


def test_the_figures_are_those_that_headers_carry():
    from calibrary.checks import QC_KEYWORDS

    assert {quantity.figure for quantity in QUANTITIES} <= set(QC_KEYWORDS)

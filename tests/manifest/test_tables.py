"""Frames as tables: typed for people, exact for later stages."""

import dataclasses
import io

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibrary.manifest import frames_to_table, read_frames, write_frames, write_manifest
from calibrary.manifest.rows import decode_frame, encode_frame
from calibrary.records import (
    MANIFEST_COLUMNS,
    CalibraryError,
    Frame,
    FrameType,
    Reason,
    ReasonCode,
    Status,
    TypeSource,
)

TEXT = st.none() | st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20
)
NUMBER = st.none() | st.floats(allow_nan=False, allow_infinity=False)
COUNT = st.none() | st.integers(0, 2**40)
BY_TYPE = {
    "str": TEXT.filter(bool),
    "str | None": TEXT,
    "int": st.integers(0, 2**62),
    "int | None": COUNT,
    "float | None": NUMBER,
    "bool": st.booleans(),
    "FrameType": st.sampled_from(FrameType),
    "FrameType | None": st.none() | st.sampled_from(FrameType),
    "TypeSource | None": st.none() | st.sampled_from(TypeSource),
    "Status": st.sampled_from(Status),
    "Reason | None": st.none() | st.builds(Reason, detail=TEXT.filter(bool)),
    "dict[str, float]": st.dictionaries(
        st.text("QCABC", min_size=1), st.floats(allow_nan=False, allow_infinity=False)
    ),
}
FRAMES = st.builds(Frame, **{f.name: BY_TYPE[str(f.type)] for f in dataclasses.fields(Frame)})
quick = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@quick
@given(st.lists(FRAMES, max_size=3))
def test_frames_survive_their_file(tmp_path, frames):
    write_frames(frames, tmp_path / "index.csv")

    assert read_frames(tmp_path / "index.csv") == frames


@quick
@given(FRAMES)
def test_frames_survive_the_cache(frame):
    assert decode_frame(encode_frame(frame)) == frame


def manifest(folder, frames, set_aside=None):
    write_frames(frames, folder / "frames.csv")
    write_manifest(folder / "frames.csv", folder / "manifest.csv", set_aside or {})
    return (folder / "manifest.csv").read_text(encoding="utf-8")


def test_manifest_has_the_contracts_columns_and_empty_unknowns(tmp_path):
    frame = Frame(
        path="/a, b.fits",
        size_bytes=10,
        frame_type=FrameType.DARK,
        exposure_s=0.1,
        x_binning=1,
        gain=100.0,
        status=Status.SET_ASIDE,
        reason=Reason(ReasonCode.TRUNCATED, 'the "odd" one', "copy it"),
        qc={"QCMEAN": 1.0},
    )
    text = manifest(tmp_path, [frame, Frame(path="/c.fits")])
    table = pd.read_csv(io.StringIO(text), keep_default_na=False, dtype=str)

    columns = "path size_bytes mtime_ns format frame_type type_source telescope camera exposure_s"
    columns += " set_temp_c ccd_temp_c temp_c gain offset readout_mode usb_limit x_binning"
    columns += " y_binning filter bayer_pattern width height channels sample_format date_obs night"
    columns += " software group status reason"
    assert list(table.columns) == columns.split() == list(MANIFEST_COLUMNS)
    assert table.loc[0, "path"] == "/a, b.fits"
    assert table.loc[0, ["frame_type", "exposure_s", "x_binning", "gain", "status"]].tolist() == [
        *("dark", "0.1", "1", "100.0", "set_aside")
    ]
    assert table["reason"].tolist() == ['the "odd" one; copy it', ""]
    assert table.loc[1, "exposure_s":"software"].eq("").all()
    assert "nan" not in text.lower()
    assert "<na>" not in text.lower()


def test_manifest_tells_of_frames_that_were_set_aside_later(tmp_path):
    frames = [Frame(path=f"/{name}.fits", status=Status.USED) for name in "abc"]
    text = manifest(tmp_path, frames, {"/b.fits": "torn, and short"})
    table = pd.read_csv(io.StringIO(text), keep_default_na=False, dtype=str)

    assert table["status"].tolist() == ["used", "set_aside", "used"]
    assert table["reason"].tolist() == ["", "torn, and short", ""]


@quick
@given(st.lists(FRAMES, max_size=5))
def test_manifest_is_the_typed_table_as_text(tmp_path, frames):
    text = manifest(tmp_path, frames)

    assert text == frames_to_table(frames).to_csv(index=False, lineterminator="\n")


@pytest.mark.parametrize("rows", [0, 1])
def test_table_is_typed_also_when_empty_or_unknown(rows):
    table = frames_to_table([Frame(path="/a.fits")] * rows)

    types = {name: str(dtype) for name, dtype in table.dtypes.items()}
    assert types["width"] == types["size_bytes"] == "Int64"
    assert types["exposure_s"] == types["gain"] == "Float64"
    assert types["path"] == types["filter"] == types["frame_type"] == "string"


def test_other_files_are_errors_with_their_name(tmp_path):
    path = tmp_path / "index.csv"
    with pytest.raises(CalibraryError, match=r"index\.csv"):
        read_frames(path)
    path.write_text("path,other\n1,2\n")
    with pytest.raises(CalibraryError, match=r"index\.csv"):
        read_frames(path)
    write_frames([Frame(path="/a")], path)
    path.write_text(path.read_text().replace("used", "perhaps"))
    with pytest.raises(CalibraryError, match=r"index\.csv"):
        read_frames(path)

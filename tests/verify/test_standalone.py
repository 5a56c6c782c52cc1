"""`calibrary verify` on masters of any program."""

import json
import shutil
import subprocess

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from calibrary.cli.verify import verify
from calibrary.records import CalibraryError, FrameType
from calibrary.simulate.files import write_fits
from calibrary.simulate.frames import true_master
from calibrary.simulate.scene import Scene
from calibrary.simulate.sensor import Sensor
from calibrary.verify.standalone import measure_file

from .groups import write_group

SENSOR = Sensor(256, 192)
FACTS = [
    ("TELESCOP", "Scope", ""),
    ("INSTRUME", "Camera", ""),
    ("EXPTIME", 2.0, ""),
    ("FILTER", "Ha", ""),
    ("SET-TEMP", -10.0, ""),
    ("GAIN", 56, ""),
    ("OFFSET", 10, ""),
    ("DATE-OBS", "2025-11-10T18:00:00", ""),
]
app = typer.Typer()
app.command()(verify)


def write_master(path, image, image_type, scale=1.0, extra=(), n=50):
    keywords = [("IMAGETYP", image_type, ""), ("NCOMBINE", n, ""), *FACTS, *extra]
    write_fits(path, (image * scale).astype(np.float32), keywords)
    return path


@pytest.mark.parametrize("scale", [1.0, 1 / 65535])
@pytest.mark.parametrize(
    ("image_type", "frame_type"),
    [
        ("Master Bias", FrameType.BIAS),
        ("Master Dark", FrameType.DARK),
        ("Master DarkFlat", FrameType.DARKFLAT),
        ("Master Flat", FrameType.FLAT),
    ],
)
def test_good_masters_pass_in_adu_and_normalised(tmp_path, image_type, frame_type, scale):
    image = true_master(SENSOR, frame_type, exposure_s=2.0)
    path = write_master(tmp_path / "m.fits", image, image_type, scale)
    measured = measure_file(path)
    assert measured["facts"]["frame_type"] == frame_type.value
    assert measured["figures"]["level.median"] == pytest.approx(np.median(image), rel=1e-3)
    result = CliRunner().invoke(app, [str(path)])
    assert result.exit_code == 0, result.output
    assert "pass" in result.output
    assert "warn" not in result.output


def test_a_master_of_few_frames_is_warned_of(tmp_path):
    image = true_master(SENSOR, FrameType.DARK, exposure_s=2.0)
    path = write_master(tmp_path / "m.fits", image, "Master Dark", n=5)
    result = CliRunner().invoke(app, [str(path)])
    assert result.exit_code == 0
    assert "5 frames; 15 is the least" in result.output


def test_a_bad_master_fails_with_exit_status_1_and_says_why(tmp_path):
    flat = Scene(0.98, 0.0, 0.0, 0).flat_map(SENSOR)
    path = write_master(tmp_path / "m.fits", flat, "Master Flat")
    result = CliRunner().invoke(app, [str(path)])
    assert result.exit_code == 1
    assert "98% of full scale" in result.output


def test_a_dark_that_is_a_flat_fails(tmp_path):
    flat = Scene(0.6).flat_map(SENSOR)
    path = write_master(tmp_path / "m.fits", flat, "Master Dark")
    result = CliRunner().invoke(app, ["--json", str(path)])
    assert result.exit_code == 1
    (record,) = json.loads(result.output)
    assert record["verdict"] == "fail"
    failed = [t["name"] for t in record["tests"] if t["verdict"] == "fail"]
    assert failed == ["level.dark_fraction"]


def test_a_master_of_unknown_type_needs_to_be_told(tmp_path):
    write_fits(tmp_path / "x.fits", np.ones((64, 64), np.float32), [])
    with pytest.raises(CalibraryError, match=r"x\.fits.*--type"):
        measure_file(tmp_path / "x.fits")
    result = CliRunner().invoke(app, [str(tmp_path / "x.fits")])
    assert result.exit_code == 1
    image = true_master(SENSOR, FrameType.BIAS).astype(np.float32)
    write_fits(tmp_path / "y.fits", image, [])
    assert CliRunner().invoke(app, ["--type", "bias", str(tmp_path / "y.fits")]).exit_code == 0


def test_one_unreadable_file_does_not_keep_the_others_from_being_told(tmp_path):
    (tmp_path / "bad.fits").write_bytes(b"no image")
    image = true_master(SENSOR, FrameType.BIAS)
    good = write_master(tmp_path / "good.fits", image, "Master Bias")
    result = CliRunner().invoke(app, [str(tmp_path / "bad.fits"), str(good)])
    assert result.exit_code == 1
    assert "good.fits" in result.output
    assert "bad.fits" in result.output


def test_figures_that_calibrary_wrote_are_judged_again(tmp_path):
    digest = ("CALDIGST", "0" * 64, "")
    extra = [digest, ("QCEFFIC", 3.0, ""), ("QCRDNOIS", 5.0, "")]
    image = true_master(SENSOR, FrameType.DARK, exposure_s=60.0)
    path = write_master(tmp_path / "m.fits", image, "Master Dark", extra=extra)
    result = CliRunner().invoke(app, [str(path)])
    assert result.exit_code == 1
    assert "noise.efficiency" in result.output


def test_a_master_as_pixinsight_writes_it(tmp_path):
    from xisf import XISF

    image = (Scene(0.5).flat_map(SENSOR) / 65535).astype(np.float32)
    told = {
        "IMAGETYP": "Master Flat",
        "XBINNING": "1",
        **{k: v for k, v, _ in FACTS if k != "EXPTIME"},
    }
    keywords = {k: [{"value": str(v), "comment": ""}] for k, v in told.items()}
    keywords["HISTORY"] = [{"value": "", "comment": "ImageIntegration.numberOfImages: 40"}]
    path = tmp_path / "masterFlat.xisf"
    XISF.write(str(path), image[..., None], "PixInsight 1.8.9", {"FITSKeywords": keywords})
    measured = measure_file(path)
    assert measured["facts"] == {
        "frame_type": "flat",
        "missing": [],
        "calibrator": None,
        "is_master": True,
    }
    assert measured["figures"]["frames.n"] == 40
    assert measured["figures"]["flat.level_low"] == pytest.approx(0.5, abs=0.01)


@pytest.mark.siril
def test_a_master_that_siril_made(tmp_path):
    siril = shutil.which("siril-cli")
    if siril is None:
        pytest.skip("siril-cli is not on this machine")
    plan = write_group(tmp_path / "in", FrameType.BIAS, 5, sensor=SENSOR)
    for number, frame in enumerate(plan.frames, 1):
        shutil.copy(frame.path, tmp_path / f"b_{number:05}.fit")
    script = "requires 0.99.0\nstack b rej 3 3 -nonorm -out=master_bias\n"
    (tmp_path / "s.ssf").write_text(script)
    command = [siril, "-d", str(tmp_path), "-s", str(tmp_path / "s.ssf")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    (made,) = [*tmp_path.glob("master_bias.fit*")] or pytest.fail(done.stdout[-2000:])
    measured = measure_file(made)
    assert measured["facts"]["frame_type"] == "bias"
    assert measured["figures"]["level.median"] == pytest.approx(500, abs=2)

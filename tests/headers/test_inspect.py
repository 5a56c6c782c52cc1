"""`calibrary inspect`: what was understood, from which key, as a table or JSON."""

import json

import pytest
import typer
from headerfiles import fits_bytes
from typer.testing import CliRunner

from calibrary.cli.inspect import inspect

TEXT = (
    "IMAGETYP = 'Dark'\nEXPTIME = 0\nGAIN = 100\nSET-TEMP = -10\nCCD-TEMP = 999\nINSTRUME = '[x]'"
)


@pytest.fixture
def run(tmp_path):
    app = typer.Typer()
    app.command()(inspect)

    def invoke(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return invoke


@pytest.fixture
def frame(tmp_path):
    path = tmp_path / "frame_1.fits"
    path.write_bytes(fits_bytes(TEXT))
    return path


def test_table_shows_value_unit_and_key(run, frame):
    result = run(frame)
    lines = [line.split() for line in result.stdout.splitlines()]

    assert result.exit_code == 0
    assert str(frame) in result.stdout
    assert ["frame_type", "dark", "IMAGETYP"] in lines
    assert ["exposure_s", "0.0", "s", "EXPTIME"] in lines
    assert ["temp_c", "-10.0", "°C", "SET-TEMP"] in lines
    assert ["camera", "[x]", "INSTRUME"] in lines
    assert "warning: CCD-TEMP is 999: unknown" in result.stdout


def test_json_holds_every_field(run, frame):
    (told,) = json.loads(run(frame, "--json").stdout)

    assert (told["frame_type"], told["gain"], told["offset"]) == ("dark", 100.0, None)
    assert told["sources"]["gain"] == "GAIN"
    assert len(told["warnings"]) == 2


def test_reason_is_shown(run, tmp_path):
    path = tmp_path / "flat_1.fits"
    path.write_bytes(fits_bytes("IMAGETYP = 'Light Frame'"))

    assert "reason: IMAGETYP is 'Light Frame' but" in run(path).stdout


def test_one_bad_file_is_an_error_and_the_others_are_shown(run, frame, tmp_path):
    bad = tmp_path / "bad.fits"
    bad.write_bytes(b"nothing")
    result = run(bad, frame, "--json")

    assert result.exit_code == 1
    assert "bad.fits: is not a FITS file" in result.stderr
    assert len(json.loads(result.stdout)) == 1


def test_spellings_of_the_configuration_count(run, tmp_path):
    path = tmp_path / "a.fits"
    path.write_bytes(fits_bytes("IMAGETYP = 'Schwarz'"))
    config = tmp_path / "config.yaml"
    config.write_text("source: a\nlibrary: b\nheaders: {frame_types: {Schwarz: dark}}\n")

    assert json.loads(run(path, "--json").stdout)[0]["frame_type"] == "unknown"
    assert json.loads(run(path, "--json", "--config", config).stdout)[0]["frame_type"] == "dark"

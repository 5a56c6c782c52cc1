import typer
from typer.testing import CliRunner

from calibrary.cli.simulate import simulate
from calibrary.records import CalibraryError

app = typer.Typer()
app.command()(simulate)


def test_the_command_tells_where_the_frames_and_the_truth_are(tmp_path):
    result = CliRunner().invoke(app, [str(tmp_path), "--frames", "1", "--size", "64x64"])
    assert result.exit_code == 0
    assert str(tmp_path / "frames") in result.output
    assert str(tmp_path / "truth") in result.output
    assert "24 frames" in result.output


def test_a_place_that_cannot_be_written_is_a_users_error(tmp_path):
    (tmp_path / "file").write_text("no folder")
    arguments = [str(tmp_path / "file" / "out"), "--frames", "1", "--size", "64x64"]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, CalibraryError)
    assert "give another folder" in str(result.exception)

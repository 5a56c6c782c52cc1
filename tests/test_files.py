"""Files that appear whole or not at all."""

import os

import pytest

from calibrary import files
from calibrary.files import appearing, write_text_atomic
from calibrary.records import CalibraryError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fail_half_way(path, error):
    with appearing(path) as beside:
        beside.write_bytes(b"half")
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, OSError])
def test_nothing_is_left_behind_after_any_error(tmp_path, error):
    path = tmp_path / "a.xisf"
    path.write_bytes(b"old")
    with pytest.raises(error):
        fail_half_way(path, error)
    assert names(tmp_path) == ["a.xisf"]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("durable", [True, False])
def test_the_old_file_is_there_until_the_new_one_is_whole(tmp_path, durable):
    path = tmp_path / "new/folder/a.txt"
    for text in ("first", "second"):
        before = path.read_text() if path.exists() else None
        with appearing(path, durable=durable) as beside:
            beside.write_text(text)
            assert (path.read_text() if path.exists() else None) == before
        assert path.read_text() == text
    assert names(path.parent) == ["a.txt"]


def test_what_a_killed_run_left_is_in_nobodys_way(tmp_path):
    (tmp_path / ".a.txt.part").write_text("half of something much longer")
    with appearing(tmp_path / "a.txt") as beside:
        os.link(__file__, beside)
    assert (tmp_path / "a.txt").samefile(__file__)
    assert names(tmp_path) == ["a.txt"]


def test_a_file_that_must_not_be_replaced_is_not(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("mine")
    with pytest.raises(FileExistsError), appearing(path, replace=False) as beside:
        beside.write_text("other")
    assert path.read_text() == "mine"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [OSError, AttributeError])
def test_where_there_are_no_links_a_taken_name_is_still_not_replaced(tmp_path, monkeypatch, error):
    def no_links(*_):
        raise error

    monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "a.txt"
    with appearing(path, replace=False) as beside:
        beside.write_text("mine")
    with pytest.raises(FileExistsError), appearing(path, replace=False) as beside:
        beside.write_text("other")
    assert path.read_text() == "mine"
    assert names(tmp_path) == ["a.txt"]


def test_a_path_too_long_for_windows_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LONGEST_PATH", 259)
    long = tmp_path / ("x" * 120) / ("y" * 120) / "a.txt"
    assert "shorter" in str(files.unwritable(long, OSError(22, "Invalid argument")))
    assert "shorter" not in str(files.unwritable(tmp_path, OSError(13, "Permission denied")))


def test_a_text_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CalibraryError, match=r"a\.txt: cannot be written \(.*\); free space"):
        write_text_atomic(tmp_path / "file" / "a.txt", "x")

"""Which files are looked at, and what does not stop a scan."""

import logging
import os

import pytest

from calibrary.manifest import scan, tree_digest
from calibrary.records import CalibraryError


def names(*sources):
    found = list(scan(sources))
    return [os.path.relpath(file.path, file.root) for file in found]


def test_suffixes_hidden_and_temporary_files(put, tmp_path):
    for name in [
        *("a.fits", "b.FIT", "c.fts", "d.fits.fz", "e.fit.gz", "f.xisf", "sub/deep/g.fits"),
        *("._a.fits", ".hidden.fits", ".trash/h.fits", "i.fits.tmp", "j.txt", "k.tif", "fits"),
    ]:
        put(name)

    assert names(tmp_path / "source") == [
        *("a.fits", "b.FIT", "c.fts", "d.fits.fz", "e.fit.gz", "f.xisf", "sub/deep/g.fits"),
    ]


def test_found_files_tell_size_time_and_source(put, tmp_path):
    path = put("x/a.fits")
    (found,) = scan([tmp_path / "source"])

    assert found.path == str(path)
    assert (found.size, found.mtime_ns) == (path.stat().st_size, path.stat().st_mtime_ns)
    assert found.root == str(tmp_path / "source")


def test_loops_of_links_end_and_folders_are_visited_once(put, tmp_path):
    put("night/a.fits")
    source = tmp_path / "source"
    (source / "night/again").symlink_to(source)
    (source / "other").symlink_to(source / "night")
    (source / "self").symlink_to(source / "self")

    assert names(source) == ["night/a.fits"]
    assert len(list(scan([source, source / "night", str(source) + "/"]))) == 1


def test_linked_folders_elsewhere_are_followed(put, tmp_path):
    put("a.fits")
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/b.fits").write_bytes(b"")
    (tmp_path / "source/disk").symlink_to(tmp_path / "disk")

    assert names(tmp_path / "source") == ["a.fits", "disk/b.fits"]


def test_broken_links_are_told_and_left_out(put, tmp_path, caplog):
    put("a.fits")
    (tmp_path / "source/b.fits").symlink_to(tmp_path / "gone.fits")

    assert names(tmp_path / "source") == ["a.fits"]
    assert "b.fits" in caplog.text


def test_unreadable_folders_are_told_and_left_out(put, tmp_path, caplog, monkeypatch):
    put("a.fits")
    put("closed/b.fits")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with caplog.at_level(logging.WARNING):
        assert names(tmp_path / "source") == ["a.fits"]
    assert "closed" in caplog.text


def test_names_that_are_not_text_are_told_and_left_out(put, tmp_path, caplog):
    put("a.fits")
    try:
        open(os.fsencode(tmp_path / "source") + b"/b\xff.fits", "wb").close()  # noqa: PTH123
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")

    assert names(tmp_path / "source") == ["a.fits"]
    assert "UTF-8" in caplog.text


def test_ignore_files_work_as_with_git(put, tmp_path):
    for name in [
        *("a.fits", "test_1.fits", "focus/b.fits", "lib/c.fits", "night/test_2.fits"),
        *("night/keep_1.fits", "night/old/d.fits", "night/old/e.xisf"),
    ]:
        put(name)
    (tmp_path / "source/.calibraryignore").write_text(
        "# mine\ntest_*\n/focus/\nlib/\n**/old/*.fits\n"
    )
    (tmp_path / "source/night/.calibraryignore").write_text("keep_*\n!test_2.fits\n")

    assert names(tmp_path / "source") == ["a.fits", "night/test_2.fits", "night/old/e.xisf"]


def test_ignore_file_that_is_not_text_is_an_error(put, tmp_path):
    put("a.fits")
    (tmp_path / "source/.calibraryignore").write_bytes(b"\xff\xfe")

    with pytest.raises(CalibraryError, match="calibraryignore"):
        names(tmp_path / "source")


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("")])
def test_source_that_is_no_folder_is_an_error(tmp_path, make):
    make(tmp_path / "frames")

    with pytest.raises(CalibraryError, match="frames"):
        names(tmp_path / "frames")


def test_digest_changes_with_the_tree_and_with_nothing_else(put, tmp_path):
    path = put("a.fits")
    put("b.fits")

    def digest():
        return tree_digest(scan([tmp_path / "source"]))

    first = digest()
    assert digest() == first
    os.utime(path, ns=(1, 1))
    second = digest()
    path.write_bytes(path.read_bytes() + b"x")
    os.utime(path, ns=(1, 1))
    third = digest()
    path.rename(path.with_name("c.fits"))
    assert len({first, second, third, digest()}) == 4

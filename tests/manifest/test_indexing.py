"""A folder becomes frames: read once, kept, read again when something changed."""

import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from calibrary.headers.reading import read_header
from calibrary.manifest import index_frames, worker
from calibrary.records import Status


@pytest.fixture
def source(put, tmp_path):
    for number in range(5):
        put(f"dark/{number}.fits", f"IMAGETYP = 'Dark'\nEXPTIME = {number}.5")
    put("flat.xisf", "IMAGETYP = 'Flat'")
    put("broken.fits").write_bytes(b"")
    return tmp_path / "source"


@pytest.fixture
def reads(monkeypatch):
    """The files whose headers were read, in this process."""
    seen = []
    from calibrary.manifest import indexing

    def count(file, extras):
        seen.append(Path(file.path).name)
        return worker.read_frame(file, extras)

    monkeypatch.setattr(indexing, "read_frame", count)
    return seen


def test_frames_are_those_of_their_headers_sorted_by_path(source):
    frames = index_frames([source], None)

    assert [f.path for f in frames] == sorted(f.path for f in frames)
    assert len(frames) == 7
    for frame in frames:
        if frame.size_bytes:
            assert frame == read_header(Path(frame.path)).frame


def test_file_that_is_not_understood_is_set_aside(source):
    broken = next(f for f in index_frames([source], None) if "broken" in f.path)

    assert (broken.status, broken.format, broken.size_bytes) == (Status.SET_ASIDE, "fits", 0)
    assert str(broken.reason).startswith("is not a FITS file (is empty)")


def test_headers_are_read_once(source, tmp_path, reads):
    cache = tmp_path / "results/headers.sqlite"
    first = index_frames([source], cache)
    reads.clear()

    assert index_frames([source], cache) == first
    assert reads == ["broken.fits"]


def test_new_and_changed_files_are_read(source, put, tmp_path, reads):
    cache = tmp_path / "headers.sqlite"
    index_frames([source], cache)
    reads.clear()
    put("dark/9.fits", "EXPTIME = 99")
    os.utime(source / "dark/1.fits", ns=(1, 1))
    (source / "dark/2.fits").unlink()
    frames = index_frames([source], cache)

    assert sorted(reads) == ["1.fits", "9.fits", "broken.fits"]
    assert len(frames) == 7
    assert next(f for f in frames if f.path.endswith("/1.fits")).mtime_ns == 1


def test_moved_source_is_read_anew_with_the_same_result(source, tmp_path, reads):
    cache = tmp_path / "headers.sqlite"
    before = index_frames([source], cache)
    reads.clear()
    moved = source.rename(tmp_path / "moved")
    after = index_frames([moved], cache)

    assert len(reads) == 7
    strip = [replace(f, path=Path(f.path).name) for f in after]
    assert strip == [replace(f, path=Path(f.path).name) for f in before]


def test_headers_read_by_other_tables_do_not_count(source, put, tmp_path, reads):
    cache = tmp_path / "headers.sqlite"
    index_frames([source], cache)
    reads.clear()
    index_frames([source], cache, extras={"frame_types": {"Schwarz": "dark"}})

    assert len(reads) == 7


def test_folders_read_by_different_tables_share_a_cache(source, tmp_path, reads):
    cache, extras = tmp_path / "headers.sqlite", {"frame_types": {"Schwarz": "dark"}}
    other = tmp_path / "library"
    shutil.copytree(source, other)
    for _ in range(2):
        reads.clear()
        index_frames([source], cache, extras)
        index_frames([other], cache)

    assert reads == ["broken.fits"] * 2


def damage_garbage(path):
    path.write_bytes(b"not a database" * 1000)


def damage_pages(path):
    content = bytearray(path.read_bytes())
    content[1000:] = bytes(len(content) - 1000)
    path.write_bytes(content)


def damage_truncate(path):
    path.write_bytes(path.read_bytes()[:3000])


def damage_rows(path):
    with sqlite3.connect(path) as database:
        database.execute("UPDATE frames SET frame = replace(frame, '0.5', '7.5')")


def damage_json(path):
    with sqlite3.connect(path) as database:
        database.execute("UPDATE frames SET frame = '[1,2'")


def damage_tables(path):
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE contents")


def damage_columns(path):
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE frames")
        database.execute("CREATE TABLE frames (path TEXT)")


def damage_version(path):
    with sqlite3.connect(path) as database:
        database.execute("UPDATE meta SET version = 'older'")
        database.execute("UPDATE frames SET frame = '[]'")


@pytest.mark.parametrize(
    "damage",
    [
        *(damage_garbage, damage_pages, damage_truncate, damage_rows, damage_json),
        *(damage_tables, damage_columns, damage_version),
    ],
)
def test_damaged_cache_is_made_anew(source, tmp_path, reads, damage):
    cache = tmp_path / "headers.sqlite"
    first = index_frames([source], cache)
    damage(cache)

    assert index_frames([source], cache) == first
    reads.clear()
    assert index_frames([source], cache) == first
    assert reads == ["broken.fits"]


def test_cache_that_cannot_be_written_is_done_without(source, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    frames = index_frames([source], tmp_path / "file/headers.sqlite")

    assert len(frames) == 7
    assert "headers.sqlite" in caplog.text


def test_cache_that_another_process_holds_is_done_without(source, tmp_path, monkeypatch, caplog):
    from calibrary.manifest import cache as module

    monkeypatch.setattr(module, "_PATIENCE_S", 0.1)
    cache = tmp_path / "headers.sqlite"
    first = index_frames([source], cache)
    other = sqlite3.connect(cache)
    other.execute("BEGIN EXCLUSIVE")
    try:
        assert index_frames([source], cache) == first
    finally:
        other.close()


def test_two_processes_at_once(source, tmp_path):
    code = (
        "import sys; from pathlib import Path; from calibrary.manifest import index_frames\n"
        "for _ in range(5): print(len(index_frames([sys.argv[1]], Path(sys.argv[2]))))"
    )
    command = [sys.executable, "-c", code, str(source), str(tmp_path / "headers.sqlite")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]

    for process in running:
        assert process.communicate(timeout=60)[0].split() == ["7"] * 5
        assert process.returncode == 0


@pytest.fixture
def many(monkeypatch):
    """Few files are many."""
    from calibrary.manifest import indexing

    monkeypatch.setattr(indexing, "_FILES_PER_PROCESS", 50)


def test_worker_processes_read_the_same(source, put, many):
    for number in range(200):
        put(f"more/{number}.fits", f"IMAGETYP = 'Bias'\nGAIN = {number}")
    extras = {"frame_types": {"Schwarz": "dark"}}

    assert index_frames([source], None, extras, processes=2) == index_frames(
        [source], None, extras, processes=1
    )


def test_few_files_start_no_processes(source, monkeypatch):
    from calibrary.manifest import indexing

    monkeypatch.delattr(indexing, "_start_worker")
    assert len(index_frames([source], None, processes=8)) == 7


def test_worker_that_dies_is_replaced(source, put, many, monkeypatch):
    from calibrary.manifest import indexing

    for number in range(200):
        put(f"more/{number}.fits", f"IMAGETYP = 'Bias'\nGAIN = {number}")
    start = indexing._start_worker

    def start_and_kill(extras):
        process = start(extras)
        process.kill()
        process.wait()
        return process

    monkeypatch.setattr(indexing, "_start_worker", start_and_kill)
    assert len(index_frames([source], None, processes=2)) == 207


def test_no_exception_of_a_single_file_stops_the_run(source, monkeypatch):
    def fail(*_):
        raise RuntimeError("odd")

    monkeypatch.setattr(worker, "read_header", fail)
    frames = index_frames([source], None, processes=1)

    assert {f.status for f in frames} == {Status.SET_ASIDE}
    assert "odd" in str(frames[0].reason)


def test_identical_copies_are_used_once(put, tmp_path):
    for number in range(3):
        put(f"dark_{number}.fits", "IMAGETYP = 'Dark'", bytes([number]) * 24)
    put("dark_1 (1).fits", "IMAGETYP = 'Dark'", bytes([1]) * 24)
    put("copy/dark_1.fits", "IMAGETYP = 'Dark'", bytes([1]) * 24)
    cache = tmp_path / "headers.sqlite"

    for _ in range(2):
        frames = index_frames([tmp_path / "source"], cache)
        aside = {os.path.relpath(f.path, tmp_path / "source"): f.reason for f in frames if f.reason}
        assert set(aside) == {"dark_1 (1).fits", "copy/dark_1.fits"}
        kept = str(tmp_path / "source/dark_1.fits")
        assert all(reason.detail == kept for reason in aside.values())
        assert all(f"{kept}, which is used" in str(reason) for reason in aside.values())


def test_copies_differ_where_any_byte_differs(put, tmp_path):
    pixels = bytearray(400 * 400 * 2)
    text = "IMAGETYP = 'Dark'\nNAXIS = 2\nNAXIS1 = 400\nNAXIS2 = 400"
    put("a.fits", text, bytes(pixels))
    pixels[5] = 1
    put("b.fits", text, bytes(pixels))

    assert {f.status for f in index_frames([tmp_path / "source"], None)} == {Status.USED}


@pytest.mark.parametrize(
    "cards", ["IMAGETYP = 'Light Frame'", "IMAGETYP = 'Flat'\nPEDESTAL = -100"]
)
def test_copies_of_frames_that_the_user_may_open_are_found(put, tmp_path, cards):
    for name in ("flat-1.fits", "flat-1 (1).fits"):
        put(name, cards)
    frames = index_frames([tmp_path / "source"], None)

    assert ["the same bytes" in str(f.reason) for f in frames] == [True, False]
    assert "which is used" not in str(frames[0].reason)


def test_type_by_folder_depends_on_the_source(put, tmp_path):
    put("darks/night/1.fits", "EXPTIME = 1")
    cache = tmp_path / "headers.sqlite"
    (whole,) = index_frames([tmp_path / "source"], cache)
    (part,) = index_frames([tmp_path / "source/darks/night"], cache)

    assert (whole.frame_type, part.frame_type) == ("dark", "unknown")


def test_progress_is_shown_on_a_terminal_and_not_in_a_pipe(source, capfd, monkeypatch):
    index_frames([source], None)
    assert capfd.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    index_frames([source], None)
    assert "reading headers" in capfd.readouterr().err


def test_indexing_imports_nothing_heavy(source):
    code = (
        "import sys; from calibrary.manifest import index_frames, scan, tree_digest\n"
        "tree_digest(scan([sys.argv[1]])); index_frames([sys.argv[1]], None)\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.check_output([sys.executable, "-c", code, str(source)], text=True).split()

    assert not {"numpy", "pandas", "astropy", "pydantic", "rich", "pathspec"} & set(loaded)

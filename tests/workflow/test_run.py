"""What a run checks before anything is built."""

import pytest

from calibrary.manifest import scan
from calibrary.records import CalibraryError
from calibrary.workflow.run import Run


@pytest.fixture
def folders(tmp_path):
    """The least of a configuration, with a source that exists."""
    (tmp_path / "frames").mkdir()
    names = {"source": "frames", "library": "library", "results": "results"}
    return {key: str(tmp_path / name) for key, name in names.items()}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"source": "nowhere"}, "does not exist; set `source`"),
        ({"source": "file"}, "is no folder; set `source`"),
        ({"library": "file"}, "cannot be written; set `library`"),
        ({"library": "file/below"}, "cannot be written; set `library`"),
        ({"results": "file"}, "cannot be written; set `results`"),
        ({"results": "library"}, "`results` and `library` are one folder"),
        ({"results": "frames"}, "`results` and `source` are one folder"),
        ({"overrides": "nowhere.yaml"}, "is no file; set `overrides`"),
    ],
)
@pytest.mark.parametrize("step", [Run.prepare, Run.forecast])
def test_a_folder_that_will_not_do_is_told_at_once(tmp_path, folders, changes, said, step):
    (tmp_path / "file").write_text("")
    run = Run(folders | {key: str(tmp_path / name) for key, name in changes.items()})
    with pytest.raises(CalibraryError) as caught:
        step(run)
    assert said in str(caught.value)


def test_a_keyword_for_a_quantity_that_there_is_not_is_told_at_once(folders):
    with pytest.raises(CalibraryError, match=r"headers\.keywords\.exposur"):
        Run({**folders, "headers": {"keywords": {"exposur": ["X"]}}})


def test_two_runs_of_one_results_folder_keep_apart(folders):
    first, second = Run(folders), Run(folders)
    first.prepare()
    with pytest.raises(CalibraryError, match="another run is at work"):
        second.prepare()


@pytest.mark.parametrize("around", ["library", "source"])
def test_what_is_not_judged_yet_is_no_master_of_the_library(folders, around):
    """A candidate may be refused: it must not calibrate flats from within the library."""
    folders["results"] = folders[around] + "/results"
    run = Run(folders)
    run.prepare()
    candidate = run.results / "candidates" / "dark.xisf"
    candidate.parent.mkdir()
    candidate.write_bytes(b"")
    beside = run.results.parent / "x.fits"
    beside.write_bytes(b"")
    assert [file.path for file in scan([folders[around]])] == [str(beside)]

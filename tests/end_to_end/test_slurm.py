"""The workflow on a cluster: a Slurm of one node, started and stopped by these tests."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from observatory import REPO, Ended, Workspace
from slurm_cluster import SlurmCluster, wait_for, why_not

from calibrary.simulate.night import simulate_night

WHY_NOT = why_not()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.slurm,
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT),
]

ON_SLURM = (
    *("--profile", str(REPO / "profiles/slurm"), "--slurm-no-account"),
    # There is no accounting to ask, and no queue of others to be polite to.
    *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "5"),
)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[SlurmCluster]:
    with SlurmCluster(tmp_path / "slurm") as cluster:
        yield cluster


PATIENCE_S = 300
"""For what takes seconds on a machine that has nothing else to do."""


class Running:
    """A run under way on the cluster; a context manager, after which no process is left."""

    def __init__(self, space: Workspace, cluster: SlurmCluster, *arguments: str) -> None:
        self._log = space.root / "run.log"
        self._jobs = space.root / ".snakemake/log"
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(
                space.command(*ON_SLURM, *arguments),
                stdout=out,
                stderr=subprocess.STDOUT,
                env=cluster.environment | {"NO_COLOR": "1"},
            )

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def end(self, timeout: float = 900) -> Ended:
        """Wait for the end; the text is Snakemake's own log, then what was printed."""
        status = self._process.wait(timeout)
        logs = [*sorted(self._jobs.glob("*.log")), self._log]
        return Ended(status, "\n".join(log.read_text(errors="replace") for log in logs), [])


def test_demo_night_gives_the_bytes_it_gives_here(cluster: SlurmCluster, tmp_path: Path) -> None:
    here, there = Workspace(tmp_path / "here"), Workspace(tmp_path / "there")
    simulate_night(here.root, seed=1, frames=4, size=(64, 64))
    for space in (here, there):
        (space.root / "config").mkdir(parents=True)
        (space.root / "config/config.yaml").write_text("source: frames\nlibrary: library\n")
    shutil.copytree(here.frames, there.frames)

    local = here.run()
    assert local.status == 0, local.text
    with Running(there, cluster) as run:
        ended = run.end()
    assert ended.status == 0, ended.text

    masters = here.masters()
    assert len(masters) > 20
    assert there.masters() == masters
    assert "Group job darks" in ended.text
    # 24 groups in packs, and the index.
    assert ended.text.count("has been submitted with SLURM jobid") < 10


def test_survives_lack_of_memory_a_killed_job_and_a_lost_node(
    cluster: SlurmCluster, pristine: Path, tmp_path: Path
) -> None:
    before = Workspace(pristine)
    space = Workspace(tmp_path / "observatory")
    shutil.copytree(before.frames, space.frames)
    shutil.copytree(before.root / "config", space.root / "config")

    # The first attempt gets less than Snakemake alone holds from start to end: Slurm looks once a
    # second, and would miss a job that is over by then. The next ones get enough.
    memory = "integrate:mem_mb=40*attempt**3"
    with Running(space, cluster, "--set-resources", memory) as run:
        wait_for("a job killed for its memory", lambda: cluster.jobs("failed", "darks"), PATIENCE_S)
        wait_for("its second attempt", lambda: cluster.jobs("running", "darks"), PATIENCE_S)
        cluster.cancel(cluster.jobs("running", "darks")[0])
        wait_for("the job to be gone", lambda: not cluster.jobs("running", "darks"), PATIENCE_S)
        wait_for("its third attempt", lambda: cluster.jobs("running", "darks"), PATIENCE_S)
        cluster.stop_node()
        time.sleep(3)
        cluster.start_node()
        ended = run.end()

    assert ended.status == 0, ended.text
    assert ended.text.count("Trying to restart job") >= 3, ended.text
    assert space.masters() == before.masters()

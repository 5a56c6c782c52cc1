"""A Slurm of one node on this machine, for as long as a test needs it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "setpriv")

ACTIVE = ("idle\n", "mixed\n", "allocated\n")
"""What sinfo calls a node at work; one that does not answer has an asterisk."""

CONFIGURATION = """\
ClusterName=calibrary
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SwitchType=switch/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SchedulerParameters=batch_sched_delay=1,sched_interval=5
# squeue tells of jobs that have ended for this long; there is no accounting to ask.
MinJobAge=600
# A node that is away for a moment keeps its jobs; one that comes back is used again.
SlurmdTimeout=60
ReturnToService=2
KillWait=5
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str:
    """Return why no Slurm can be started here; empty where it can."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"Slurm is not installed ({', '.join(missing)}); Debian's package is slurm-wlm"
    if os.geteuid() != 0:
        return "only root can start a Slurm that runs jobs"
    return ""


class SlurmCluster:
    """One controller and one node; a context manager that stops what it started.

    The node claims more processors than a small machine has, so that jobs run side by side.
    """

    def __init__(self, root: Path, cpus: int = 4, memory_mb: int = 8000) -> None:
        self.root = root
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        for folder in ("state", "spool", "bin"):
            (root / folder).mkdir(parents=True)
        self.environment = {
            **os.environ,
            "SLURM_CONF": str(root / "slurm.conf"),
            "PATH": f"{root / 'bin'}:{os.environ['PATH']}",
        }
        text = CONFIGURATION.format(
            root=root,
            host=socket.gethostname().split(".")[0],
            controller_port=_free_port(),
            node_port=_free_port(),
            cpus=cpus,
            memory_mb=memory_mb,
        )
        (root / "slurm.conf").write_text(text)
        # Snakemake's plugin calls srun without SLURM_CONF; nothing outside `root` is touched.
        srun = root / "bin/srun"
        srun.write_text(
            f'#!/bin/sh\nSLURM_CONF={root}/slurm.conf exec {shutil.which("srun")} "$@"\n'
        )
        srun.chmod(0o755)

    def __enter__(self) -> SlurmCluster:
        try:
            self._start("slurmctld")
            self.start_node()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._ask("scancel", "--state=PENDING,RUNNING", "--user=root")
        for name in list(self._running):
            self._stop(name)

    def start_node(self) -> None:
        """Start slurmd and wait until its node takes jobs."""
        self._start("slurmd")
        wait_for("the node to take jobs", lambda: self._ask("sinfo", "-h", "-o", "%T") in ACTIVE)

    def stop_node(self) -> None:
        """Stop slurmd; running jobs are left to themselves."""
        self._stop("slurmd")

    def jobs(self, state: str, rule: str) -> list[str]:
        """Return the ids of the jobs in a state; Snakemake names rule or pack in their comment."""
        lines = self._ask("squeue", "-h", f"--states={state}", "-o", "%i %k").splitlines()
        return [line.split()[0] for line in lines if line.split()[1].startswith(f"rule_{rule}")]

    def cancel(self, job: str) -> None:
        """Kill a job as an administrator would."""
        subprocess.run(["scancel", job], env=self.environment, check=True, timeout=30)

    def _ask(self, *command: str) -> str:
        done = subprocess.run(
            command, env=self.environment, check=False, capture_output=True, text=True, timeout=30
        )
        return done.stdout

    def _start(self, name: str) -> None:
        # `-D`: in the foreground, as our child, so that it can be stopped without knowing others.
        with (self.root / f"{name}.out").open("ab") as out:
            self._running[name] = subprocess.Popen(
                # With us it ends, however we end: a killed test leaves no cluster behind.
                ["setpriv", "--pdeathsig", "TERM", str(shutil.which(name)), "-D"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def _stop(self, name: str) -> None:
        process = self._running.pop(name)
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(what: str, true: Callable[[], object], seconds: float = 60) -> None:
    """Wait until a condition holds.

    Raises
    ------
    TimeoutError
        It does not within `seconds`.
    """
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            msg = f"waited {seconds:g} s for {what}"
            raise TimeoutError(msg)
        time.sleep(0.3)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

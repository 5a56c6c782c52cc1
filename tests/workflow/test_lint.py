"""Snakemake's own opinion of the rules."""

import re
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]

NO_ENVIRONMENTS = "Specify a conda environment or container for each rule."
"""Jobs run in the environment that has Calibrary itself: no channel or registry has it yet."""


def test_the_rules_have_no_lints(tmp_path):
    done = subprocess.run(
        [Path(sys.executable).with_name("snakemake"), "--lint"],
        cwd=REPO,
        check=False,
        capture_output=True,
        text=True,
    )
    said = done.stdout + done.stderr
    titles = set(re.findall(r"(?m)^    \* (.+):$", said))
    assert titles == {NO_ENVIRONMENTS}, said

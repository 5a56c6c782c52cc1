"""Group the frames, match calibrators, name the masters."""

from pathlib import Path

from calibrary.config import load_config
from calibrary.plan.write import write_plan
from calibrary.workflow.job import job

with job(snakemake.log[0]):
    config = load_config(snakemake.config)
    write_plan(Path(snakemake.input.index), config)

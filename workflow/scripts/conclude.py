"""Print the run's table; exit status 1 while the verdict of a group is fail."""

from pathlib import Path

from calibrary.report.summary import conclude
from calibrary.workflow.job import job

with job(snakemake.log[0]):
    conclude(Path(snakemake.input.groups))

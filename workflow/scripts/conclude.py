"""Print the run's table; exit status 1 while the verdict of a group is fail."""

from pathlib import Path

from calibrary.job import job
from calibrary.summary import conclude

with job(snakemake.log[0]):
    conclude(Path(snakemake.input.groups))

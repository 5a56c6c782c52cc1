"""Write the tables and the report of the whole run."""

from calibrary.config import load_config
from calibrary.report.summary import write_summary
from calibrary.workflow.job import job

with job(snakemake.log[0]):
    write_summary(load_config(snakemake.config))

"""Write the tables and the report of the whole run."""

from calibrary.config import load_config
from calibrary.job import job
from calibrary.summary import write_summary

with job(snakemake.log[0]):
    write_summary(load_config(snakemake.config))

"""Judge the candidate of one group and publish what did not fail."""

from pathlib import Path

from calibrary.config import load_config
from calibrary.publish.publish import publish_group
from calibrary.workflow.job import job

with job(snakemake.log[0]):
    measured = Path(snakemake.input.measured)
    sheet = measured.parents[1] / f"plan/sheets/{snakemake.wildcards.group}.json"
    publish_group(sheet, measured, Path(snakemake.output.verdict), load_config(snakemake.config))

"""Calibrary: from a folder tree of raw calibration frames to a library of verified masters.

index      headers of all frames            -> results/plan/index.csv
plan       groups, matches, names           -> results/plan/ (checkpoint: one work order a group)
integrate  the frames of one group          -> a candidate master and its figures
publish    judge the candidate              -> results/verify/, and the master in the library
report     all of it, told                  -> report.html, manifest.csv, groups.csv, coverage.csv
conclude   exit status 1 while a group fails
"""

from snakemake.utils import min_version

from calibrary.workflow.job import collect_rarely, one_line_errors
from calibrary.workflow.run import SNAKEMAKE_MB, Run

min_version("9.13")


configfile: "config/config.yaml"


collect_rarely()
with one_line_errors():
    RUN = Run(config)
    # Neither in the jobs of a cluster nor for --lint, which alone checks no environment variables.
    if workflow.is_main_process and workflow.check_envvars:
        RUN.forecast() if workflow.output_settings.dryrun else RUN.prepare()


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/index.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/integrate.smk"
include: "workflow/rules/publish.smk"
include: "workflow/rules/report.smk"


wildcard_constraints:
    group=r"[A-Za-z0-9_.-]+",


rule all:
    """A verdict for every group, the report, and nothing that failed."""
    default_target: True
    input:
        verdicts=verdicts,
        report=rules.report.output,
        concluded=rules.conclude.output,
    message:
        "Every group has its verdict"

"""Tell what was found, done and not done.

REQUIRED INPUTS  results/verify/*.json, results/plan/
OUTPUTS          results/report.html, manifest.csv, groups.csv, coverage.csv
"""


rule report:
    """Write the tables and the report of the whole run."""
    input:
        verdicts=verdicts,
        groups=lambda wildcards: checkpoints.plan.get().output.groups,
        frames=lambda wildcards: checkpoints.plan.get().output.frames,
        matches=lambda wildcards: checkpoints.plan.get().output.matches,
    output:
        report=report(
            RUN.report,
            caption="../report/report.rst",
            category="Report",
            labels={"page": "Calibration masters"},
        ),
        manifest=report(
            RUN.path("manifest.csv"),
            caption="../report/manifest.rst",
            category="Tables",
            labels={"table": "Every file found"},
        ),
        groups=report(
            RUN.path("groups.csv"),
            caption="../report/groups.rst",
            category="Tables",
            labels={"table": "Groups and their masters"},
        ),
        coverage=report(
            RUN.path("coverage.csv"),
            caption="../report/coverage.rst",
            category="Tables",
            labels={"table": "Coverage of the library"},
        ),
    log:
        RUN.path("logs/report.log"),
    benchmark:
        RUN.path("benchmarks/report.tsv")
    localrule: True
    threads: 1
    resources:
        mem_mb=lambda wildcards, input: 300 + len(input.verdicts) // 2,
        runtime=30,
        disk_mb=200,
    message:
        "Writing the tables and the report"
    script:
        "../scripts/report.py"


rule conclude:
    """Print the run's table; exit status 1 while the verdict of a group is fail."""
    input:
        groups=rules.report.output.groups,
    output:
        concluded=touch(RUN.path("concluded")),
    log:
        RUN.path("logs/conclude.log"),
    benchmark:
        RUN.path("benchmarks/conclude.tsv")
    retries: 0
    localrule: True
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
        disk_mb=10,
    message:
        "Concluding"
    script:
        "../scripts/conclude.py"

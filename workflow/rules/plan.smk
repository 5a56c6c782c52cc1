"""Decide what becomes of every frame: groups, matches, names.

REQUIRED INPUTS  results/plan/index.csv; the masters that the library holds
OUTPUTS          results/plan/frames.csv, groups.json, sheets/; results/matches.json
"""


checkpoint plan:
    """Group the frames, match a calibrator to every flat group, name the masters."""
    input:
        index=rules.index.output.index,
    output:
        groups=RUN.path("plan/groups.json"),
        frames=RUN.path("plan/frames.csv"),
        matches=RUN.path("matches.json"),
    log:
        RUN.path("logs/plan.log"),
    benchmark:
        RUN.path("benchmarks/plan.tsv")
    localrule: True
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        disk_mb=500,
    params:
        library=lambda wildcards: RUN.library_digest,
        overrides=lambda wildcards: RUN.overrides_digest,
        settings=RUN.plan_settings,
    message:
        "Planning groups, matches and names"
    script:
        "../scripts/plan.py"

"""Read the headers of all frames below the source folders.

REQUIRED INPUTS  none: the folders of `source`, watched through a digest of their listing
OUTPUTS          results/plan/index.csv, one row per file found
"""


rule index:
    """Read what is new or changed below the source folders into the index of frames."""
    output:
        index=RUN.path("plan/index.csv"),
    log:
        RUN.path("logs/index.log"),
    benchmark:
        RUN.path("benchmarks/index.tsv")
    threads: 2
    resources:
        # 2 kB a frame; a cluster that kills the job gives it more.
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=60,
        disk_mb=200,
    params:
        tree=lambda wildcards: RUN.tree_digest,
        headers=RUN.setting("headers"),
    message:
        "Reading the headers of new and changed frames"
    script:
        "../scripts/index.py"

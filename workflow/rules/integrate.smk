"""Combine the frames of each group into a candidate master.

REQUIRED INPUTS  results/plan/sheets/{group}.json; for flats the candidate of their calibrator
OUTPUTS          results/candidates/{group}.json and the master beside it; results/previews/
"""


rule integrate:
    """Combine the frames of one group into a candidate master and measure it.

    The frames are no inputs to Snakemake: `order`, a digest over them and the settings, says when
    to build again (100,000 inputs would cost minutes to look at). The candidate lies beside its
    figures; it is no output, since a group whose frames are all bad has figures but no candidate.
    """
    input:
        calibrator=calibrator_of,
    output:
        measured=RUN.path("candidates/{group}.json"),
        preview=report(
            RUN.path("previews/{group}.jpg"),
            caption="../report/preview.rst",
            category="Previews",
            labels={"group": "{group}"},
        ),
    log:
        RUN.path("logs/integrate/{group}.log"),
    benchmark:
        RUN.path("benchmarks/integrate/{group}.tsv")
    group:
        pack_of
    threads: lambda wildcards: RUN.group(wildcards.group).threads
    resources:
        mem_mb=lambda wildcards, attempt: memory_of(wildcards) * attempt,
        runtime=lambda wildcards, attempt: RUN.group(wildcards.group).runtime_min
        * attempt,
        disk_mb=lambda wildcards: RUN.group(wildcards.group).disk_mb,
    params:
        order=lambda wildcards: RUN.group(wildcards.group).order,
        output=RUN.setting("output"),
    message:
        "Integrating {wildcards.group}"
    script:
        "../scripts/integrate.py"

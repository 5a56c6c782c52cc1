"""Judge each candidate; put into the library what did not fail.

REQUIRED INPUTS  results/candidates/{group}.json; for darks that of their bias,
                 for flats the verdict of their calibrator
OUTPUTS          results/verify/{group}.json, the verdict; the master in the library
"""


rule publish:
    """Judge the candidate of one group and, unless a test failed, put it into the library.

    The master is no output to Snakemake, which would delete the user's old one before the job:
    it is replaced by a rename, and `Run.prepare` voids the verdict of a master that has gone.
    """
    input:
        measured=rules.integrate.output.measured,
        bias=bias_of,
        calibrator=verdict_of_calibrator,
    output:
        verdict=RUN.path("verify/{group}.json"),
    log:
        RUN.path("logs/publish/{group}.log"),
    benchmark:
        RUN.path("benchmarks/publish/{group}.tsv")
    localrule: True
    threads: 1
    resources:
        mem_mb=300,
        runtime=30,
        disk_mb=lambda wildcards: RUN.group(wildcards.group).disk_mb,
    params:
        limits=RUN.limits_digest,
        # As for integrate: a verdict on other frames or settings is none on these.
        order=lambda wildcards: RUN.group(wildcards.group).order,
    message:
        "Judging {wildcards.group}"
    script:
        "../scripts/publish.py"

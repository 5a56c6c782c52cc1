"""Input functions: what is known only once the plan is made."""


def calibrator_of(wildcards):
    """The figures of the candidate that is subtracted from the flats of a group, if any."""
    calibrator = RUN.group(wildcards.group).calibrator
    return expand(rules.integrate.output.measured, group=calibrator or [])


def memory_of(wildcards):
    """The memory of an integration, with Snakemake's own where it runs inside the job, in MB."""
    own = SNAKEMAKE_MB if workflow.non_local_exec else 0
    return RUN.group(wildcards.group).mem_mb + own


def pack_of(wildcards):
    """On a cluster: the kind of pack of a small group (`group-components` in the profile)."""
    return RUN.pack(wildcards.group) if workflow.non_local_exec else None


def verdict_of_calibrator(wildcards):
    """The verdict of what was subtracted from the flats of a group, if any."""
    calibrator = RUN.group(wildcards.group).calibrator
    return expand(rules.publish.output.verdict, group=calibrator or [])


def bias_of(wildcards):
    """The figures of the bias above whose level a dark is judged, if any."""
    bias = RUN.group(wildcards.group).bias
    return expand(rules.integrate.output.measured, group=bias or [])


def verdicts(wildcards):
    """One verdict for every group that has a master to be built or looked at."""
    checkpoints.plan.get()
    return expand(rules.publish.output.verdict, group=RUN.judged_groups)

"""Input functions: what is known only once the plan is made."""


def calibrator_of(wildcards):
    """The figures of the candidate that is subtracted from the flats of a group, if any."""
    calibrator = RUN.group(wildcards.group).calibrator
    return expand(rules.integrate.output.measured, group=calibrator or [])


def verdicts(wildcards):
    """One verdict for every group that has a master to be built or looked at."""
    checkpoints.plan.get()
    return expand(rules.publish.output.verdict, group=RUN.judged_groups)

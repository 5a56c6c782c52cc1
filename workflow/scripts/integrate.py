"""Combine the frames of one group into a candidate master and measure it."""

import json
from pathlib import Path

from calibrary.masters.build import Place, build_group
from calibrary.records import GroupPlan
from calibrary.workflow.job import job


def calibrator_usable(measured: Path) -> bool:
    """Judge a calibrator by today's limits; only flats pay for loading the configuration."""
    from calibrary.config import load_config
    from calibrary.publish.publish import candidate_is_usable

    return candidate_is_usable(measured, load_config(snakemake.config))


with job(snakemake.log[0]):
    measured = Path(snakemake.output.measured)
    results = measured.parents[1]
    sheet = results / f"plan/sheets/{snakemake.wildcards.group}.json"
    plan = GroupPlan.from_json(sheet.read_text(encoding="utf-8"))
    build_group(
        plan,
        Place(
            measured=measured,
            preview=Path(snakemake.output.preview),
            library=Path(snakemake.config["library"]),
            candidates=measured.parent,
        ),
        output=json.loads(snakemake.params.output),
        calibrator_usable=calibrator_usable,
        threads=snakemake.threads,
        # What a cluster grants beyond the plan is Snakemake's own, and room for a second attempt.
        mem_mb=min(plan.mem_mb, snakemake.resources.mem_mb),
    )

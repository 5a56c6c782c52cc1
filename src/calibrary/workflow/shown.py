"""What the display of a run is told of it by the Snakefile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from calibrary.console.handler import Shown, show
from calibrary.console.work import Group
from calibrary.records import GroupPlan
from calibrary.report import formats
from calibrary.workflow.run import Run


def show_run(run: Run, workflow: Any) -> None:  # noqa: ANN401 - Snakemake's, untyped
    """Tell the display of `run`, whose jobs are those of Snakemake's `workflow`."""

    def to_integrate() -> Mapping[str, Group]:
        wanted = _integrated(workflow)
        plans = json.loads((run.results / "plan/groups.json").read_text(encoding="utf-8"))
        return {plan["group"]: _group(plan) for plan in plans if plan["group"] in wanted}

    show(Shown(run.results, Path(run.report), to_integrate))


def _integrated(workflow: Any) -> set[str]:  # noqa: ANN401 - Snakemake's, untyped
    for _ in range(10):
        try:
            return {
                job.wildcards.group
                for job in workflow.dag.needrun_jobs(exclude_finished=False)
                if job.rule.name == "integrate" or job.rule.name.endswith("_integrate")
            }
        except RuntimeError:
            continue  # Snakemake's own thread changed the jobs meanwhile.
    return set()


def _group(data: Mapping[str, Any]) -> Group:
    plan = GroupPlan.from_dict(
        {**{k: v for k, v in data.items() if k in GroupPlan.__slots__}, "frames": ()}
    )
    label = formats.label(plan)
    return Group(plan.group, label[0].lower() + label[1:], data["n_frames"], data["n_bytes"])

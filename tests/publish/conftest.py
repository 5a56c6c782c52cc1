"""The whole way from frames to the library, without Snakemake."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from calibrary.config import load_config
from calibrary.manifest.indexing import index_frames
from calibrary.masters.build import Place, build_group
from calibrary.plan.write import plan_run
from calibrary.publish.publish import candidate_is_usable, publish_group, read_verdict


@pytest.fixture
def run() -> Callable[..., dict[str, dict]]:
    """Build and publish all groups below a folder; return the verdicts by type."""

    def run_all(root: Path, **settings: Any) -> dict[str, dict]:
        places = {key: str(root / key) for key in ("source", "library", "results")}
        settings = {"overrides": None, "output": {"format": "fits"}, **settings}
        config = load_config({**places, **settings})
        plan = plan_run(index_frames([root / "source"], None, progress=False), config)
        verdicts = {}
        for group in plan.groups:
            measured = root / f"results/candidates/{group.group}.json"
            sheet = root / f"results/plan/sheets/{group.group}.json"
            for folder in (measured.parent, sheet.parent):
                folder.mkdir(parents=True, exist_ok=True)
            sheet.write_text(group.to_json())
            build_group(
                group,
                Place(measured, measured.with_suffix(".png"), root / "library", measured.parent),
                output=config.output.model_dump(),
                calibrator_usable=partial(candidate_is_usable, config=config),
                threads=1,
                mem_mb=group.mem_mb,
            )
            verdict = root / f"results/verify/{group.group}.json"
            publish_group(sheet, measured, verdict, config)
            verdicts[group.frame_type.value] = read_verdict(verdict)
        return verdicts

    return run_all

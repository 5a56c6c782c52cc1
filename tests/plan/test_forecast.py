"""What `snakemake -n` says before Snakemake does."""

from calibrary.config import load_config
from calibrary.manifest import index_frames, write_frames
from calibrary.plan.write import write_plan
from calibrary.simulate.tree import write_tiny_tree
from calibrary.workflow.forecast import forecast


def test_of_many_alike_the_first_are_named_and_the_others_counted(tmp_path):
    write_tiny_tree(tmp_path / "frames", 30, 3)
    settings = {key: str(tmp_path / key) for key in ("library", "results")}
    config = load_config({"source": str(tmp_path / "frames"), **settings})
    lines = forecast(config)
    assert len(lines) == 22
    assert lines[-2:] == ["would build 10 more: new group", "0 of 30 groups are up to date"]

    index = tmp_path / "results/plan/index.csv"
    index.parent.mkdir(parents=True)
    write_frames(index_frames(config.source, None), index)
    write_plan(index, config)
    integration = {"darkflat": {"rejection": "winsorized"}}
    told = forecast(
        load_config({**config.model_dump(exclude={"integration"}), "integration": integration})
    )
    assert sum("is now winsorized" in line for line in told) == 12
    # The flats keep their calibrators, whose pixels change.
    assert sum(line.startswith("would build flat_") for line in told) == 12
    assert not [line for line in told if "calibrated by" in line]

"""Read the headers of new and changed frames."""

from pathlib import Path

from calibrary.config import load_config
from calibrary.manifest import index_frames, write_frames
from calibrary.progress import shown
from calibrary.workflow.job import job

with job(snakemake.log[0]):
    config = load_config(snakemake.config)
    cache = Path(config.results) / "cache/headers.sqlite"
    frames = index_frames(
        config.source,
        cache,
        extras=config.headers,
        processes=snakemake.threads,
        # Else the display of the run shows it.
        progress=False if shown() else None,
    )
    write_frames(frames, Path(snakemake.output.index))

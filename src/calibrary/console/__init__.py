"""What a run says on the terminal, instead of Snakemake's own words."""

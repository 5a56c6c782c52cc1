"""What the Snakefile and the jobs need around the stages."""

"""Calibrary: from a folder tree of raw calibration frames to a library of verified masters."""


include: "workflow/Snakefile"


# A Snakefile that is included does not say what is made when nothing is named.
workflow.default_target = "all"

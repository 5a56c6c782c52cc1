"""Calibrary: from a folder tree of raw calibration frames to a library of verified masters."""


include: "workflow/Snakefile"

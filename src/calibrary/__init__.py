"""Calibrary: raw calibration frames in, a verified library of master frames out."""

__version__ = "0.1.0"

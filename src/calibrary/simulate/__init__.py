"""Simulate: calibration frames with known truth."""

"""Pixels: rows of a frame in, a master out."""

"""Pixels: rows of a frame in (`reading`), a master out (`writing`)."""

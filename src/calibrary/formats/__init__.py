"""The containers FITS and XISF: cards, properties, blocks; no meaning yet."""

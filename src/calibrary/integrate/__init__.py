"""Integrate: rejection and combination of a stack of frames; start at `engine.integrate`."""

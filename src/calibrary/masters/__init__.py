"""The master of one group: built from its frames, with its header and a small picture."""

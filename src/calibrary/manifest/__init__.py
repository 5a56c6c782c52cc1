"""Manifest: a folder tree becomes a table of frames, each header read once."""

from calibrary.manifest.indexing import index_frames
from calibrary.manifest.scanning import FoundFile, scan, tree_digest
from calibrary.manifest.tables import frames_to_table, read_frames, write_frames, write_manifest

__all__ = [
    "FoundFile",
    "frames_to_table",
    "index_frames",
    "read_frames",
    "scan",
    "tree_digest",
    "write_frames",
    "write_manifest",
]

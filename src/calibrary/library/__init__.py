"""Library: existing masters, publishing, reorganising."""

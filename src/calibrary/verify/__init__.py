"""Verify: frames and candidates become figures, figures become a verdict."""

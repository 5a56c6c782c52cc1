"""Report: results become one page, previews and a table."""

"""``python -m calibrary.formats README.md`` writes the table of formats between its marks."""

import sys
from pathlib import Path

from calibrary.formats.table import with_table

for name in sys.argv[1:]:
    page = Path(name)
    page.write_text(with_table(page.read_text(encoding="utf-8")), encoding="utf-8")

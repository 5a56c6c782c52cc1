"""Write what is generated from the configuration model: ``python -m calibrary.config``.

With ``--check`` nothing is written; the exit status tells whether the files are up to date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from calibrary.checks import checks_table
from calibrary.config.model import Config

SCHEMA = Path("config/config.schema.json")
REFERENCE = Path("docs/configuration.md")
VERIFICATION = Path("docs/verification.md")
CHECKS_BEGIN = "<!-- checks: made by python -m calibrary.config from src/calibrary/checks.toml -->"
CHECKS_END = "<!-- end of checks -->"


def schema() -> str:
    """Return the JSON schema of the configuration."""
    return json.dumps(Config.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def reference() -> str:
    """Return the table of all keys with default and meaning, as Markdown."""
    rows = "\n".join(_rows(Config, None, ""))
    return (
        "# Configuration\n\n"
        "Every key of `config/config.yaml`. This page is generated from the typed model in\n"
        "`src/calibrary/config/` by `python -m calibrary.config`.\n\n"
        "| key | default | meaning |\n|---|---|---|\n" + rows + "\n"
    )


def verification() -> str:
    """Return the page on verification with the table of its tests."""
    text = VERIFICATION.read_text(encoding="utf-8")
    head, rest = text.split(CHECKS_BEGIN)
    tail = rest.split(CHECKS_END)[1]
    return f"{head}{CHECKS_BEGIN}\n\n{checks_table()}\n{CHECKS_END}{tail}"


def _rows(model: type[BaseModel], defaults: BaseModel | None, prefix: str) -> Iterator[str]:
    """Yield a row a key; `defaults` are those of a section in its place, which may differ."""
    for name, field in model.model_fields.items():
        value = field.default if defaults is None else getattr(defaults, name)
        meaning = " ".join((field.description or "").split()).replace("``", "`")
        if isinstance(value, BaseModel):
            if meaning:
                yield f"| **`{prefix}{name}`** | | {meaning} |"
            yield from _rows(type(value), value, f"{prefix}{name}.")
        else:
            default = "required" if value is PydanticUndefined else f"`{_plain(value)}`"
            yield f"| `{prefix}{name}` | {default} | {meaning} |"


def _plain(value: Any) -> str:  # noqa: ANN401 - any default
    return json.dumps(value, ensure_ascii=False, default=list)


def main(arguments: list[str]) -> int:
    """Write the generated files, or check them."""
    stale = []
    pages = ((SCHEMA, schema()), (REFERENCE, reference()), (VERIFICATION, verification()))
    for path, text in pages:
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if "--check" not in arguments:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale and "--check" in arguments:
        print(f"out of date: {', '.join(map(str, stale))}; run python -m calibrary.config")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

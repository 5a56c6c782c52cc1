"""Imports go along the way of the data, as docs/architecture.md lists it."""

import ast
import re
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
PACKAGE = REPO / "src/calibrary"


def listed() -> list[str]:
    """The parts of the package in the order of the list."""
    text = (REPO / "docs/architecture.md").read_text()
    block = text.split("```")[1]
    names = [line[:23] for line in block.splitlines()]
    return [name for line in names for name in re.findall(r"(\w+)(?:\.py|/)", line)]


def imported(path: Path) -> set[str]:
    """The parts of the package that a module imports, at its top or later."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
        elif isinstance(node, ast.Import):
            modules |= {name.name for name in node.names}
    return {module.split(".")[1] for module in modules if module.startswith("calibrary.")}


def test_every_part_is_in_the_list():
    parts = {p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert parts - {"__init__", "__main__"} == set(listed())


def test_imports_go_up_the_list():
    order = listed()
    back = []
    for path in sorted(PACKAGE.rglob("*.py")):
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if not part.startswith("__"):
            allowed = set(order[: order.index(part) + 1])
            back += [f"{path.name} imports {name}" for name in imported(path) - allowed]
    assert back == []

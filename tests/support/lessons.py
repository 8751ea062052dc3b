"""Run a lesson in this process, cell by cell, and show each result as Jupyter would."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import nbformat
from IPython.core.formatters import DisplayFormatter

from ddoauth_kit.workbook import Lab

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


def run_lesson(
    lesson: Path, given: Mapping[str, Any], *, change: Callable[[str], str] = str
) -> None:
    """Run the code, changed by `change`, with what is given instead of the parameters."""
    names: dict[str, Any] = {}
    formatter = DisplayFormatter()
    for cell in nbformat.read(lesson, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        shown = _value(change(cell.source), names, name=lesson.name)
        if "parameters" in cell.metadata.get("tags", ()):
            names |= given
        if shown is not None:
            data, _ = formatter.format(shown)
            # A formatter that failed has written the error and returned nothing.
            assert "text/plain" in data, f"{lesson.stem} cannot show a {type(shown).__name__}"
    for lab in names.values():
        if isinstance(lab, Lab):
            lab.close()  # a panel that was shown counts as long as its lab is open


def _value(source: str, names: dict[str, Any], *, name: str) -> Any:
    """Run a cell and return what its last line shows, if anything."""
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), names)
    if last is None or source.rstrip().endswith(";"):
        return None
    return eval(compile(ast.Expression(last.value), name, "eval"), names)

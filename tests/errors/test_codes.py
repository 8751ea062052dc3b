"""Each error code has advice, and each piece of advice is for a code that is raised."""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING

from support.places import KIT

from ddoauth_kit import errors
from ddoauth_kit.errors.explainer import by_code

if TYPE_CHECKING:
    from collections.abc import Iterator

# The sandbox has errors of its own.
MODULES = [
    path for path in sorted(KIT.rglob("*.py")) if "sandbox" not in path.relative_to(KIT).parts
]
ADVICE = {code: each.fix for code, each in by_code().items()}
CLASSES = {name for name in vars(errors) if name.endswith("Error")} | {"error", "FrontError"}


def _raised(nodes: list[ast.AST]) -> Iterator[str]:
    """Yield each literal code that is the first argument of an error class."""
    for call in nodes:
        if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant):
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            if name in CLASSES:
                yield str(call.args[0].value)


def _texts(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def _nodes() -> dict[str, list[ast.AST]]:
    """Return the calls and the constants of each module."""
    return {
        str(path.relative_to(KIT)): [
            node
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Call | ast.Constant)
        ]
        for path in MODULES
    }


def test_each_raised_code_has_advice() -> None:
    """A literal code that is given to an error class is listed; else the message would fail."""
    raised = {(where, code) for where, found in _nodes().items() for code in _raised(found)}
    assert len(raised) > 20
    assert not {(where, code) for where, code in raised if code not in ADVICE}


def test_each_advice_is_for_a_code_in_use() -> None:
    """Every listed code appears as a string somewhere in the package."""
    texts = {text for found in _nodes().values() for text in _texts(found)}
    assert set(ADVICE) - texts == set()


def test_advice_reads_as_the_end_of_a_sentence() -> None:
    """After "Next:" comes a sentence that ends, or a command that can be copied."""
    assert [code for code in ADVICE if not code.isidentifier()] == []
    assert [text for text in ADVICE.values() if not (text[0].islower() or text[0] == "`")] == []
    assert [t for t in ADVICE.values() if t[-1] not in ".]" and "pip install" not in t] == []

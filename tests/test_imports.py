"""Imports point one way, and `import ddoauth_kit` stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest
from given import KIT

import ddoauth_kit

if TYPE_CHECKING:
    from collections.abc import Iterator

LAYERS = (
    {
        "advice",
        "errors",
        "explainer",
        "message",
        "notebook_text",
        "place",
        "redaction",
        "scopes",
        "secret",
        "sites",
        "transcript",
    },
    {"answers", "delivery", "http", "known_secrets", "pace", "registration", "scan", "store"},
    {"oauth", "api"},
    {"doctor", "workbook", "publishing", "spec"},
    {"commands"},
    {"cli", "__main__", "pytest_plugin"},
)
MODULES = {
    ".".join(path.relative_to(KIT).with_suffix("").parts): path
    for path in sorted(KIT.rglob("*.py"))
    if path != KIT / "__init__.py"
}
MENU = (KIT / "__init__.py").read_text("utf-8")
MAY_IMPORT_SANDBOX = {
    "commands.sandbox",
    "commands.tile",
    "pytest_plugin",
    "workbook.faults_table",
    "workbook.lab",
}
HEAVY = (
    "pandas matplotlib jupyter jupyter_core jupyter_client jupyterlab nbformat nbclient papermill "
    "IPython ipykernel anywidget ipywidgets starlette uvicorn keyring markdown_it "
    "ddoauth_kit.sandbox ddoauth_kit.workbook ddoauth_kit.publishing"
)


def _imported(node: ast.AST) -> Iterator[str]:
    """Yield the absolute name of each imported module, except for type checking alone."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from _imported(child)


@cache
def _imports(module: str) -> set[str]:
    return set(_imported(ast.parse(MODULES[module].read_text("utf-8"))))


def _own(module: str) -> set[str]:
    """Return the first two parts of what a module imports of this package: `oauth.pkce`."""
    parts = (name.split(".") for name in _imports(module))
    return {".".join(p[1:3]) for p in parts if p[0] == "ddoauth_kit"}


def _layer(name: str) -> int:
    found = [i for i, layer in enumerate(LAYERS) if name.partition(".")[0] in layer]
    assert found, f"{name} belongs into one of the LAYERS"
    return found[0]


@pytest.mark.parametrize("module", [name for name in MODULES if not name.startswith("sandbox")])
def test_imports_point_down(module: str) -> None:
    """A module imports its own layer and those below it; its layer is listed here."""
    own = {name for name in _own(module) if not name.startswith("sandbox")}
    assert not {name for name in own if _layer(name) > _layer(module)}


@pytest.mark.parametrize("module", MODULES)
def test_the_sandbox_stands_apart(module: str) -> None:
    """It imports nothing else of the package, and only the lab and the command import it."""
    of_sandbox = {name for name in _own(module) if name.partition(".")[0] == "sandbox"}
    if module.startswith("sandbox"):
        assert _own(module) == of_sandbox
    else:
        assert not of_sandbox or module in MAY_IMPORT_SANDBOX


@pytest.mark.parametrize(
    ("package", "owner"),
    [
        ("httpx", "http"),
        ("ipywidgets", "workbook.widgets"),
        ("markdown_it", "publishing.markdown"),
    ],
)
def test_one_module_knows_each_package(package: str, owner: str) -> None:
    """What may have to be replaced one day is imported in one place."""
    importers = {m for m in MODULES if package in {i.partition(".")[0] for i in _imports(m)}}
    assert all(f"{module}.".startswith(f"{owner}.") for module in importers)
    assert importers or owner not in MODULES


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("publishing")])
def test_publishing_needs_no_workbook(module: str) -> None:
    """The check runs where neither notebooks nor a sender are installed."""
    others = {name.partition(".")[0] for name in _own(module)}
    assert not others & {"workbook", "http", "oauth", "api"}


def test_importing_the_package_is_light() -> None:
    """A fresh process that imports the menu loads nothing of the workbook or the sandbox."""
    uses = f"import ddoauth_kit; {'; '.join(f'ddoauth_kit.{n}' for n in ddoauth_kit.__all__)}"
    assert _loaded(uses, HEAVY) == "[]"


def test_the_plugin_costs_nothing() -> None:
    """What pytest loads in every run where the kit is installed loads nothing further."""
    unused = f"{HEAVY} httpx asyncio ddoauth_kit.http ddoauth_kit.errors"
    assert _loaded("import ddoauth_kit.pytest_plugin", unused) == "[]"


def _loaded(code: str, modules: str) -> str:
    """Return which of these modules a fresh process has after some code."""
    code = f"import sys; {code}; print([m for m in {modules.split()} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_menu_is_short_and_sorted() -> None:
    """At most twenty names, each exists, and in the order that ruff keeps."""
    names = ddoauth_kit.__all__
    assert len(names) <= 20
    assert all(hasattr(ddoauth_kit, name) for name in names)
    constants = [name for name in names if name.isupper()]
    classes = [name for name in names if name[0].isupper() and not name.isupper()]
    functions = [name for name in names if name[0].islower()]
    assert names == sorted(constants) + sorted(classes) + sorted(functions)


def test_the_menu_imports_what_it_lists() -> None:
    """Types and values are named once each, in the list, and lead to the same modules."""
    (choice,) = [node for node in ast.parse(MENU).body if isinstance(node, ast.If)]
    typed = {
        alias.name: node.module if node.module != "ddoauth_kit" else f"ddoauth_kit.{alias.name}"
        for node in choice.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == ddoauth_kit._PLACES
    assert sorted(typed) == sorted(ddoauth_kit.__all__)
    assert set(ddoauth_kit.__all__) <= set(dir(ddoauth_kit))


def test_the_menu_has_nothing_else() -> None:
    """A name that is not on the menu is missing as any other module would say it."""
    with pytest.raises(AttributeError, match="module 'ddoauth_kit' has no attribute 'Nothing'"):
        _ = ddoauth_kit.Nothing  # type: ignore[attr-defined]

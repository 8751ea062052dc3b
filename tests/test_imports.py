"""Imports point one way, and `import ddoauth_kit` stays light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.places import KIT, ROOT

import ddoauth_kit
import ddoauth_kit.workbook

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

LAYERS = (
    {
        "binder",
        "config_folder",
        "edited_text",
        "environment_values",
        "errors",
        "exchange",
        "own_python",
        "printable",
        "result_files",
        "scopes",
        "secret",
        "sites",
        "socket_folder",
        "whole_files",
        "without_threads",
    },
    {"masking"},
    {"http", "store"},
    {"leaks"},
    {"registration"},
    {"oauth"},
    {"api"},
    {"probing", "publishing"},
    {"doctor"},
    {"grading"},
    {"workbook"},
    {"commands", "maintenance"},
    {"cli"},
    {"__main__", "pytest_plugin"},
)
WORKBOOK = (
    {"show"},
    {"verdicts"},
    {"lab"},
    {"own_app"},
    {"panels"},
    {"submission"},
    {"runs"},
    {"lessons"},
)
SANDBOX = (
    {"clock", "sandbox_error"},
    {"facts"},
    {"http"},
    {"state"},
    {"pages"},
    {"oauth"},
    {"resources"},
    {"api"},
    {"server"},
    {"sandbox"},
    {"testing"},
)
ROOMS = {"workbook": WORKBOOK, "sandbox": SANDBOX}
MODULES = {
    ".".join(path.relative_to(KIT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(KIT.rglob("*.py"))
    if path != KIT / "__init__.py"
}
MAY_IMPORT_SANDBOX = (
    "commands.request_lines",
    "commands.sandbox",
    "commands.tile",
    "grading.",
    "maintenance.kinds_of_resources",
    "maintenance.sandbox_page",
    "pytest_plugin",
    "workbook.lab.",
    "workbook.lessons.lesson_tables",
)
HEAVY = (
    "pandas jupyter jupyter_core jupyter_client jupyterlab nbformat nbclient papermill "
    "IPython ipykernel anywidget ipywidgets starlette uvicorn keyring markdown_it "
    "ddoauth_kit.sandbox ddoauth_kit.workbook ddoauth_kit.publishing"
)


def _imported(node: ast.AST, *, types: bool) -> Iterator[str]:
    """Yield the absolute name of each imported thing, with or without those for types alone."""
    if not types and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):
            yield from _imported(child, types=types)


@cache
def _without_and_with_types(module: str) -> tuple[set[str], set[str]]:
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    return set(_imported(tree, types=False)), set(_imported(tree, types=True))


def _imports(module: str, *, types: bool = False) -> set[str]:
    return _without_and_with_types(module)[types]


@cache
def _own(module: str) -> set[str]:
    """Return the modules of this package that a module names, types included: `oauth.pkce`."""
    whole = (name for name in _imports(module, types=True) if name.startswith("ddoauth_kit."))
    names = [name.removeprefix("ddoauth_kit.") for name in whole]
    found = {name if name in MODULES else name.rpartition(".")[0] for name in names}
    return (found & set(MODULES)) - {module}


def _room(module: str) -> str:
    return module.partition(".")[0]


def _points_down(module: str, other: str) -> bool:
    """Return whether an import stays in its room or goes to a layer below."""
    (top, _, inside), (low_top, _, low_inside) = module.partition("."), other.partition(".")
    if top != low_top:
        return _is_below(low_top, top, LAYERS)
    if top not in ROOMS:
        return True
    return _is_below(low_inside.partition(".")[0], inside.partition(".")[0], ROOMS[top])


def _is_below(low: str, high: str, layers: Sequence[set[str]]) -> bool:
    return low == high or _level(low, layers) < _level(high, layers) or {low, high} <= layers[0]


def _level(room: str, layers: Sequence[set[str]]) -> int:
    """Return the number of a room's layer; a package's own menu is above its rooms."""
    if not room:
        return len(layers)
    found = [number for number, rooms in enumerate(layers) if room in rooms]
    assert found, f"{room} belongs into one of the layers"
    return found[0]


def test_imports_point_down() -> None:
    """A module imports its own room and the layers below it, for types, too."""
    wrong = {
        (module, name)
        for module in MODULES
        for name in _own(module)
        if _room(module) == "sandbox" or _room(name) != "sandbox"
        if not _points_down(module, name)
    }
    assert not wrong


def test_there_is_no_circle() -> None:
    """No chain of imports, type imports included, leads back to its start."""
    graph = {module: _own(module) for module in MODULES}
    assert not list(_circle(graph))


def _circle(graph: dict[str, set[str]]) -> Iterator[str]:
    """Yield the modules that are left when all that import nothing of the rest are taken away."""
    left = dict(graph)
    while free := [module for module, others in left.items() if not others & set(left)]:
        for module in free:
            del left[module]
    yield from left


def test_the_sandbox_stands_apart() -> None:
    """It imports nothing else of the package, and few rooms import it."""
    across = {
        (module, name)
        for module in MODULES
        for name in _own(module)
        if (_room(module) == "sandbox") != (_room(name) == "sandbox")
    }
    assert not {each for each in across if not f"{each[0]}.".startswith(MAY_IMPORT_SANDBOX)}


@pytest.mark.parametrize(
    ("package", "owners"),
    [
        ("h11", ("grading.front", "oauth.callback.loopback_server")),
        ("httpcore", ("http.deadline",)),
        (
            "httpx",
            (
                "grading.customer",
                "grading.sandbox_control",
                "http.sender",
                "workbook.lab.in_process",
                "workbook.lab.scripted_browser",
            ),
        ),
        ("ipywidgets", ("workbook.panels",)),
        ("markdown_it", ("publishing.markdown",)),
        ("packaging", ("doctor.packages",)),
    ],
)
def test_few_modules_know_each_package(package: str, owners: tuple[str, ...]) -> None:
    """Packages that may be replaced one day are imported in only one place."""
    importers = {m for m in MODULES if package in {i.partition(".")[0] for i in _imports(m)}}
    for owner in owners:
        found = {module for module in importers if f"{module}.".startswith(f"{owner}.")}
        assert found
        importers -= found
    assert not importers


def test_only_the_sender_sends() -> None:
    """No client-side module opens URLs with the standard library, past the sender's rules."""
    senders = ("http.client.HTTP", "urllib.request", "urllib3", "requests", "aiohttp")
    client_side = [module for module in MODULES if _room(module) != "sandbox"]
    assert not [m for m in client_side if any(n.startswith(senders) for n in _imports(m))]


def test_publishing_needs_no_workbook() -> None:
    """The check runs without notebooks or a sender installed."""
    others = {_room(n) for m in MODULES if _room(m) == "publishing" for n in _own(m)}
    assert not others & {"workbook", "http", "oauth", "api"}


def test_importing_the_package_is_light() -> None:
    """A fresh process that imports the menu loads nothing of the workbook or the sandbox."""
    uses = f"import ddoauth_kit; {'; '.join(f'ddoauth_kit.{n}' for n in ddoauth_kit.__all__)}"
    assert _loaded(uses, HEAVY) == "[]"


def test_the_plugin_costs_nothing() -> None:
    """The module that pytest loads in every run with the kit installed loads nothing else."""
    unused = f"{HEAVY} httpx asyncio ddoauth_kit.http.sender ddoauth_kit.errors"
    assert _loaded("import ddoauth_kit.pytest_plugin", unused) == "[]"


def _loaded(code: str, modules: str) -> str:
    """Return which of these modules a fresh process has after some code."""
    code = f"import sys; {code}; print([m for m in {modules.split()} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_menu_is_short_and_sorted() -> None:
    """There are at most 24 names, which all exist and are in ruff's order."""
    names = ddoauth_kit.__all__
    assert len(names) <= 24
    assert all(hasattr(ddoauth_kit, name) for name in names)
    constants = [name for name in names if name.isupper()]
    classes = [name for name in names if name[0].isupper() and not name.isupper()]
    functions = [name for name in names if name[0].islower()]
    assert names == sorted(constants) + sorted(classes) + sorted(functions)


@pytest.mark.parametrize("menu", [ddoauth_kit, ddoauth_kit.workbook], ids=["kit", "workbook"])
def test_the_menu_imports_what_it_lists(menu: ModuleType) -> None:
    """Types and values are named once each, in the list, and lead to the same modules."""
    text = Path(str(menu.__file__)).read_text("utf-8")
    (choice,) = [node for node in ast.parse(text).body if isinstance(node, ast.If)]
    typed = {
        alias.name: node.module if node.module != "ddoauth_kit" else f"ddoauth_kit.{alias.name}"
        for node in choice.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == menu._PLACES
    assert sorted(typed) == sorted(menu.__all__)
    assert set(menu.__all__) <= set(dir(menu))
    assert all(getattr(menu, name) is not None for name in menu.__all__)


@pytest.mark.parametrize("menu", [ddoauth_kit, ddoauth_kit.workbook], ids=["kit", "workbook"])
def test_the_menu_has_nothing_else(menu: ModuleType) -> None:
    """A name that is not on the menu is missing as any other module would say it."""
    with pytest.raises(AttributeError, match=f"module '{menu.__name__}' has no attribute"):
        _ = menu.Nothing


def test_a_run_announces_itself_before_it_loads_the_lab() -> None:
    """Printing the first line of `ddoauth run` does not load the lab or a sender."""
    heavy = "ddoauth_kit.workbook.lab ddoauth_kit.http.sender httpx asyncio nbformat pandas"
    assert _loaded("import ddoauth_kit.commands.run_notebooks", heavy) == "[]"


def _named_places() -> list[str]:
    """Return the dotted and slashed places of the package that lessons and documents name."""
    pages = [ROOT / "README.md", *ROOT.glob(".github/*.md"), *ROOT.glob("notebooks/*.ipynb")]
    pages += [KIT / "sandbox" / "README.md", ROOT / "pyproject.toml"]
    text = "\n".join(page.read_text("utf-8") for page in pages)
    dotted = re.findall(r"\bddoauth_kit(?:\.[A-Za-z_]\w*)+", text)
    slashed = re.findall(r"\bddoauth_kit/[\w/]+\.(?:py|json|md)\b", text)
    return sorted({*dotted, *slashed} - {"ddoauth_kit.lesson"})


def test_every_place_that_a_document_names_exists() -> None:
    """A reader who looks a module up, or a name in it, finds it there."""
    import_module("papermill.engines")  # it loads the kit's engine, which needs it loaded first
    assert [place for place in _named_places() if not _exists(place)] == []


def _exists(place: str) -> bool:
    """Return whether there is a file, a module, or a name in a module."""
    if "/" in place:
        return (ROOT / place).is_file()
    try:
        import_module(place)
    except ModuleNotFoundError:
        module, _, name = place.rpartition(".")
        return hasattr(import_module(module), name)
    return True


SMALL = ("api", "errors", "http", "masking", "oauth", "probing", "registration", "store")
MOST_LINES = 12_000


def test_small_stays_small() -> None:
    """The code that a server or a lesson's flow needs stays small: these rooms and their values."""
    needed = {module for module in MODULES if _room(module) in SMALL}
    while more := {name for module in needed for name in _own(module)} - needed:
        needed |= more
    assert {_room(module) for module in needed} - set(SMALL) <= LAYERS[0]
    lines = len((KIT / "__init__.py").read_text("utf-8").splitlines())
    lines += sum(len(MODULES[module].read_text("utf-8").splitlines()) for module in needed)
    assert lines <= MOST_LINES

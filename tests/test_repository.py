"""The repository keeps its own promises: style, types, commands, nothing left open."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.places import ROOT

if TYPE_CHECKING:
    from pathlib import Path

README = (ROOT / "README.md").read_text("utf-8")
PROSE = [ROOT / "README.md", *sorted((ROOT / ".github").glob("*.md"))]
SOURCES = sorted((ROOT / "ddoauth_kit").rglob("*.py"))
PICTURES = ROOT / ".github" / "pictures"
PICTURE_BYTES = 150_000
LESSONS = [str(path) for path in sorted(ROOT.glob("notebooks/*.ipynb"))]
CHECKED = ["ddoauth_kit", "tests", *LESSONS]
PICTURE = (
    r'<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)">\s*'
    r'<img src="([^"]+)"[^>]* alt="([^"]+)">\s*</picture>'
)


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", *CHECKED],
        ["ruff", "format", "--check", *CHECKED],
        pytest.param(["mypy"], marks=pytest.mark.long),
    ],
    ids=lambda command: "-".join(command[:2]),
)
def test_linters_are_content(command: list[str]) -> None:
    """Linter and type checker find nothing in the project; results of runs may lie beside it."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_ci_runs_the_command_of_the_readme() -> None:
    """The one line that CI picks out of the README is the test command."""
    lines = [line for line in README.splitlines() if line.endswith("-m pytest")]
    assert len(lines) == 1
    assert "pip install" in lines[0]
    assert "-m pytest$" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_links_of_the_prose_lead_somewhere() -> None:
    """Every relative link in README and .github points at a file that exists."""
    for page in PROSE:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_pictures_are_shown_in_both_themes() -> None:
    """Every picture in the prose exists, and every picture is shown, with a description."""
    shown = [(page.parent, *each) for page in PROSE for each in _pictures(page)]
    named = {(folder / file).resolve() for folder, *files, _alt in shown for file in files}
    assert named == set(PICTURES.iterdir())
    for _folder, dark, light, described in shown:
        assert dark == light.replace("-light.png", "-dark.png")
        assert described.endswith("."), light


def test_pictures_are_small() -> None:
    """Each file in the folder of pictures is a PNG that loads fast."""
    for path in PICTURES.iterdir():
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n"), path.name
        assert len(content) < PICTURE_BYTES, path.name


def _pictures(page: Path) -> list[tuple[str, str, str]]:
    """Return dark file, light file and description of each picture on a page."""
    text = page.read_text("utf-8")
    found: list[tuple[str, str, str]] = re.findall(PICTURE, text)
    assert len(found) * 2 == len(re.findall(r"pictures/[^\s\"]*\.png", text)), page.name
    return found


def test_nothing_is_left_open() -> None:
    """No source file contains a note about unfinished work."""
    marks = re.compile(
        "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "raise NotImplemented" + "Error"])
    )
    assert not [path.name for path in SOURCES if marks.search(path.read_text("utf-8"))]


def test_files_stay_small() -> None:
    """A source file past 600 lines usually hides two nouns."""
    sizes = {path.name: len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert not {name: size for name, size in sizes.items() if size > 600}

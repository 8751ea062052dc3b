"""The repository keeps its own promises: style, types, commands, nothing left open."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SOURCES = sorted((ROOT / "ddoauth_kit").rglob("*.py"))


@pytest.mark.parametrize(
    "command",
    [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]],
    ids=lambda command: "-".join(command[:2]),
)
def test_linters_are_content(command: list[str]) -> None:
    """Linter and type checker, with the settings in pyproject.toml, find nothing."""
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
    for page in [ROOT / "README.md", *(ROOT / ".github").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_nothing_is_left_open() -> None:
    """No source file holds a note to finish it later."""
    marks = re.compile(
        "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "raise NotImplemented" + "Error"])
    )
    assert not [path.name for path in SOURCES if marks.search(path.read_text("utf-8"))]


def test_files_stay_small() -> None:
    """A source file past 350 lines usually hides two nouns."""
    sizes = {path.name: len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert not {name: size for name, size in sizes.items() if size > 350}

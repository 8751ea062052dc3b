"""Binder builds this repository by repo2docker's rules, which were read from its Dockerfiles."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec

import pytest
from support.places import ROOT

BINDER = ROOT / "binder"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_folder_holds_what_repo2docker_reads() -> None:
    """A folder `binder` hides what is at the root, and an environment.yml would win over pip."""
    assert {path.name for path in BINDER.iterdir()} == {"requirements.txt", "runtime.txt"}


def test_python_is_one_that_both_sides_know() -> None:
    """`runtime.txt` reads `python-3.N`, one of repo2docker's lock files, and new enough for us."""
    found = re.fullmatch(r"python-3\.(\d+)\n", (BINDER / "runtime.txt").read_text("utf-8"))
    assert found
    needed = re.fullmatch(r">=3\.(\d+)", PROJECT["requires-python"])
    assert needed
    assert int(needed[1]) <= int(found[1]) <= 14


def test_requirements_name_this_repository() -> None:
    """At the root, where pip runs, `.` is the repository; by itself it would not be copied."""
    lines = (BINDER / "requirements.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == [".[binder]"]
    assert len(lines) > 1
    extras = PROJECT["optional-dependencies"]
    assert any(line.startswith("ddoauth-kit[workbook]") for line in extras["binder"])
    assert any(line.startswith("jupyter-server-proxy") for line in extras["binder"])


def test_the_first_lesson_is_where_the_link_leads() -> None:
    """`urlpath=lab/tree/notebooks/00_start_here.ipynb` needs the notebook there, by its kernel."""
    lesson = ROOT / "notebooks" / "00_start_here.ipynb"
    assert '"name": "python3"' in lesson.read_text("utf-8")


@pytest.mark.skipif(find_spec("repo2docker") is None, reason="repo2docker is not installed")
def test_the_dockerfile_copies_before_it_installs() -> None:
    """repo2docker itself, without an engine, copies the repository and then runs pip in it."""
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    dockerfile = done.stdout + done.stderr
    copied = dockerfile.index("COPY --chown=0:0 src/ ${REPO_DIR}/")
    installed = dockerfile.index('pip install --no-cache-dir -r "binder/requirements.txt"')
    assert copied < installed

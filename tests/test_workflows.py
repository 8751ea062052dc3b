"""The example of a nightly run, and the hook for pre-commit, do what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from support.places import ROOT

if TYPE_CHECKING:
    from pathlib import Path

JOBS = yaml.safe_load((ROOT / ".github" / "workflows" / "nightly.yml").read_text("utf-8"))["jobs"]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))


def _commands(job: str) -> list[str]:
    """Return the shell commands of a job, without the installation."""
    runs = [step["run"] for step in JOBS[job]["steps"] if "run" in step]
    assert runs[0] == 'python -m pip install ".[workbook]"'
    return runs[1:]


@pytest.fixture
def shell(tmp_path: Path) -> Any:
    """Give a shell, as the runner has it, in which `ddoauth` is this interpreter's."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    command = bin_folder / "ddoauth"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ddoauth_kit "$@"\n', "utf-8")
    command.chmod(0o755)
    environment = {name: v for name, v in os.environ.items() if not name.startswith("DDOAUTH_")}
    path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"

    def run(script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=tmp_path,
            env={**environment, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.long
def test_the_nightly_run(shell: Any, tmp_path: Path) -> None:
    """The commands of the example run every lesson on every site and compare with the last run."""
    assert shell("ddoauth run 00 --out last-run").returncode == 0
    for command in _commands("sandbox"):
        done = shell(command)
        assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "ddoauth-runs" / "summary.json").read_text("utf-8"))
    assert summary["passed"] == 9 * len({run["notebook"] for run in summary["runs"]})
    assert summary["differences"]
    assert (tmp_path / "last-run" / "summary.json").is_file()


def test_the_live_job_without_credentials(shell: Any) -> None:
    """Where the secrets are missing, the live job ends at once and says which."""
    done = shell(_commands("live")[0])
    assert done.returncode == 2
    assert "DDOAUTH_CLIENT_ID" in done.stderr


def test_secrets_come_from_secrets() -> None:
    """What is secret is taken from the runner's secrets, and stands in no command."""
    given = JOBS["live"]["env"]
    secret = {name for name in given if "SECRET" in name or "TOKEN" in name}
    assert secret == {name for name, value in given.items() if "secrets." in value}
    assert not [command for command in _commands("live") if "secrets." in command]


def test_the_hook_runs_without_the_workbook(shell: Any, tmp_path: Path) -> None:
    """Pre-commit installs the package without extras: the scan needs none of them."""
    hook = next(hook for hook in HOOKS if hook["id"] == "ddoauth-scan")
    assert hook["entry"] == "ddoauth scan"
    secret = "sandbox-secret-" + "0123456789" * 4
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [{"source": [secret]}]}), "utf-8")
    code = (
        "import sys\n"
        "for name in ('pandas', 'starlette', 'nbformat', 'IPython', 'papermill', 'keyring'):\n"
        "    sys.modules[name] = None\n"
        "from ddoauth_kit.cli import main\n"
        "sys.exit(main(['scan', 'a.ipynb']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "a.ipynb: cell 1, source: credential of the sandbox" in done.stdout
    assert secret not in done.stdout + done.stderr


def test_drift_is_looked_for_each_week() -> None:
    """The workflow runs the command that CONTRIBUTING names, once a week."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "drift.yml").read_text("utf-8"))
    last = workflow["jobs"]["description"]["steps"][-1]["run"]
    assert last.startswith("python -m ddoauth_kit.maintenance.spec ")
    assert last.removeprefix("python ") in (ROOT / ".github" / "CONTRIBUTING.md").read_text("utf-8")
    # YAML reads the key `on` as a truth value.
    (schedule,) = workflow[True]["schedule"]
    assert schedule["cron"].split()[2:4] == ["*", "*"]
    assert schedule["cron"].split()[4].isdecimal()

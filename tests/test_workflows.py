"""The example of a nightly run, and the hook for pre-commit, do what they say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from support.places import KIT, ROOT

from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.workbook.lessons.notebooks import notebooks_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# Each was read at that commit in public repositories that pin it, with this version beside it.
PINNED = {
    f"uses: actions/{action}"
    for action in (
        "checkout@34e114876b0b11c390a56381ad16ebd13914f8d5 # v4.3.1",
        "setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0",
        "cache/restore@0057852bfaa89a56745cba8c7296529d2fc39830 # v4.3.0",
        "cache/save@0057852bfaa89a56745cba8c7296529d2fc39830 # v4.3.0",
        "upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2",
        "upload-pages-artifact@7b1f4a764d45c48632c6b24a0339c27f5614fb0b # v4.0.0",
        "deploy-pages@d6db90164ac5ed86f2b6aed7e0febac5b3c0c03e # v4.0.5",
    )
}
UPLOADS = (
    "actions/upload-artifact",
    "actions/upload-pages-artifact",
    "actions/cache/save",
    "actions/cache@",
)
GATE = "${{ !cancelled() && steps.scan.outcome == 'success' }}"
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


@pytest.fixture
def two_lessons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Give the commands a copy of the package with two lessons, as if it were installed."""
    chosen = ("00_start_here", "01_the_whole_flow")
    packages = tmp_path / "packages"
    shutil.copytree(KIT, packages / KIT.name)
    (packages / KIT.name / "notebooks").mkdir()
    for name in chosen:
        shutil.copy(notebooks_folder() / f"{name}.ipynb", packages / KIT.name / "notebooks")
    monkeypatch.setenv("PYTHONPATH", str(packages))
    return chosen


@pytest.mark.long
def test_the_nightly_run(two_lessons: tuple[str, ...], shell: Any, tmp_path: Path) -> None:
    """The commands run all lessons of the package on every site and compare with the last run.

    The other lessons are run by tests/workbook: at every site, and in kernels like these.
    """
    assert shell("ddoauth run 00 --out last-run").returncode == 0
    for command in _commands("sandbox"):
        done = shell(command)
        assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "ddoauth-runs" / "summary.json").read_text("utf-8"))
    ran = {(run["notebook"], run["site"]) for run in summary["runs"]}
    assert ran == set(product(two_lessons, DATADOG_SITES.names))
    assert summary["passed"] == len(ran)
    assert summary["only_in_one_run"]
    assert (tmp_path / "last-run" / "summary.json").is_file()


def test_the_live_job_without_credentials(shell: Any) -> None:
    """If secrets are missing, the live job ends at once and names them."""
    done = shell(_commands("live")[0])
    assert done.returncode == 2
    assert "DDOAUTH_CLIENT_ID" in done.stderr


def test_secrets_come_from_secrets() -> None:
    """Secret values come from the runner's secrets and are not in any command."""
    given = dict(pair for step in JOBS["live"]["steps"] for pair in step.get("env", {}).items())
    secret = {name for name in given if "SECRET" in name or "TOKEN" in name}
    assert secret == {name for name, value in given.items() if "secrets." in value}
    assert not [command for command in _commands("live") if "secrets." in command]


def _faults(text: str) -> set[str]:
    """Return what a workflow does that no workflow here may do."""
    found = set()
    workflow = yaml.safe_load(text)
    if "secrets." in str({k: v for k, v in workflow.items() if k != "jobs"}):
        found.add("secret above the jobs")
    if not PINNED.issuperset(line.strip(" -") for line in text.splitlines() if "uses:" in line):
        found.add("action without a known commit")
    for job in workflow["jobs"].values():
        if "secrets" in str({k: v for k, v in job.items() if k != "steps"}):
            found.add("secret of a job")
        found |= {fault for step in job["steps"] for fault in _faults_of(step, job)}
    return found


def _faults_of(step: dict[str, Any], job: dict[str, Any]) -> Iterator[str]:
    uses, runs = step.get("uses", ""), step.get("run", "")
    if "secrets." in str(step) and (uses or not runs.lstrip().startswith("ddoauth ")):
        yield "secret where something else runs"
    if "secrets." in runs:
        yield "secret in a command"
    if uses.startswith(UPLOADS) or "last-run\n" in runs:
        before = job["steps"][: job["steps"].index(step)]
        scans = [each.get("id") for each in before if "ddoauth scan" in each.get("run", "")]
        if step.get("if") != GATE or scans != ["scan"]:
            yield "upload without a passed scan"


@pytest.mark.checklist("N10")
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_workflow_is_careful(path: Path) -> None:
    """Secrets at the step that needs them, actions by commit, nothing up before a passed scan."""
    text = path.read_text("utf-8")
    assert _faults(text) == set()
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    assert text.count("persist-credentials: false") == text.count("actions/checkout@")


MUTATIONS = [
    (r"@[0-9a-f]{40} # v[\d.]+", "@v4", "action without a known commit"),
    (r"@[0-9a-f]{40}", "@main", "action without a known commit"),
    (r"@[0-9a-f]{40}", f"@{'0' * 40}", "action without a known commit"),
    (r"@([0-9a-f]{7})[0-9a-f]{33}", r"@\1", "action without a known commit"),
    (r"actions/checkout@", "somebody/checkout@", "action without a known commit"),
    (r"(?m)^permissions:", "env: {A: '${{ secrets.A }}'}\npermissions:", "secret above the jobs"),
    (r"(?m)^    steps:", "    env: {A: '${{ secrets.A }}'}\n    steps:", "secret of a job"),
    (r"(?m)^    steps:", "    secrets: inherit\n    steps:", "secret of a job"),
    (
        r"        run: python -m pip",
        "        env: {A: '${{ secrets.A }}'}\n        run: python -m pip",
        "secret where something else runs",
    ),
    (
        r"        with:\n          python",
        "        env: {A: '${{ secrets.A }}'}\n        with:\n          python",
        "secret where something else runs",
    ),
    (r"ddoauth scan ddoauth-runs", "ddoauth scan '${{ secrets.A }}'", "secret in a command"),
    (r"run: ddoauth run 00", "run: ddoauth run ${{ secrets.A }}", "secret in a command"),
    (r"id: scan", "id: other", "upload without a passed scan"),
    (r"          ddoauth scan ddoauth-runs\n", "", "upload without a passed scan"),
    *(
        (re.escape(f"if: {GATE}"), f"if: {condition}", "upload without a passed scan")
        for condition in (
            "always()",
            "success() || failure()",
            "'true'",
            "${{ !cancelled() }}",
            "failure()",
            "steps.scan.outcome != 'failure'",
            "steps.scan.conclusion == 'success'",
            "${{ !cancelled() || steps.scan.outcome == 'success' }}",
        )
    ),
]


@pytest.mark.checklist("N10")
@pytest.mark.parametrize(("pattern", "new", "fault"), MUTATIONS, ids=range(len(MUTATIONS)))
def test_a_careless_change_is_noticed(pattern: str, new: str, fault: str) -> None:
    """Each way to weaken the example is found by the test above."""
    text = (ROOT / ".github" / "workflows" / "nightly.yml").read_text("utf-8")
    changed = re.sub(pattern, new, text)
    assert changed != text
    assert fault in _faults(changed)


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

"""No version of any file in the repository contains a secret that could be real."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from support.places import ROOT

SHAPES = {
    "an API key": r"(?<![0-9a-zA-Z_/+=-])[0-9a-f]{32}(?![0-9a-zA-Z_/+=-])",
    "an application key": r"(?<![0-9a-zA-Z_/+=@-])[0-9a-f]{40}(?![0-9a-zA-Z_/+=-])",
    "a new Datadog key": r"dd(?:pat|sat|api|app)_[0-9A-Za-z]{20,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a token of GitHub": r"gh[pousr]_[0-9A-Za-z]{30,}",
    "a key of AWS": r"AKIA[0-9A-Z]{16}\b",
    "a signed token": r"eyJ[0-9A-Za-z_-]{20,}\.[0-9A-Za-z_-]{20,}\.[0-9A-Za-z_-]{10,}",
    "a token of a package index": r"pypi-[0-9A-Za-z_-]{50,}",
}
# Made up for tests: digits in order, one character again and again, the samples of an older scan.
MADE_UP = re.compile(
    r"0123456789abcdef|fedcba9876543210|(.)\1{7}|12345678|deadbeef|abcdef012345|c0ffee00|^9f8e7d6c5b4a3928"
)


def _added() -> set[str]:
    """Return each different line that any commit of any branch here ever added."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout, so there is no history to read")
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "-c",
        "core.quotePath=off",
        "log",
        "-p",
        "--all",
        "--unified=0",
        "--no-color",
    ]
    done = subprocess.run(
        [*command, "--no-ext-diff", "--no-textconv"], cwd=ROOT, capture_output=True, check=True
    )
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return {line[1:] for line in lines if line.startswith("+") and not line.startswith("+++")}


def test_the_whole_history_holds_no_secret() -> None:
    """No line ever added looks like a credential, except those made up in tests."""
    lines = _added()
    assert len(lines) > 10_000
    text = "\n".join(lines)
    found = [
        f"{what}: {match[0][:6]}... in {text[: match.end()].splitlines()[-1][:60]!r}"
        for what, shape in SHAPES.items()
        for match in re.finditer(shape, text)
        if not MADE_UP.search(match[0])
    ]
    assert found == []


def test_the_scan_itself_finds() -> None:
    """Each format is found where it exists, so that a clean scan means something."""
    samples = [
        "key = '" + "9b8e" * 8 + "'",
        "app_key: " + "9b8e" * 10,
        "dd" + "pat_" + "x9" * 12,
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        "gh" + "p_" + "a1" * 18,
        "AK" + "IA" + "Q7" * 8,
        "ey" + "J" + "a1" * 12 + "." + "b2" * 12 + "." + "c3" * 8,
        "py" + "pi-" + "Ag" * 30,
    ]
    for shape, sample in zip(SHAPES.values(), samples, strict=True):
        match = re.search(shape, sample)
        assert match
        assert not MADE_UP.search(match[0])


def test_installed_packages_fit_together() -> None:
    """`pip check` finds no package whose needs are not met."""
    command = [sys.executable, "-m", "pip", "check", "--disable-pip-version-check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "No module named pip" in done.stderr:
        pytest.skip("this environment was made without pip")
    assert done.returncode == 0, done.stdout

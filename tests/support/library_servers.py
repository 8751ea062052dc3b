"""Servers that follow the documentation of their libraries, and their grading settings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.grading.settings import settings_from
from support.graded import free_port
from support.npm import installed
from support.places import TESTS

if TYPE_CHECKING:
    from pathlib import Path

    from ddoauth_kit.grading.settings import GradeSettings

SOURCES = TESTS / "grading" / "servers"
EXPECTED = SOURCES / "expected.toml"
# Debian's package of golang.org/x/oauth2 is not a module, and lies here.
GO_LIBRARIES = "/usr/share/gocode"


@dataclass(frozen=True)
class LibraryServer:
    """A server, its requirements, and the start and end of its flow.

    `begins_on_page` means that the start page has a form, and `calls` that the server lists
    monitors.
    """

    name: str
    program: str
    callback: str = "/oauth/callback"
    begins_on_page: bool = False
    calls: bool = False

    @property
    def source(self) -> Path:
        """Return the folder of the server's files."""
        return SOURCES / self.name


FLASK = LibraryServer("flask_authlib", sys.executable, calls=True)
EXPRESS = LibraryServer("express_passport", "npm")
GO = LibraryServer("go_oauth2", "go", calls=True)
RUBY = LibraryServer("ruby_omniauth", "ruby", "/auth/datadog/callback", begins_on_page=True)
FARADAY = LibraryServer("ruby_faraday", "ruby", calls=True)
JAVA = LibraryServer("java_http", "javac", calls=True)
LIBRARY_SERVERS = (FLASK, EXPRESS, GO, RUBY, FARADAY, JAVA)


def command_of(server: LibraryServer, *, folder: Path) -> list[str]:
    """Install or compile the server's requirements in the folder, and return its command."""
    if shutil.which(server.program) is None:
        _missing(f"{server.program} is not here")
    if server is EXPRESS:
        return ["node", str(installed(server.source, folder=folder) / "server.js")]
    if server is GO:
        return [str(_compiled(server.source / "main.go", folder / "server"))]
    if server in {RUBY, FARADAY}:
        _needs_gem("omniauth-oauth2" if server is RUBY else "faraday")
        return ["ruby", str(server.source / "server.rb")]
    if server is JAVA:
        source = str(server.source / "Server.java")
        subprocess.run(["javac", "-d", str(folder), source], check=True, capture_output=True)
        return ["java", "-cp", str(folder), "Server"]
    return [sys.executable, str(server.source / "server.py")]


def _compiled(source: Path, program: Path) -> Path:
    variables = {**os.environ, "GO111MODULE": "off", "GOPATH": GO_LIBRARIES}
    command = ["go", "build", "-o", str(program), str(source)]
    done = subprocess.run(command, env=variables, check=False, capture_output=True, text=True)
    if "cannot find package" in done.stderr:
        _missing("Debian's golang-golang-x-oauth2-dev is not here")
    assert done.returncode == 0, done.stderr
    return program


def _needs_gem(name: str) -> None:
    done = subprocess.run(["ruby", "-e", f"require '{name}'"], check=False, capture_output=True)
    if done.returncode:
        _missing(f"Debian's ruby-{name} is not here")


def _missing(what: str) -> None:
    assert not os.environ.get("CI"), what
    pytest.skip(what)


def library_settings(server: LibraryServer, *, command: list[str], folder: Path) -> GradeSettings:
    """Return settings of the server; the variables of `support.graded.VARIABLES` must be set."""
    port = free_port()
    base = f"http://localhost:{port}"
    start = {"page": f"{base}/"} if server.begins_on_page else {"url": f"{base}/connect/datadog"}
    document: dict[str, object] = {
        "start": start,
        "connected": {"text": "Connected to Datadog"},
        "client": {
            "redirect_uris": [f"{base}{server.callback}"],
            "scopes": ["dashboards_read", "monitors_read"],
        },
        "server": {
            "command": command,
            "env": {
                "DD_CLIENT_ID": "{client_id}",
                "DD_CLIENT_SECRET": "{client_secret}",
                "SESSION_SECRET": "{env:GRADED_SESSION}" * 4,
                "PORT": str(port),
            },
        },
    }
    if server.calls:
        document["call"] = {"url": f"{base}/monitors", "method": "GET"}
    return settings_from(document, folder=folder)


def expected_verdicts(*tables: str) -> dict[str, str]:
    """Return the verdicts that the tables expect for unmet requirements; a later table wins."""
    found = tomllib.loads(EXPECTED.read_text("utf-8"))
    return {name: verdict for table in tables for name, (verdict, _) in found[table].items()}

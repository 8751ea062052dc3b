"""The skill for coding assistants says what the package says, and its commands work."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

import pytest
from support.graded import free_port
from support.npm import needs_npm

from ddoauth_kit.cli import main
from ddoauth_kit.sites import DATADOG_SITES

SERVER = Path(__file__).parents[1] / "grading" / "data" / "plain_server.py"


def written(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the skill as the command prints it."""
    assert main(["skill"]) == 0
    return capsys.readouterr().out


def test_it_has_the_usual_form(capsys: pytest.CaptureFixture[str]) -> None:
    """Front matter with a name and a description of use comes first."""
    head = re.match(r"---\nname: ([a-z-]+)\ndescription: (.+)\n---\n", written(capsys))
    assert head is not None
    assert head[1] == "datadog-oauth"
    assert len(head[2]) < 1024


def test_it_names_what_the_package_knows(capsys: pytest.CaptureFixture[str]) -> None:
    """All nine domains, the endpoints and the verdicts are those of the code."""
    from ddoauth_kit.grading.results import Verdict

    text = written(capsys)
    for name in DATADOG_SITES.names:
        assert f"`{DATADOG_SITES.named(name).domain}`" in text
    for word in (*Verdict, "/api/v2/oauth2/token", "/api/v2/api_keys/marketplace"):
        assert word in text


def test_it_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--out` writes the file; writing it again is fine, another text is not overwritten."""
    path = tmp_path / "datadog-oauth" / "SKILL.md"
    for _ in "ab":
        assert main(["skill", "--out", str(tmp_path)]) == 0
    assert path.read_text("utf-8") == written(capsys)
    path.write_text("mine", "utf-8")
    assert main(["skill", "--out", str(tmp_path)]) == 2
    assert path.read_text("utf-8") == "mine"
    (tmp_path / "file").write_text("")
    assert main(["skill", "--out", str(tmp_path / "file")]) == 1


@pytest.fixture
def integration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Go to the folder of a server that `npm start` runs, and return the server's address."""
    port = str(free_port())
    server = SERVER.read_text("utf-8")
    for old, new in (("DD_ID", "DD_CLIENT_ID"), ("DD_KEY", "DD_CLIENT_SECRET")):
        server = server.replace(f'"{old}"', f'"{new}"')
    (tmp_path / "server.py").write_text(server.replace('"/connect"', '"/connect/datadog"'), "utf-8")
    started = f"{shlex.quote(sys.executable)} server.py"
    package = {"name": "integration", "scripts": {"start": started}}
    (tmp_path / "package.json").write_text(json.dumps(package), "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORT", port)
    return f"http://localhost:{port}"


@pytest.mark.long
@needs_npm
def test_each_command_runs(integration: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All commands of the skill run one after another, and the grade is JSON as described."""
    blocks = re.findall(r"```bash\n(.*?)```", written(capsys), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert {line.split()[1] for line in lines} == {"grade", "explain", "doctor"}
    shown = {}
    for line in lines:
        words = shlex.split(line.replace("http://localhost:3000", integration))
        assert main(words[1:]) in {0, 1}, line
        shown[line] = capsys.readouterr().out
    assert Path("ddoauth-grade.toml").is_file()
    grade = json.loads(shown["ddoauth grade --format json"])
    assert grade["grade"] in {"broken", "incomplete", "risk", "met"}
    fields = {"id", "verdict", "requirement", "source", "expected", "actual", "evidence", "fix"}
    assert all(fields <= set(verdict) for verdict in grade["verdicts"])
    assert "invalid_grant" in shown["ddoauth explain invalid_grant"]

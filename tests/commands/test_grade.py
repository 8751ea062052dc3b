"""`ddoauth grade` announces what it will do, judges a server, and exits with the result."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from support.front import needs_namespaces
from support.graded import PASSWORD, SCOPES, VARIABLES, free_port, server_copy
from support.places import TESTS

from ddoauth_kit.cli import main
from ddoauth_kit.grading.requirements import REQUIREMENTS

if TYPE_CHECKING:
    from pathlib import Path

STRANGE = TESTS / "grading" / "data" / "strange_server.py"
LOGIN = ("--login", "http://127.0.0.1:9/login")
ONLY = ("--only", "pkce-s256", "--only", "redirect-uri-same")
FILE = """
sites = ["us1"]
[start]
url = "{base}/connect/datadog"
[connected]
text = "Connected to Datadog"
[client]
redirect_uris = ["{base}/oauth/callback"]
scopes = {scopes}
[server]
command = {command}
[server.env]
DD_CLIENT_ID = "{{client_id}}"
DD_CLIENT_SECRET = "{{client_secret}}"
REDIRECT_URI = "{base}/oauth/callback"
SCOPES = "{joined}"
STATE_FOLDER = "{folder}"
SESSION_SECRET = "{{env:GRADED_SESSION}}"
LOGIN_PASSWORD = "{{env:GRADED_PASSWORD}}"
PORT = "{port}"
[login]
url = "{base}/login"
form = {{ account = "ada", password = "{{env:GRADED_PASSWORD}}" }}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder of one's own, with the variables that the settings name."""
    monkeypatch.chdir(tmp_path)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def _write(folder: Path, server: Path) -> None:
    port = free_port()
    text = FILE.format(
        base=f"http://127.0.0.1:{port}",
        port=port,
        command=json.dumps([sys.executable, str(server)]),
        scopes=json.dumps(list(SCOPES)),
        joined=" ".join(SCOPES),
        folder=folder,
    )
    (folder / "ddoauth-grade.toml").write_text(text, "utf-8")


def test_requirements_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """`--list` shows each requirement with its ID and sentence, musts first; the help names it."""
    assert main(["grade", "--list"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.startswith("musts: ")
    assert all(f" {each.id} {each.sentence}" in shown for each in REQUIREMENTS.values())
    assert main(["grade", "--list", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["id"]: row["must"] for row in rows} == {
        each.id: each.is_must for each in REQUIREMENTS.values()
    }
    assert main(["help", "grade"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for words in ("requirement One rule", "--list shows all", "must A requirement", "settings How"):
        assert words in shown


def test_a_server_without_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An address alone is not enough, and the message says in words what is missing."""
    monkeypatch.chdir(tmp_path)
    assert main(["grade", "http://localhost:3000"]) == 2
    said = capsys.readouterr().err
    assert "Nothing says how to start your server. Add its command after --" in said
    assert "--sandbox URL" in said


def test_a_good_server_exits_with_0_and_all_forms_are_written(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only JSON is on stdout, the announcement is on stderr, and no file contains a secret."""
    _write(place, server_copy(place))
    assert main(["grade", *ONLY, "--format", "json", "--out", "out"]) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert {each["id"]: each["verdict"] for each in found["verdicts"]} == {
        "pkce-s256": "met",
        "redirect-uri-same": "met",
    }
    assert "connections" in shown.err
    assert "rows, emails and webhooks" in shown.err
    written = {path.name: path.read_text("utf-8") for path in (place / "out").iterdir()}
    assert set(written) == {"grade.html", "grade.json", "grade.md", "junit.xml"}
    assert len(ET.fromstring(written["junit.xml"]).findall(".//testcase")) == len(found["verdicts"])
    for text in (shown.out, shown.err, *written.values()):
        assert PASSWORD not in text
    assert main(["grade", *ONLY, "--compare", "out", "--strict"]) == 0
    assert "What changed" not in capsys.readouterr().out


def test_a_mistake_exits_with_1_and_is_named_with_its_fix(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that takes any browser's redirect is broken, and the table says why."""
    changes = (
        ('site_url=query.get("site", ""), session=session', 'site_url="", session="everybody"'),
        ("request.url.query, session=session", 'request.url.query, session="everybody"'),
    )
    _write(place, server_copy(place, *changes))
    assert main(["grade", "--only", "browser-bound"]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("broken: ")
    assert "browser-bound" in shown
    assert "Fix:" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--init URL -- COMMAND"),
        (["--file", "grade.toml"], "grade.toml was not found"),
        (["--set", "DD_CLIENT_ID", "http://127.0.0.1:9/x"], "is not NAME=VALUE"),
        (["--set", "DD_CLIENT_SECRET=abc123", "http://127.0.0.1:9/x"], "looks like a secret"),
        (["https://app.datadoghq.com/oauth2/v1/authorize"], "Datadog's own address"),
        (["--only", "state-cheked", "http://127.0.0.1:9/x", "--", "true"], "state-checked"),
        (["http://127.0.0.1:9/x", "--only", "state-cheked", "--", "true", "--x"], "state-checked"),
        (["--init", "http://127.0.0.1:9/x", "--login-field", "a=b"], "needs --login URL"),
        (
            ["--init", "http://127.0.0.1:9/x", *LOGIN, "--login-field", "password=abc123"],
            "looks like a secret",
        ),
        (["--forward", "5432", "http://127.0.0.1:9/x"], "--forward needs --isolate"),
        (["--isolate", "--sandbox", "http://127.0.0.1:9"], "Leave one of them out"),
        (["--compare", "nowhere", "http://127.0.0.1:9/x"], "is not the report of a grading"),
        (["--sandbox", "https://example.com", "http://127.0.0.1:9/x"], "this machine"),
        (["http://127.0.0.1:9/x"], "how to start your server"),
        (["http://127.0.0.1:9/x", "--only", "state-cheked", "--", "true"], "state-checked"),
        (
            ["--init", "http://127.0.0.1:9/x", "--set", "A=B", "--", "false", "--only"],
            "`false --only`",
        ),
        (["--init"], "needs the address"),
    ],
)
def test_settings_that_cannot_work_exit_with_2_and_one_line(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """The line says what to do, and shows no traceback."""
    assert main(["grade", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.strip().splitlines()
    assert said in lines[-1]
    assert lines[-1].startswith("ddoauth: ")
    assert "Traceback" not in shown.err
    assert "abc123" not in shown.err


def test_init_never_overwrites(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file stays as it was, and the server is not started."""
    path = place / "ddoauth-grade.toml"
    path.write_text("# mine\n", "utf-8")
    assert main(["grade", "--init", "http://127.0.0.1:9/x", "--", "touch", "started"]) == 2
    assert path.read_text("utf-8") == "# mine\n"
    assert "already exists" in capsys.readouterr().err
    assert not (place / "started").exists()


@needs_namespaces
def test_isolate_grades_in_a_namespace(place: Path) -> None:
    """A server that reads no proxy variable is graded, and nothing of it can leave."""
    named = "HEADERS = {\n"
    deaf = 'for name in ("HTTPS_PROXY", "https_proxy"):\n    os.environ.pop(name, None)'
    server = server_copy(place, (named, f"{deaf}\n\n{named}"))
    _write(place, server)
    line = [sys.executable, "-m", "ddoauth_kit", "grade", *ONLY, "--isolate", "--format", "json"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {each["verdict"] for each in found["verdicts"]} == {"met"}


@needs_namespaces
def test_forward_lets_a_database_of_this_machine_be_reached(place: Path) -> None:
    """A server that needs one ends at once in a namespace, and is graded with the option."""
    port = free_port()
    base = f"http://localhost:{port}"
    with socket.create_server(("127.0.0.1", 0)) as database:
        wanted = str(database.getsockname()[1])
        document = f"""
            start = {{ url = "{base}/connect" }}
            connected = {{ text = "Connected to Datadog" }}
            [client]
            redirect_uris = ["{base}/callback"]
            scopes = ["dashboards_read", "monitors_read"]
            [server]
            command = {json.dumps([sys.executable, str(STRANGE)])}
            env = {{ PORT = "{port}", DATABASE_PORT = "{wanted}", DD_ID = "{{client_id}}", \
DD_KEY = "{{client_secret}}" }}
        """
        (place / "ddoauth-grade.toml").write_text(document, "utf-8")
        line = [sys.executable, "-m", "ddoauth_kit", "grade", "--isolate", "--only", "pkce-s256"]
        runs = [
            subprocess.run([*line, *more], capture_output=True, text=True, timeout=120, check=False)
            for more in ([], ["--forward", wanted])
        ]
    assert [done.returncode for done in runs] == [2, 0], runs[1].stderr
    assert "before it was ready" in runs[0].stderr


@needs_namespaces
def test_a_foreign_host_is_seen_in_a_namespace(place: Path) -> None:
    """Even if no outside name resolves, the front sees a secret leave."""
    port = free_port()
    base, scopes = f"http://localhost:{port}", '["dashboards_read", "monitors_read"]'
    document = f"""
        start = {{ url = "{base}/connect" }}
        connected = {{ text = "Connected to Datadog" }}
        client = {{ redirect_uris = ["{base}/callback"], scopes = {scopes} }}
        [server]
        command = {json.dumps([sys.executable, str(STRANGE)])}
        env = {{ PORT = "{port}", TROUBLE = "careless", DD_ID = "{{client_id}}", \
DD_KEY = "{{client_secret}}" }}
    """
    (place / "ddoauth-grade.toml").write_text(document, "utf-8")
    line = [sys.executable, "-m", "ddoauth_kit", "grade", "--isolate", "--only", "domain-allowed"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    assert "api.datadog.example" in done.stdout

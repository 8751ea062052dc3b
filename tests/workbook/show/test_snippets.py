"""A snippet sends the recorded request, whatever its values contain."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from support.builders import ACCESS_TOKEN, API_KEY, request

from ddoauth_kit.exchange import Exchange
from ddoauth_kit.secret import Secret
from ddoauth_kit.sites import Host
from ddoauth_kit.workbook.show.snippets import as_curl, as_httpx

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.loopback import Arrived, RecordingServer

    from ddoauth_kit import Http
    from ddoauth_kit.http.message import Request
    from ddoauth_kit.workbook.show.snippets import Snippet

TOKEN = Secret(ACCESS_TOKEN, label="access_token")
KEY = Secret(API_KEY, label="api_key", show_last_four=True)
VALUES = [
    "plain words",
    'a "quoted" word',
    "it's",
    r"C:\temp\new",
    r"ends with \ "[:-1],
    r"two \\ and three \\\ of them",
    r"\"",
    r"\\\" \\$HOME \\`id`",
    "$HOME ${HOME} $(id) $$ $1",
    r"\$HOME \`id\` \$(id)",
    "`id`",
    "!! !$ history",
    "a&b=c+d%20e;f#g?h",
    "EOF",
    "<<EOF",
    "# no comment",
    "@/etc/hostname",
    "{1..3} [a-z] *",
    "Grüße, 東京 \U0001f436",
    "\t tab",
    "{braces} {{twice}}",
    "1 < 2 > 0",
]
VARIABLES = {
    "DDOAUTH_ACCESS_TOKEN": ACCESS_TOKEN,
    "DDOAUTH_API_KEY": API_KEY,
    "DDOAUTH_CODE": "a code",
}


def _run(snippet: Snippet, server: RecordingServer, home: Path) -> None:
    """Run a snippet as a reader would, with the variables that it may name."""
    commands = {"bash": ["bash", "-s"], "python": [sys.executable, "-"]}
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", **VARIABLES}
    hosts = ("APP", "API", "LOGS_INTAKE", "EVENTS_INTAKE")
    done = subprocess.run(
        commands[snippet.language],
        input=snippet.code.encode(),
        env=environ | {f"DDOAUTH_{host}_URL": server.url for host in hosts},
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


@pytest.fixture
def resend(
    serve: Callable[..., RecordingServer], http: Http, tmp_path: Path
) -> Callable[..., tuple[Arrived, Arrived]]:
    """Send a request by the kit, then by its snippet; return both as they arrived."""

    def send(write: Callable[[Exchange], Snippet], **parts: Any) -> tuple[Arrived, Arrived]:
        server = serve()
        sent: Request = request(server.site, **parts)
        _run(write(http.send(sent).exchange), server, tmp_path)
        first, second = server.arrived
        return first, second

    return send


# Python takes longer to start than bash, so it gets all values in one go.
EACH = [*((as_curl, (value,)) for value in VALUES), (as_httpx, tuple(VALUES))]


@pytest.mark.parametrize(("write", "values"), EACH)
def test_values_in_json(write: Any, values: tuple[str, ...], resend: Any) -> None:
    """JSON texts and names arrive to the letter, line breaks in them included."""
    body = {value: [f"{value}\nnext", 1.5, None, True, {"deep": value}] for value in values}
    first, second = resend(write, method="POST", body=body, repeatable=False)
    assert json.loads(second.body) == json.loads(first.body) == body
    assert second.headers["content-type"] == "application/json"


@pytest.mark.parametrize(("write", "values"), EACH)
def test_values_in_a_form(write: Any, values: tuple[str, ...], resend: Any) -> None:
    """Form fields arrive to the letter, next to a secret from the environment."""
    fields = {"empty": "", **{f"field_{n}": value for n, value in enumerate(values)}}
    form = (("token", TOKEN), *fields.items())
    first, second = resend(write, method="POST", form=form, repeatable=False)
    assert second.form == first.form == {"token": ACCESS_TOKEN, **fields}


@pytest.mark.parametrize(("write", "values"), EACH)
def test_values_in_a_query(write: Any, values: tuple[str, ...], resend: Any) -> None:
    """Parameters of a query arrive to the letter, and the request stays a GET."""
    fields = {"from": "0", **{f"field_{n}": value for n, value in enumerate(values)}}
    first, second = resend(write, query=tuple(fields.items()))
    assert (second.method, second.body) == ("GET", b"")
    assert second.target.partition("?")[0] == first.target.partition("?")[0]
    assert _query(second) == _query(first) == fields


def _query(arrived: Arrived) -> dict[str, str]:
    return replace(arrived, body=arrived.target.partition("?")[2].encode()).form


@pytest.mark.parametrize("write", [as_curl, as_httpx])
@pytest.mark.parametrize(
    "headers", [(("authorization", TOKEN),), (("dd-api-key", KEY), ("x-note", r'a "b" \ $HOME'))]
)
def test_headers_arrive(write: Any, headers: Any, resend: Any) -> None:
    """Credentials from the environment go into the header where the kit had them."""
    first, second = resend(write, headers=headers)
    for name, _ in headers:
        assert second.headers[name] == first.headers[name]


@pytest.mark.parametrize("write", [as_curl, as_httpx])
def test_a_post_without_a_body(write: Any, resend: Any) -> None:
    """A POST without a body stays one."""
    _, second = resend(write, method="POST", repeatable=False)
    assert (second.method, second.body) == ("POST", b"")


def _search(body: dict[str, str], *headers: tuple[str, str]) -> Exchange:
    """Record a POST of a JSON body, with placeholders for secrets."""
    return Exchange(
        purpose="a search",
        method="POST",
        url="https://api.lab1.example.com/search",
        status=200,
        request_headers=headers,
        request_body=json.dumps(body),
        request_type="application/json",
    )


@pytest.mark.parametrize("before", ["", "say ", r'a "b" \ {c} $HOME ', "\\"])
@pytest.mark.parametrize("write", [as_curl, as_httpx])
def test_a_secret_within_a_text(write: Any, before: str, serve: Any, tmp_path: Path) -> None:
    """A placeholder becomes its variable, and the text around it stays what it was."""
    server = serve()
    exchange = _search({"text": f"{before}<code> and <api_key …cdef>."})
    _run(write(exchange), server, tmp_path)
    assert json.loads(server.arrived[0].body) == {"text": f"{before}a code and {API_KEY}."}


@pytest.mark.parametrize(
    ("host", "variable"),
    [
        (Host.APP, "DDOAUTH_APP_URL"),
        (Host.API, "DDOAUTH_API_URL"),
        (Host.LOGS_INTAKE, "DDOAUTH_LOGS_INTAKE_URL"),
        (Host.EVENTS_INTAKE, "DDOAUTH_EVENTS_INTAKE_URL"),
    ],
)
@pytest.mark.parametrize("write", [as_curl, as_httpx])
def test_each_host_has_its_variable(
    write: Any, host: Host, variable: str, serve: Any, http: Http
) -> None:
    """The host's role names the variable, so that a snippet fits every site."""
    code = repr(write(http.send(request(serve().site, host=host)).exchange))
    assert variable in code
    assert code.count("_URL") == 1
    assert "lab1.example.com" not in code


def test_a_refusal_fails_the_command(serve: Any, tmp_path: Path) -> None:
    """A refused request ends a snippet with an error, so that a script stops."""
    from support.loopback import Answer

    exchange = Exchange("a call", "GET", "https://api.lab1.example.com/x", 403)
    for write in (as_curl, as_httpx):
        with pytest.raises(AssertionError, match="403"):
            _run(write(exchange), serve(Answer(status=403)), tmp_path)


def test_a_snippet_shows_as_code() -> None:
    """In text a snippet is the code alone; in a notebook it is a block of its language."""
    snippet = as_curl(Exchange("a call", "GET", "https://api.lab1.example.com/x", 200))
    assert repr(snippet) == snippet.code
    assert snippet._repr_markdown_() == f"```bash\n{snippet.code}\n```"


@pytest.mark.parametrize("write", [as_curl, as_httpx])
def test_the_comments_of_copied_code_are_enough(write: Any, serve: Any, tmp_path: Path) -> None:
    """Typing the commented lines and pasting the values sends the request."""
    server = serve()
    bearer = ("authorization", "Bearer <access_token>")
    exchange = _search({"key": "<api_key …cdef>"}, bearer)
    snippet = write(exchange)
    copied = snippet.introduced("api.lab1.example.com")
    assert copied.splitlines()[0].startswith("# Set these variables first")
    assert not [value for value in VARIABLES.values() if value in copied]
    lines = [line[4:] for line in copied.splitlines() if line.startswith("#   ")]
    assert len(lines) == len(snippet.variables) == 3
    typed = []
    for line in lines:
        name = next(name for name in snippet.variables if name in line)
        pasted = f"<<< '{VARIABLES[name]}' " if name in VARIABLES else ""
        here = line.replace("https://api.lab1.example.com", server.url)
        typed.append(here.replace(f"{name} &&", f"{name} {pasted}&&") if "&&" in here else here)
        if pasted and "&&" not in here:
            typed[-1] += f" {pasted}"
    (tmp_path / "copied").write_text(copied)
    program = "source copied" if snippet.language == "bash" else f"{sys.executable} copied"
    done = subprocess.run(
        ["bash", "-c", "\n".join([*typed, program])],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (arrived,) = server.arrived
    assert json.loads(arrived.body) == {"key": API_KEY}
    assert arrived.headers["authorization"] == f"Bearer {ACCESS_TOKEN}"


ATTACKS = (
    "$(touch M)",
    "`touch M`",
    "\\$(touch M)",
    "\\\\$(touch M)",
    "\\\\\\`touch M\\\\\\`",
    "${X:-$(touch M)}",
    "$((a[$(touch M)]))",
    "${!PATH*}$(touch M)",
    "x\nEOF\ntouch M\n",
    "x\r\nEOF\r\ntouch M\r\n",
    "x\nEOF\ntouch M #",
    "x\\\nEOF\ntouch M\n",
    "\nEOF\n",
    "EOF",
    "x\u2028EOF\u2028touch M",
    "x\x0bEOF\x0btouch M",
    "x\x85EOF\x85touch M",
    '"\noutput = "M',
    '"; output = "M',
    '\\"\noutput = M\n',
    "x\n--output M\n",
    "<(touch M)",
    "<x>$(touch M)",
    "\\<x>$(touch M)",
    "'; touch M; '",
    '" + __import__("os").system("touch M") + "',
    "{__import__('os').system('touch M')}",
    "<x>{__import__('os').system('touch M')}",
    "\\N{DOLLAR SIGN}\\x24(touch M)",
    '"""\nimport os; os.system("touch M")\n"""',
    "\x03touch M\n",
    "\x1b[201~\ntouch M\n",
)
POSITIONS: dict[str, Callable[[str], dict[str, Any]]] = {
    "path": lambda text: {"url": f"https://api.datadoghq.com/api/{text}"},
    "query": lambda text: {"url": f"https://api.datadoghq.com/a?{urlencode({'a': text})}"},
    "query name": lambda text: {"url": f"https://api.datadoghq.com/a?{urlencode({text: 'a'})}"},
    "method": lambda text: {"method": text},
    "header": lambda text: {"request_headers": (("x-a", text),)},
    "header name": lambda text: {"request_headers": ((text, "a"),)},
    "json": lambda text: {"request_body": json.dumps({text: [text]})},
    "form": lambda text: {
        "request_body": f"a={text}\nb=c",
        "request_type": "x-www-form-urlencoded",
    },
    "form name": lambda text: {
        "request_body": f"{text}=a",
        "request_type": "x-www-form-urlencoded",
    },
    "type": lambda text: {"request_body": "{}", "request_type": text},
}


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("attack", ATTACKS, ids=ascii)
def test_nothing_in_a_request_runs(attack: str, position: str, tmp_path: Path) -> None:
    """Whatever a request contains, pasting its command sends it and runs nothing else."""
    values = {"purpose": "x", "method": "POST", "url": "https://api.datadoghq.com/a", "status": 200}
    given = {"request_type": "application/json", **values, **POSITIONS[position](attack)}
    exchange = Exchange(**given)
    curl = tmp_path / "bin" / "curl"
    curl.parent.mkdir()
    curl.write_text("#!/bin/sh\ncat > sent\n", "utf-8")
    curl.chmod(0o755)
    names = [f"DDOAUTH_{name}" for name in ("API_URL", "X", "X_", "CODE")]
    environ = dict.fromkeys(names, "v") | {"PATH": f"{curl.parent}:{os.environ['PATH']}"}
    code = as_curl(exchange).code
    subprocess.run(
        ["bash", "-s"],
        input=code.encode("utf-8", "replace"),
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        timeout=30,
        check=True,
    )
    assert {path.name for path in tmp_path.iterdir()} == {"bin", "sent"}
    sent = (tmp_path / "sent").read_text("utf-8").splitlines()
    known = ("url = ", "request = ", "header = ", "data = ", "data-urlencode = ", "get", "globoff")
    assert not [line for line in sent if not line.startswith(known)]
    assert all(line.count('"') >= 2 and line.endswith('"') for line in sent if " = " in line)
    tree = ast.parse(as_httpx(exchange).code)
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert called <= {"answer.raise_for_status", "httpx.post", "httpx.request"}
    assert len([n for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom))]) == 2

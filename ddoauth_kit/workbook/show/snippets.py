"""Write a recorded request as a cURL command or as httpx code, without its secrets.

Hosts and secrets become environment variables. The cURL command reads everything from standard
input, because other processes on the machine can read its arguments.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

if TYPE_CHECKING:
    from ddoauth_kit.exchange import Exchange

_VARIABLE: Final = re.compile(r"\bDDOAUTH_[A-Z_]+\b")
_PLACEHOLDER: Final = re.compile(r"<(\w+)(?: …\w{4})?>")
# A placeholder becomes a variable, so a backslash before one counts as before `$`.
_HEREDOC: Final = re.compile(r"[$`]|\\(?=[\\$`<])")
_CURL: Final = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"}
_CONTROL: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_GLOB: Final = re.compile(r"[][{}]")
_HOSTS: Final = (
    ("http-intake.logs.", "DDOAUTH_LOGS_INTAKE_URL"),
    ("event-management-intake.", "DDOAUTH_EVENTS_INTAKE_URL"),
    ("api.", "DDOAUTH_API_URL"),
)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of code to copy; a notebook shows it highlighted."""

    language: str
    code: str

    @property
    def variables(self) -> tuple[str, ...]:
        """Return the environment variables that the code reads, without duplicates."""
        return tuple(dict.fromkeys(_VARIABLE.findall(self.code)))

    def introduced(self, host: str) -> str:
        """Return the code to copy: comments above it say how to set its variables.

        `host` is the request's. Secrets are typed in, so they don't end up in the shell's history;
        a child process such as Python sees only exported variables.
        """
        python = self.language == "python"
        lines = ["# Set these variables first, in the same terminal:"]
        for name in self.variables:
            if name.endswith("_URL"):
                value = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", f"{name}=https://{host}")
                lines.append(f"#   {'export ' if python else ''}{value}")
            else:
                typed = f"read -rs {name}"
                lines.append(f"#   {typed} && export {name}" if python else f"#   {typed}")
        if len(self.variables) > 1:
            lines.append("# read -rs waits for the value: paste it, and press Enter.")
        return "\n".join([*lines, self.code])

    def __repr__(self) -> str:
        return self.code

    def _repr_markdown_(self) -> str:
        return f"```{self.language}\n{self.code}\n```"


def as_curl(exchange: Exchange) -> Snippet:
    """Return a bash command that stops before sending if a variable is unset, and names it.

    The here-document is unquoted so that bash expands the variables. Each value is therefore
    escaped, so bash doesn't run any of it, and kept on one line, so it can't end the here-document.
    """
    url = urlsplit(exchange.url)
    lines = [
        *(["globoff"] if _GLOB.search(url.path) else []),
        f'url = "${{{_host_variable(url.netloc)}:?}}{_shell(url.path)}"',
        f'request = "{_shell(exchange.method)}"',
        *(f'header = "{_shell(f"{name}: {value}")}"' for name, value in exchange.request_headers),
    ]
    if url.query:
        lines += ["get", *(_data(name, value) for name, value in _pairs(url.query))]
    if exchange.request_type.endswith("urlencoded"):
        lines += [_data(name, value) for name, value in _form(exchange)]
    elif exchange.request_body:
        lines += [
            f'header = "content-type: {_shell(exchange.request_type)}"',
            f'data = "{_shell(_compact(exchange.request_body))}"',
        ]
    config = "\n".join(lines)
    command = "curl --silent --show-error --fail-with-body --config - <<EOF"
    return Snippet("bash", f"{command}\n{config}\nEOF")


def as_httpx(exchange: Exchange) -> Snippet:
    """Return Python code that sends the same request with httpx."""
    url = urlsplit(exchange.url)
    arguments = [f'os.environ["{_host_variable(url.netloc)}"] + {_string(url.path)}']
    if exchange.request_headers:
        arguments.append(f"headers={_python(dict(exchange.request_headers))}")
    if url.query:
        arguments.append(f"params={_python(dict(_pairs(url.query)))}")
    if exchange.request_type.endswith("urlencoded"):
        arguments.append(f"data={_python(dict(_form(exchange)))}")
    elif exchange.request_body:
        arguments.append(f"json={_python(json.loads(exchange.request_body))}")
    inner = "".join(f"    {argument},\n" for argument in arguments)
    call = f"answer = httpx.{_call(exchange.method)}\n{inner})"
    return Snippet("python", f"import os\n\nimport httpx\n\n{call}\nanswer.raise_for_status()")


def _host_variable(host: str) -> str:
    """Return the variable for a host; the host's first label shows its role."""
    return next((name for start, name in _HOSTS if host.startswith(start)), "DDOAUTH_APP_URL")


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def _form(exchange: Exchange) -> list[tuple[str, str]]:
    """Return the fields of a recorded form; the recorded body has one per line."""
    fields = (line.partition("=") for line in exchange.request_body.split("\n"))
    return [(name, value) for name, _, value in fields]


def _data(name: str, value: str) -> str:
    return f'data-urlencode = "{_shell(quote(name, safe="[]"))}={_shell(value)}"'


def _call(method: str) -> str:
    """Return the start of the call; use `request` for a method without its own function."""
    known = method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
    return f"{method.lower()}(" if known else f"request(\n    {_text(method)},"


def _shell(text: str) -> str:
    """Escape text for cURL's quotes, then for bash's here-document, then insert the secrets' names.

    In a here-document, a backslash escapes only itself, `$` and a backtick. A control character
    would affect the terminal where the text is pasted.
    """
    for character, escape in _CURL.items():
        text = text.replace(character, escape)
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    text = _HEREDOC.sub(r"\\\g<0>", text)
    return _PLACEHOLDER.sub(lambda found: f"${{{_variable(found)}:?}}", text)


def _python(value: Any, *, depth: int = 1) -> str:  # noqa: ANN401 - JSON has no narrower type
    """Write a value as Python, one dictionary entry per line, with secrets from the environment."""
    indent, end = "    " * (depth + 1), "    " * depth
    if isinstance(value, dict):
        entries = (
            f"{indent}{_text(k)}: {_python(v, depth=depth + 1)},\n" for k, v in value.items()
        )
        return f"{{\n{''.join(entries)}{end}}}"
    if isinstance(value, list):
        return f"[{', '.join(_python(item, depth=depth) for item in value)}]"
    return _string(value) if isinstance(value, str) else repr(value)


def _string(text: str) -> str:
    """Write a string; a string with a secret becomes an f-string or the variable itself."""
    found = _PLACEHOLDER.search(text)
    if found is None:
        return _text(text)
    if found[0] == text:
        return f'os.environ["{_variable(found)}"]'
    inner = _text(text).replace("{", "{{").replace("}", "}}")
    return "f" + _PLACEHOLDER.sub(lambda found: f"{{os.environ['{_variable(found)}']}}", inner)


def _text(text: str) -> str:
    written = json.dumps(text, ensure_ascii=False)
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def _variable(found: re.Match[str]) -> str:
    return f"DDOAUTH_{found[1].upper()}"


def _compact(body: str) -> str:
    return json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False)

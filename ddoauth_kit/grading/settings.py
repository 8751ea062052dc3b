"""Read and write `ddoauth-grade.toml`, which describes a server's flow and how to make it act."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ddoauth_kit.errors.near_names import nearest
from ddoauth_kit.grading.front.process import SHELL_WORDS
from ddoauth_kit.grading.requirements import REQUIREMENTS
from ddoauth_kit.leaks.secret_names import is_secret_name
from ddoauth_kit.sites import DATADOG_SITES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE_NAME: Final = "ddoauth-grade.toml"
PATIENCE: Final = 10.0
LONGEST_PATIENCE: Final = 120.0
ACTS: Final = ("send", "call", "refresh", "disconnect", "list")
# Requirements that are judged by a page's text, if the file names them.
PAGES: Final = (
    *("denied", "stranger", "error-shape", "bad-answer", "wrong-domain-named", "key-409"),
    *("timeout", "scope-narrowed", "scope-disabled"),
)
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_REFERENCE: Final = re.compile(r"\{(env:(?P<name>[A-Za-z_]\w*)|client_id|client_secret)\}")
_TOP: Final = (
    *("start", "connected", "client", "sites", "allow", "patience", "durable"),
    *("server", "login", *ACTS, "pages", "skip"),
)
_STARTS: Final = ("url", "page", "json", "log")
_MARKS: Final = ("text", "address", "status_url")
_ACT: Final = ("url", "method", "command")


class SettingsError(Exception):
    """The reason grading can't start: a stable code, and one line that ends with the next step."""

    def __init__(self, code: str, line: str) -> None:
        super().__init__(code, line)
        self.code = code
        self.line = line

    def __str__(self) -> str:
        return self.line


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSettings:
    """Where the flow begins, in one of four ways.

    `url` redirects to Datadog, `page` has one link or form that leads there, `json` returns the
    address in `field` (with dots for nested fields), and `log` is text in the output line that
    contains the address.
    """

    url: str = ""
    page: str = ""
    json: str = ""
    field: str = ""
    log: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedSettings:
    """How to recognize the *connected* page: by its text, its address, or a status URL."""

    text: str = ""
    address: str = ""
    status_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """The server's registration: the path of its file, or the values themselves."""

    file: str = ""
    redirect_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """How to start the server; without a command, it is already running.

    `ready` is an address that responds, or text in the output. Values in `env` may contain
    `{client_id}`, `{client_secret}` and `{env:NAME}`.
    """

    command: tuple[str, ...] = ()
    ready: str = ""
    log: str = ""
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActSettings:
    """How to make the server do something: with a request or a command.

    A login may have `form` fields, and `cookie` and `header`, which are sent unchanged
    (`name=value`, `Name: value`).
    """

    url: str = ""
    method: str = "POST"
    command: tuple[str, ...] = ()
    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookie: str = field(default="", repr=False)
    header: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeSettings:
    """All settings of `ddoauth grade`.

    `patience` is in seconds. `pages` maps a requirement to text that its page must show; `skip`
    maps a requirement to the reason for skipping it. Commands run in `folder`, and paths are
    relative to it.
    """

    start: StartSettings
    connected: ConnectedSettings = ConnectedSettings()
    client: ClientSettings = ClientSettings()
    sites: tuple[str, ...] = ("us1",)
    allow: tuple[str, ...] = ()
    patience: float = PATIENCE
    durable: bool = False
    server: ServerSettings = ServerSettings()
    login: ActSettings | None = None
    other_login: ActSettings | None = None
    acts: Mapping[str, ActSettings] = field(default_factory=dict)
    pages: Mapping[str, str] = field(default_factory=dict)
    skip: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path()


def read_settings(path: Path) -> GradeSettings:
    """Read the file.

    Raises:
        SettingsError: `no_settings`, `bad_settings`, `unknown_setting`, `literal_secret`.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError(
            "no_settings",
            f"{path} was not found. `ddoauth grade --init URL -- COMMAND` writes it.",
        ) from None
    except OSError as error:
        raise SettingsError("no_settings", f"{path} cannot be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError("bad_settings", f"{path} is not valid TOML: {error}.") from None
    return settings_from(document, folder=path.parent)


def settings_from(document: Mapping[str, Any], *, folder: Path = Path()) -> GradeSettings:
    """Check a parsed TOML document, and refuse every unknown name.

    Raises:
        SettingsError: `bad_settings`, `unknown_setting`, `literal_secret`.
    """
    _known(document, _TOP, where="the file")
    start = _table(document, "start", (*_STARTS, "field"))
    if sum(name in start for name in _STARTS) != 1:
        raise SettingsError(
            "bad_settings", "[start] needs exactly one of url, page, json (with field) or log."
        )
    if ("json" in start) != ("field" in start):
        raise SettingsError("bad_settings", "In [start], json needs field, and field needs json.")
    for name in ("url", "page", "json"):
        if name in start:
            _check_url(str(start[name]), where=f"{name} in [start]")
    login = _login(document)
    return GradeSettings(
        start=StartSettings(**{name: _text(start, name, "start") for name in start}),
        connected=_connected(document),
        client=_client(document),
        sites=_sites(document.get("sites", ["us1"])),
        allow=_texts(document, "allow"),
        patience=_patience(document.get("patience", PATIENCE)),
        durable=_flag(document, "durable"),
        server=_server(document),
        login=login,
        other_login=_other(document),
        acts={name: _act(document, name) for name in ACTS if name in document},
        pages=_by_requirement(document, "pages", PAGES),
        skip=_by_requirement(document, "skip", REQUIREMENTS),
        folder=folder,
    )


def resolved(text: str, *, values: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """Replace `{client_id}`, `{client_secret}` and `{env:NAME}` in a value.

    Raises:
        SettingsError: `no_variable`, if a variable is not set.
    """

    def fill(found: re.Match[str]) -> str:
        name = found["name"]
        if name is None:
            return values[found[1]]
        if not environ.get(name):
            raise SettingsError(
                "no_variable", f"{FILE_NAME} names the variable {name}, which is not set. Set it."
            )
        return environ[name]

    return _REFERENCE.sub(fill, text)


def _known(found: Mapping[str, Any], names: Iterable[str], *, where: str) -> None:
    for name in found:
        if name not in names:
            raise SettingsError(
                "unknown_setting",
                f"{name!r} in {where} is not a setting.{nearest(name, names)} The settings are: "
                f"{', '.join(names)}.",
            )


def _table(document: Mapping[str, Any], name: str, names: Iterable[str]) -> Mapping[str, Any]:
    found = document.get(name, {})
    if not isinstance(found, dict):
        raise SettingsError("bad_settings", f"{name} must be a table, such as [{name}].")
    _known(found, tuple(names), where=f"[{name}]")
    return found


def _text(table: Mapping[str, Any], name: str, where: str) -> str:
    value = table.get(name, "")
    if not isinstance(value, str):
        raise SettingsError("bad_settings", f"{name} in [{where}] must be a string in quotes.")
    return value


def _texts(table: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = table.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise SettingsError("bad_settings", f"{name} must be a list of strings.")
    return tuple(value)


def _flag(document: Mapping[str, Any], name: str) -> bool:
    value = document.get(name, False)
    if not isinstance(value, bool):
        raise SettingsError("bad_settings", f"{name} must be true or false.")
    return value


def _patience(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SettingsError("bad_settings", "patience must be a number of seconds.")
    if not 0 < value <= LONGEST_PATIENCE:
        raise SettingsError(
            "bad_settings", f"patience must be more than 0 and at most {LONGEST_PATIENCE:g} s."
        )
    return float(value)


def _sites(value: object) -> tuple[str, ...]:
    names = DATADOG_SITES.names
    if value == "all":
        return tuple(names)
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not given:
        raise SettingsError("bad_settings", 'sites must be "all" or a list such as ["us1", "eu1"].')
    for site in given:
        if site not in names:
            raise SettingsError(
                "bad_settings",
                f"{site!r} is not a site.{nearest(str(site), names)} The sites are: "
                f"{', '.join(names)}.",
            )
    return tuple(dict.fromkeys(given))


def _check_url(url: str, *, where: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        raise SettingsError("bad_settings", f"{where} must be a URL that starts with http.")
    if any(host == site.domain or host.endswith(f".{site.domain}") for site in _all_sites()):
        raise SettingsError(
            "datadog_address",
            f"{where} is Datadog's own address. Name the address of your server that sends the "
            "customer there.",
        )


def _all_sites() -> Iterable[Any]:
    return (DATADOG_SITES.named(name) for name in DATADOG_SITES.names)


def _connected(document: Mapping[str, Any]) -> ConnectedSettings:
    table = _table(document, "connected", _MARKS)
    marks = {name: _text(table, name, "connected") for name in table}
    if "status_url" in marks:
        _check_url(marks["status_url"], where="status_url in [connected]")
    return ConnectedSettings(**marks)


def _client(document: Mapping[str, Any]) -> ClientSettings:
    value = document.get("client", {})
    if isinstance(value, str):
        return ClientSettings(file=value)
    table = _table(document, "client", ("redirect_uris", "scopes"))
    return ClientSettings(
        redirect_uris=_texts(table, "redirect_uris"), scopes=_texts(table, "scopes")
    )


def _server(document: Mapping[str, Any]) -> ServerSettings:
    table = _table(document, "server", ("command", "ready", "log", "env"))
    env = table.get("env", {})
    if not isinstance(env, dict) or not all(isinstance(each, str) for each in env.values()):
        raise SettingsError("bad_settings", "[server.env] must map names of variables to strings.")
    for name, value in env.items():
        _no_literal(name, value, where="[server.env]")
    return ServerSettings(
        command=_command(table.get("command", ""), where="server"),
        ready=_text(table, "ready", "server"),
        log=_text(table, "log", "server"),
        env=dict(env),
    )


def _no_literal(name: str, value: str, *, where: str) -> None:
    """Refuse a literal secret, because the settings file is committed with the code."""
    if value and is_secret_name(name) and not _REFERENCE.search(value):
        raise SettingsError(
            "literal_secret",
            f"{name} in {where} looks like a secret. Write {{env:{name}}} and set the variable; "
            "{client_id} and {client_secret} stand for the sandbox's client.",
        )


def _command(value: object, *, where: str) -> tuple[str, ...]:
    if isinstance(value, str):
        try:
            words = tuple(shlex.split(value, posix=os.name == "posix"))
        except ValueError as error:
            raise SettingsError("bad_settings", f"command in [{where}]: {error}.") from None
        if SHELL_WORDS.intersection(words):
            raise SettingsError(
                "bad_settings",
                f"command in [{where}] needs a shell, but runs without one. Write "
                'command = ["sh", "-c", "..."].',
            )
        return words
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise SettingsError(
        "bad_settings", (f"command in [{where}] must be a string or a list of strings.")
    )


def _act(
    document: Mapping[str, Any], name: str, *, more: tuple[str, ...] = (), where: str = ""
) -> ActSettings:
    where = where or name
    table = _table(document, name, (*_ACT, *more))
    if ("url" in table) == ("command" in table) and not {"cookie", "header"} & table.keys():
        raise SettingsError("bad_settings", f"[{where}] needs a url or a command.")
    if "url" in table:
        _check_url(_text(table, "url", where), where=f"url in [{where}]")
    method = _text(table, "method", where).upper() or "POST"
    if method not in METHODS:
        raise SettingsError(
            "bad_settings", f"method in [{where}] must be one of {', '.join(METHODS)}."
        )
    form = table.get("form", {})
    if not isinstance(form, dict) or not all(isinstance(each, str) for each in form.values()):
        raise SettingsError(
            "bad_settings", (f"form in [{where}] must map names of fields to strings.")
        )
    for field_name, value in form.items():
        _no_literal(field_name, value, where=f"form of [{where}]")
    fixed = {name: _text(table, name, where) for name in ("cookie", "header")}
    for kind, value in fixed.items():
        if value and not _REFERENCE.search(value):
            raise SettingsError(
                "literal_secret", f"{kind} in [{where}] must take its value from {{env:NAME}}."
            )
    return ActSettings(
        url=_text(table, "url", where),
        method=method,
        command=_command(table.get("command", ""), where=where),
        form=dict(form),
        **fixed,
    )


_LOGIN: Final = ("form", "cookie", "header")


def _login(document: Mapping[str, Any]) -> ActSettings | None:
    if "login" not in document:
        return None
    table = _table(document, "login", (*_ACT, *_LOGIN, "other"))
    own = {name: value for name, value in table.items() if name != "other"}
    return _act({"login": own}, "login", more=_LOGIN)


def _other(document: Mapping[str, Any]) -> ActSettings | None:
    table = document.get("login", {})
    if not isinstance(table, dict) or "other" not in table:
        return None
    return _act({"other": table["other"]}, "other", more=_LOGIN, where="login.other")


def _by_requirement(document: Mapping[str, Any], name: str, known: Iterable[str]) -> dict[str, str]:
    table = _table(document, name, known)
    found = {each: _text(table, each, name) for each in table}
    empty = [each for each, text in found.items() if not text.strip()]
    if empty:
        what = "a reason" if name == "skip" else "a text"
        raise SettingsError("bad_settings", f"{empty[0]} in [{name}] needs {what}.")
    return found


def to_toml(settings: GradeSettings, *, blocked: Iterable[str] = ()) -> str:
    """Return the file that `--init` writes and that you should review.

    `blocked` lists the hosts that the front refused; they appear in the file as comments.
    """
    lines = ["# What `ddoauth grade` knows about this server. Check each value.", "", "[start]"]
    lines += _pairs(
        (name, getattr(settings.start, name)) for name in ("url", "page", "json", "field", "log")
    )
    lines += ["", "[connected]"]
    lines += _pairs((name, getattr(settings.connected, name)) for name in _MARKS)
    lines += ["", "[client]"]
    lines += [f"redirect_uris = {_listed(settings.client.redirect_uris)}"]
    lines += [f"scopes = {_listed(settings.client.scopes)}"]
    lines += ["", "[server]"]
    if settings.server.command:
        lines.append(f"command = {_listed(settings.server.command)}")
    lines += _pairs((("ready", settings.server.ready), ("log", settings.server.log)))
    if settings.server.env:
        lines += ["", "[server.env]", *_pairs(settings.server.env.items())]
    if settings.login is not None:
        lines += ["", "[login]", *_pairs([("url", settings.login.url)])]
        lines += ["", "[login.form]", *_pairs(settings.login.form.items())]
    # In TOML, values without a table come first.
    top = [f"sites = {_listed(settings.sites)}", f"allow = {_listed(settings.allow)}"]
    top += [f"# allow = {_listed([host])}  # the server asked for it" for host in blocked]
    return "\n".join([lines[0], *top, *lines[1:]]) + "\n"


def write_settings(path: Path, text: str) -> None:
    """Write a new file.

    Raises:
        SettingsError: `file_exists`, if the file already exists.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise SettingsError(
            "file_exists",
            f"{path} already exists. Move it, or use it: `ddoauth grade`.",
        ) from None


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{name} = {_quoted(value)}" for name, value in pairs if value]


def _listed(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'

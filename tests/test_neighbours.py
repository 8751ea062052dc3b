"""A hundred generated neighbours of each kind of input that once passed for something else."""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import threading
import time
import webbrowser
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, TypeVar
from unittest import mock

import pytest
from hypothesis import assume
from hypothesis import given as generated
from hypothesis import strategies as st
from support.backends import MemoryKeyring
from support.builders import registration as given_registration
from support.builders import response

from ddoauth_kit import socket_folder
from ddoauth_kit.cli import main
from ddoauth_kit.commands import lab, run, run_notebooks, terminal
from ddoauth_kit.commands.parser import Parser
from ddoauth_kit.commands.streams import existing_streams
from ddoauth_kit.config_folder import config_folder
from ddoauth_kit.doctor import client_settings
from ddoauth_kit.doctor.finding import Status
from ddoauth_kit.doctor.proxy_and_tls import check_tls
from ddoauth_kit.doctor.reachability import Reached, _foreign, check_sites
from ddoauth_kit.doctor.way_back import consent_wanted, opens_no_window
from ddoauth_kit.environment_values import word_of
from ddoauth_kit.errors import InputError, NetworkError
from ddoauth_kit.oauth.callback.addresses import registered_address
from ddoauth_kit.oauth.client import OAuthClient
from ddoauth_kit.printable import readable
from ddoauth_kit.registration import registration_from_file
from ddoauth_kit.registration.live import live_registration
from ddoauth_kit.scopes import known_scopes, unknown_scope
from ddoauth_kit.secret import Secret
from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.store import FileStore, KeyringStore, Slot, patience
from ddoauth_kit.store.files import default_folder
from ddoauth_kit.workbook.runs import scheduler_knock
from ddoauth_kit.workbook.runs.run_matrix import NotebookRun
from ddoauth_kit.workbook.runs.run_progress import RunProgress
from ddoauth_kit.workbook.runs.source_notebook import refuse_other_language

if TYPE_CHECKING:
    from collections.abc import Callable

SCOPES = sorted(known_scopes())
GOOD = {"DDOAUTH_CLIENT_ID": "x", "DDOAUTH_CLIENT_SECRET": "y"}
T = TypeVar("T")


def _asked(ask: Callable[[], T]) -> tuple[T | None, str]:
    """Return a value and nothing, or None and the refusal."""
    try:
        return ask(), ""
    except InputError as error:
        return None, error.what


WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.", min_size=1, max_size=12)


@generated(st.sampled_from(SCOPES), st.data())
def test_a_scope_with_one_wrong_letter_is_not_known(scope: str, data: st.DataObject) -> None:
    """The name that was meant is suggested, whichever letter is missing, doubled or in capitals."""
    at = data.draw(st.integers(0, len(scope) - 1))
    middle = data.draw(st.sampled_from(["", scope[at] * 2, scope[at].upper() + "x", "-"]))
    typed = scope[:at] + middle + scope[at + 1 :]
    assume(typed not in known_scopes())
    assert scope in unknown_scope(typed)


JSON = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(WORD, max_size=2)
PAGES = ("", "<html>Log in</html>", "<!DOCTYPE html><p>{}", "Blocked", "{", "{'ok': true}", "NaN")


@generated(
    st.sampled_from([400, 401, 403, 404, 407, 429, 511]) | st.integers(200, 499),
    st.sampled_from(PAGES) | JSON.map(json.dumps) | st.dictionaries(WORD, JSON).map(json.dumps),
    st.text(" \t\r\n", max_size=3),
)
def test_only_a_refusal_in_json_is_datadogs(status: int, text: str, blank: str) -> None:
    """A question without a key gets 401, 403 or 429 with an object; all else is a proxy's."""
    wanted = status in {401, 403, 429} and text.startswith("{") and text.endswith("}")
    wanted = wanted and text != "{'ok': true}"
    assert (_foreign(response(status, f"{blank}{text}{blank}")) == "") is wanted


@generated(st.sampled_from(sorted(GOOD)), WORD, st.sampled_from([" ", "\t", ",", ", ", ";"]), WORD)
def test_two_words_are_never_one_client(name: str, one: str, between: str, two: str) -> None:
    """An id or a secret with a blank, a comma or a semicolon is refused by the variable's name."""
    environ = {**GOOD, name: f"{one}{between}{two}"}
    for ask in (lambda: word_of(name, environ), lambda: live_registration("us1", environ=environ)):
        with pytest.raises(InputError, match=name) as caught:
            ask()
        assert caught.value.code == "bad_variable"


@generated(
    st.sampled_from(["http", "https"]),
    st.sampled_from(["127.0.0.1", "localhost", "[::1]", "acme.example.com"]),
    st.sampled_from(["", ":0", ":80", ":8484", ":65535", ":65536", ":x", ":-1"]),
    st.sampled_from(["Published", "private", "PRIVATE", "published ", ""]),
)
def test_the_doctor_says_what_the_commands_say(
    scheme: str, host: str, port: str, kind: str
) -> None:
    """Every value that they refuse is a problem in its report, and accepted values are not."""
    uri = f"{scheme}://{host}{port}/cb"
    environ = {
        **GOOD,
        "DDOAUTH_PUBLISHED_CLIENT_ID": "z",
        "DDOAUTH_REDIRECT_URIS": uri,
        "DDOAUTH_CLIENT_KIND": kind,
    }
    found, findings = client_settings.find_registration(environ, site="us1", client="")
    live, refused = _asked(lambda: live_registration("us1", environ=environ))
    if refused or live is None:
        assert (found, findings[0].status, findings[0].found) == (None, Status.PROBLEM, refused)
        return
    assert found == live
    (about,) = client_settings.check_redirect_uris(live)
    if host == "acme.example.com":
        assert about.status is Status.UNKNOWN
        return
    _, refused = _asked(lambda: registered_address(live, redirect_uri=uri))
    if refused:
        assert (about.status, about.found) == (Status.PROBLEM, refused)


@generated(st.text(min_size=1, max_size=10).filter(lambda t: "\0" not in t))
def test_a_folder_is_whole_or_refused(text: str) -> None:
    """No value of `DDOAUTH_STORE_FOLDER` leads to a folder below the current one."""
    environ = {"HOME": "/home/a", "DDOAUTH_STORE_FOLDER": text}
    folder, refused = _asked(lambda: default_folder(environ))
    if refused:
        assert "not an absolute path" in refused
        return
    assert folder is not None
    assert folder.is_absolute()
    assert "~" not in folder.parts[:2]


@generated(st.integers(1, 120), st.sampled_from(["x", "\u0436", "\udcd0", " "]))
def test_every_temporary_folder_has_room_for_sockets(
    tmp_path: Path, length: int, letter: str
) -> None:
    """However long its path is, and in whatever letters, the chosen one is short and readable."""
    named = tmp_path / (letter * length)
    named.mkdir(exist_ok=True)
    with mock.patch.object(tempfile, "tempdir", str(named)):
        parent = socket_folder.short_parent({})
    assert parent is not None
    assert len(os.fsencode(parent / "ddoauth-1234567-xxxxxxxx" / "k-65535")) <= 110
    assert str(parent) == readable(str(parent))


@generated(st.text(max_size=30), st.sampled_from(["ascii", "cp1252", "cp437", "latin-1", "utf-8"]))
def test_every_stream_takes_every_text(text: str, encoding: str) -> None:
    """Letters that an encoding does not have are printed as escapes, on the one line there was."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    with mock.patch.object(terminal.sys, "stdout", stream):
        terminal.answer(text)
    assert raw.getvalue().decode(encoding).count("\n") == 1


@generated(st.text(max_size=20), st.binary(max_size=20))
def test_every_file_name_is_readable(text: str, raw: bytes) -> None:
    """Bytes that the system's encoding does not know become letters or marks, never an error."""
    assert json.dumps(readable(raw.decode("ascii", "surrogateescape"))).encode("utf-8")
    assert readable(raw.decode("ascii", "surrogateescape")) == raw.decode("utf-8", "replace")
    assert readable(text) == text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


TERMINALS = ("w3m", "lynx", "links", "links2", "elinks", "browsh", "carbonyl", "www-browser")
WINDOWS = ("firefox", "google-chrome", "chromium", "epiphany", "xdg-open", "x-www-browser")


@generated(
    st.lists(WORD, max_size=3),
    st.sampled_from([*TERMINALS, *WINDOWS]),
    st.sampled_from([str.lower, str.upper, str.title]),
    st.sampled_from([{}, {"DISPLAY": ":0"}, {"WAYLAND_DISPLAY": "wayland-0"}, {"DISPLAY": ""}]),
)
def test_a_browser_that_shows_no_window_is_none(
    folder: list[str], name: str, spelt: Callable[[str], str], environ: dict[str, str]
) -> None:
    """Wherever it lies: one of a terminal always, and one with windows without a display."""
    browser = SimpleNamespace(name="/".join(["", *folder, spelt(name)]) if folder else spelt(name))
    with mock.patch.object(webbrowser, "get", return_value=browser):
        assert opens_no_window(environ) is (name in TERMINALS or not any(environ.values()))


LANGUAGES = ("R", "julia", "bash", "C++17", "Scala", "kotlin", "javascript", "SQL", "C#", "sos")
KERNELS = (
    *("ir", "bash", "julia-1.10", "xcpp17", "scala", "deno", "gophernotes", ".net-csharp", "xr"),
    *("conda-env-stats-r", "ir42", "julia-1.11-8-threads", "octave", "xeus-cling-cpp17", "matlab"),
)
DISPLAYED = ("R", "R 4.4", "R [conda env:stats]", "Julia 1.11", "Bash", "C++17", "SQL", "Deno")


@generated(
    st.sampled_from(["language", "language_info", "name", "display_name"]),
    st.data(),
    st.sampled_from([str, str.lower, str.upper]),
    st.text(" \t", max_size=2),
    st.sampled_from(["python3", "Python 3 (ipykernel)", "", None]),
)
def test_no_notebook_of_another_language_is_run(
    place: str, data: st.DataObject, spelt: Callable[[str], str], blank: str, shown: str | None
) -> None:
    """This holds however the language is spelled, wherever it is named, and for any kernel name."""
    names = {"name": KERNELS, "display_name": DISPLAYED}.get(place, LANGUAGES)
    named = data.draw(st.sampled_from(names))
    written = f"{blank}{spelt(named)}{blank}"
    metadata = {
        "language": {"kernelspec": {"name": shown, "display_name": shown, "language": written}},
        "language_info": {"kernelspec": {"name": shown}, "language_info": {"name": written}},
        "name": {"kernelspec": {"name": written, "display_name": shown}},
        "display_name": {"kernelspec": {"name": "own", "display_name": written}},
    }[place]
    with pytest.raises(InputError) as caught:
        refuse_other_language(metadata, name="x")
    assert caught.value.code == "other_language"


OURS = (
    *("DDOAUTH_CLIENT_FILE", "DDOAUTH_CLIENT_KIND", "DDOAUTH_CLIENT_SITE", "DDOAUTH_SCOPES"),
    *("DDOAUTH_NAME", "DDOAUTH_ONBOARDING_URL", "DDOAUTH_REDIRECT_URIS", "DDOAUTH_CLIENT_ID_US1"),
    *("DDOAUTH_CLIENT_SECRET_US1", "DDOAUTH_PUBLISHED_CLIENT_ID", "DDOAUTH_TOKEN_ENDPOINT"),
    *("DDOAUTH_PUBLISHED_CLIENT_SECRET", "DDOAUTH_CONSENT", "DDOAUTH_STORE_FOLDER"),
    *("DDOAUTH_CONFIG_FOLDER", "DDOAUTH_CLIENT_ID_EU1", "DDOAUTH_SANDBOX"),
)


@generated(
    st.lists(st.sampled_from(OURS), min_size=1, unique=True),
    st.sampled_from(["", " ", "\t", "\r", "\r\n", "  \n"]),
    st.booleans(),
)
def test_an_empty_variable_changes_nothing(names: list[str], empty: str, client: bool) -> None:  # noqa: FBT001 - drawn
    """Whichever variables are empty, each question is answered as if they were unset."""
    without = {"HOME": "/home/a", **(GOOD if client else {})}
    with_empty = {**without, **dict.fromkeys(names, empty)}
    for ask in (
        lambda environ: live_registration("us1", environ=environ),
        consent_wanted,
        default_folder,
        config_folder,
    ):
        assert _asked(lambda ask=ask: ask(with_empty)) == _asked(lambda ask=ask: ask(without))


SCHEMES = ("tcp", "tls", "ws", "wss")


@generated(
    st.sampled_from([*SCHEMES, "ucx", "http", "https", "inproc", "TCP", "tcp:", ""]),
    st.sampled_from(["127.0.0.1", "localhost", "[::1]", "[::1", "", "a b", "host_that.invalid"]),
    st.sampled_from(["", ":", ":0", ":1", ":65536", ":x", ":-1", ":1:1", ":1/x"]),
)
def test_a_scheduler_that_cannot_be_is_refused_at_once(scheme: str, host: str, port: str) -> None:
    """Each address is refused by the same code, before anything of Dask is loaded or waits."""
    begun = time.monotonic()
    nobody = mock.Mock(side_effect=ConnectionRefusedError(111, "refused"))
    with (
        mock.patch.object(scheduler_knock, "socket", SimpleNamespace(create_connection=nobody)),
        pytest.raises(InputError) as caught,
    ):
        scheduler_knock.knock(f"{scheme}://{host}{port}" if scheme else f"{host}{port}")
    assert caught.value.code == "no_executor"
    assert time.monotonic() - begun < 5


NOBODY = ("", "None", "null", "undefined", "nil", "NaN", "false")
AROUND = st.text(" \t\n\0\u200b<>()[]-_.'", max_size=3)


@generated(
    st.sampled_from([None, 0, False, b"s1", (), {}])
    | st.builds(
        lambda before, word, behind: before + word + behind, AROUND, st.sampled_from(NOBODY), AROUND
    )
)
def test_a_missing_cookie_begins_nothing(session: object) -> None:
    """No value that a framework gives for a missing cookie is accepted as a session."""
    client = OAuthClient(replace(given_registration()))
    with pytest.raises(InputError) as caught:
        client.begin(session=session)  # type: ignore[arg-type]
    assert caught.value.code == "missing_session"


@generated(st.none() | st.integers() | st.binary() | st.lists(st.text()) | st.text(" \t\n\0"))
def test_what_is_not_a_path_is_refused_by_name(given: object) -> None:
    """A store's folder and a client file say what they were given, and no traceback does."""
    for take in (FileStore, registration_from_file):
        with pytest.raises(InputError) as caught:
            take(given)  # type: ignore[arg-type]
        assert caught.value.code == "not_a_path"


def test_a_tilde_that_a_program_passes_is_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing called `~` is created, for a string or a path."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for given in ("~/kept", Path("~") / "kept"):
        FileStore(given).put(Slot("api_key", "us1", "acme"), Secret("k", label="api_key"))
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    with pytest.raises(InputError, match="nobody"):
        FileStore("~nobody-of-this-name/kept")


FAILURES = ("", "tls_error", "no_network", "timeout", "cut_off")
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "PIP_CERT", "GIT_SSL_CAINFO")


@generated(st.lists(st.sampled_from(FAILURES), min_size=9, max_size=9))
def test_tls_that_fails_is_a_problem_with_a_way_out(codes: list[str]) -> None:
    """On one site or on all; a machine whose questions all failed without TLS is offline."""
    errors = [NetworkError(code, "It failed.") if code else None for code in codes]
    reached = tuple(
        Reached(site, None if error else 403, None, error)
        for site, error in zip(DATADOG_SITES, errors, strict=True)
    )
    findings = list(check_sites(reached))
    if all(codes):
        (finding,) = findings
        assert (finding.status is Status.PROBLEM) is ("tls_error" in codes)
        assert ("SSL_CERT_FILE" in finding.next_step) is ("tls_error" in codes)
        return
    for finding, code in zip(findings, codes, strict=True):
        assert finding.status is (Status.PROBLEM if code else Status.OK)
        assert ("SSL_CERT_FILE" in finding.next_step) is (code == "tls_error")


def test_certificates_for_other_programs_are_named() -> None:
    """A variable that only other programs read is reported, with the one that is read here."""
    for name in BUNDLES:
        (told,) = check_tls({name: "/corp.pem"})
        assert (told.status, name in told.found) == (Status.NOTE, True)
        assert "SSL_CERT_FILE" in told.next_step


@generated(st.floats() | st.integers(-2, 10**6) | st.text("0123456789.,-+eEsm _", max_size=6))
def test_a_time_limit_is_what_was_typed(typed: object) -> None:
    """Any number of seconds above 0 reaches the runner unchanged; everything else is refused."""
    parser = Parser(prog="ddoauth run")
    run.configure(parser)
    try:
        wanted = float(str(typed))
    except ValueError:
        wanted = 0.0
    with mock.patch.object(sys, "stderr", io.StringIO()) as said:
        try:
            options = parser.parse_args([f"--timeout={typed}"])
        except SystemExit:
            assert not 0 < wanted < float("inf")
            assert "--timeout" in said.getvalue()
            return
    assert run_notebooks._runner(options).timeout == wanted > 0


class SilentKeyring(MemoryKeyring):
    """Stop answering at one of its calls, as when its prompt is on another screen."""

    def __init__(self, *, silent_from: int) -> None:
        super().__init__()
        self.unlocked = threading.Event()
        self._left = silent_from

    def _wait(self) -> None:
        self._left -= 1
        if self._left < 0:
            self.unlocked.wait()

    def get_password(self, service: str, username: str) -> str | None:
        """Read, if it answers."""
        self._wait()
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        """Write, if it answers."""
        self._wait()
        super().set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        """Delete, if it answers."""
        self._wait()
        super().delete_password(service, username)


@generated(
    st.integers(0, 12),
    st.lists(st.sampled_from(["slots", "get", "put", "forget"]), min_size=1, max_size=4),
    st.integers(1, 3000),
)
def test_a_keyring_may_fall_silent_at_any_call(silent: int, uses: list[str], length: int) -> None:
    """Each use ends within seconds, with its result or a workaround."""
    keyring = SilentKeyring(silent_from=silent)
    store = KeyringStore(keyring)
    slot, secret = Slot("api_key", "us1", "acme"), Secret("k" * length, label="api_key")
    calls = {
        "slots": store.slots,
        "get": lambda: store.get(slot),
        "put": lambda: store.put(slot, secret),
        "forget": lambda: store.forget(slot),
    }
    refused: list[InputError] = []
    with mock.patch.object(patience, "SECONDS", 0.02):
        for use in uses:
            begun = time.monotonic()
            try:
                calls[use]()
            except InputError as error:
                refused.append(error)
            assert time.monotonic() - begun < 5
    assert {error.code for error in refused} <= {"keyring_silent"}
    assert all("DDOAUTH_STORE" in error.advice for error in refused)
    keyring.unlocked.set()
    for waiting in tuple(patience._WAITING):
        waiting.join(60)
    store.put(slot, secret)
    assert store.get(slot) == secret


class FullStream(io.StringIO):
    """Accept nothing, like a full disk."""

    def write(self, _text: str, /) -> int:
        """Refuse."""
        raise OSError(28, "No space left on device")


def _stream(kind: str) -> io.TextIOBase | None:
    if kind == "none":
        return None
    if kind == "full":
        return FullStream()
    if kind == "closed":
        stream = io.StringIO()
        stream.close()
        return stream
    return io.TextIOWrapper(io.BytesIO(), encoding=kind, errors="backslashreplace")


@generated(
    st.sampled_from(["none", "closed", "ascii", "cp1252", "utf-8"]),
    st.sampled_from(["none", "closed", "full", "ascii", "cp1252"]),
    st.sampled_from([("explain", "wrong_state"), ("explain", "wrong_stat"), ("run", "none.ipynb")]),
    st.text(max_size=10),
)
def test_missing_streams_change_no_exit_code(
    stdout: str, stderr: str, line: tuple[str, str], client: str
) -> None:
    """Closed, absent, full or poor in letters: a command ends as it does at a terminal."""
    result = NotebookRun("01", "us1", client, "failed", 1.0, "", "01.us1.ipynb")
    given = _stream(stdout), _stream(stderr)
    with mock.patch.object(sys, "stdout", given[0]), mock.patch.object(sys, "stderr", given[1]):
        assert main(line) == (0 if line[1] == "wrong_state" else 2)
        assert (sys.stdout, sys.stderr) == given
        with existing_streams():
            RunProgress(1).add(result)


@generated(
    st.booleans(),
    st.lists(st.sampled_from(["--no-browser", "--port=8890", "--out=x"]), unique=True),
    st.lists(st.sampled_from(["--allow-root", "--ip=0.0.0.0", "--debug"]), unique=True),
    st.booleans(),
)
def test_root_may_run_the_lab_with_any_options(
    root: bool,  # noqa: FBT001 - drawn
    own: list[str],
    jupyters: list[str],
    allow: bool,  # noqa: FBT001 - drawn
) -> None:
    """JupyterLab gets each of its options once, wherever it is, and root needs none."""
    parser = Parser(prog="ddoauth lab")
    lab.configure(parser)
    typed = [*own, *(["--allow-root"] if allow else []), *(["--", *jupyters] if jupyters else [])]
    with mock.patch.object(lab, "_is_root", return_value=root):
        command = lab._command(Path("/copies"), parser.parse_args(typed))
    assert all(command.count(option) == 1 for option in jupyters)
    assert command.count("--allow-root") == int(root or allow or "--allow-root" in jupyters)
    assert any(o in command for o in ("--ServerApp.ip=127.0.0.1", "--ip=0.0.0.0"))

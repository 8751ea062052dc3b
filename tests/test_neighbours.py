"""A hundred generated neighbours of each kind of input that once passed for something else."""

from __future__ import annotations

import io
import json
import os
import tempfile
import webbrowser
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, TypeVar
from unittest import mock

import pytest
from hypothesis import assume
from hypothesis import given as generated
from hypothesis import strategies as st
from support.builders import registration as given_registration
from support.builders import response

from ddoauth_kit import socket_folder
from ddoauth_kit.commands import terminal
from ddoauth_kit.doctor import client_settings
from ddoauth_kit.doctor.finding import Status
from ddoauth_kit.doctor.reachability import _foreign
from ddoauth_kit.environment_values import word_of
from ddoauth_kit.errors import InputError
from ddoauth_kit.oauth.callback.addresses import registered_address
from ddoauth_kit.oauth.client import OAuthClient
from ddoauth_kit.oauth.consent.way_back import opens_no_window
from ddoauth_kit.printable import readable
from ddoauth_kit.registration.live import live_registration
from ddoauth_kit.scopes import known_scopes, unknown_scope
from ddoauth_kit.store.files import default_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCOPES = sorted(known_scopes())
GOOD = {"DDOAUTH_CLIENT_ID": "x", "DDOAUTH_CLIENT_SECRET": "y"}
T = TypeVar("T")


def _asked(ask: Callable[[], T]) -> tuple[T | None, str]:
    """Return an answer and nothing, or None and what was refused."""
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


@generated(
    st.sampled_from([200, 201, 204, 302, 307, 400, 401, 403, 404, 407, 429, 511]),
    st.sampled_from(["", "<html>Log in</html>", "Blocked", "[]", '{"ok": true}', "null", "0"]),
)
def test_only_a_refusal_in_json_is_datadogs(status: int, text: str) -> None:
    """A question without a key gets 401, 403 or 429 with an object; all else is a proxy's."""
    wanted = status in {401, 403, 429} and text == '{"ok": true}'
    assert (_foreign(response(status, text)) == "") is wanted


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
    """Whatever they refuse is a problem in its report, and what they take is not."""
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
        assert about.status is Status.OK
        return
    _, refused = _asked(lambda: registered_address(live, redirect_uri=uri))
    if refused:
        assert (about.status, about.found) == (Status.PROBLEM, refused)


@generated(st.text(min_size=1, max_size=10).filter(lambda t: "\0" not in t))
def test_a_folder_is_whole_or_refused(text: str) -> None:
    """No text of `DDOAUTH_STORE_FOLDER` leads to a folder below the current one."""
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
    """However long its path and in whatever letters, the chosen one is short and readable."""
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


@generated(
    st.sampled_from(["", "/usr/bin/", "/snap/bin/"]),
    st.sampled_from(["w3m", "lynx", "links", "links2", "elinks", "browsh", "Lynx", "W3M"]),
    st.booleans(),
)
def test_a_browser_of_a_terminal_is_none(folder: str, name: str, display: bool) -> None:  # noqa: FBT001
    """Wherever it lies, and whether or not there is a display."""
    with mock.patch.object(webbrowser, "get", return_value=SimpleNamespace(name=folder + name)):
        assert opens_no_window({"DISPLAY": ":0"} if display else {})


@generated(st.sampled_from([None, "", " ", "\t", "None", "none", "null", "NULL", "undefined", 0]))
def test_a_missing_cookie_begins_nothing(session: object) -> None:
    """No text or value that a framework gives for a missing cookie is a session."""
    client = OAuthClient(replace(given_registration()))
    with pytest.raises(InputError) as caught:
        client.begin(session=session)  # type: ignore[arg-type]
    assert caught.value.code == "missing_session"

"""A browser of a terminal counts as none, and a word that is not understood is refused."""

from __future__ import annotations

import webbrowser
from types import SimpleNamespace

import pytest

from ddoauth_kit.doctor.way_back import browser_is_here, consent_wanted, opens_no_window
from ddoauth_kit.errors import InputError


@pytest.mark.parametrize(
    ("name", "environ", "spends"),
    [
        *((name, {"DISPLAY": ":0"}, True) for name in ("w3m", "/usr/bin/lynx", "links", "elinks")),
        ("www-browser", {}, True),
        ("firefox", {}, True),
        ("firefox", {"DISPLAY": ":0"}, False),
        ("chromium", {"WAYLAND_DISPLAY": "wayland-0"}, False),
        ("/opt/code/helpers/browser.sh", {}, False),
    ],
)
def test_a_link_is_not_given_to_what_shows_it_to_nobody(
    monkeypatch: pytest.MonkeyPatch, name: str, environ: dict[str, str], *, spends: bool
) -> None:
    """A one-time link that a text browser loads is spent before a person clicks."""
    monkeypatch.setattr(webbrowser, "get", lambda: SimpleNamespace(name=name))
    assert opens_no_window(environ) is spends


def test_no_browser_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an installed browser, this machine does not count as having one."""

    def none() -> None:
        raise webbrowser.Error

    monkeypatch.setattr(webbrowser, "get", none)
    assert not browser_is_here()


@pytest.mark.parametrize("name", ["nosuch-browser", "/not/there/firefox", "firefox-of-nobody"])
def test_a_browser_that_does_not_exist_is_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """BROWSER may name a program of another machine; one that exists is taken."""
    monkeypatch.setenv("DISPLAY", ":0")
    for named, here in ((name, False), (f"{name} %s", False), ("sh", True)):
        monkeypatch.setattr(webbrowser, "get", lambda named=named: webbrowser.GenericBrowser(named))
        assert browser_is_here() is here


@pytest.mark.parametrize("word", ["Listener", "LISTENER", " listener\r\n"])
def test_the_consent_variable_is_read_as_people_write_it(word: str) -> None:
    """Case and blanks do not count; another word is refused by name."""
    assert consent_wanted({"DDOAUTH_CONSENT": word}) == "listener"
    assert consent_wanted({"DDOAUTH_CONSENT": ""}) == consent_wanted({}) == ""
    for odd in ("browser", "pasted", "yes"):
        with pytest.raises(InputError, match=odd) as caught:
            consent_wanted({"DDOAUTH_CONSENT": odd})
        assert caught.value.code == "unknown_consent"

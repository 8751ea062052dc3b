"""A person authorizes in a browser and pastes the final address; none of it is saved."""

from __future__ import annotations

import pytest

from ddoauth_kit.errors import InputError
from ddoauth_kit.oauth.client import ONE_PERSON
from ddoauth_kit.workbook import open_lab
from ddoauth_kit.workbook.lab import listen_or_paste as paste
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent


@pytest.fixture
def no_browser(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keep real browsers shut, and remember what would have been opened."""
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    return opened


def test_pasted_redirect_completes_the_flow(
    no_browser: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A paste goes through the same checks, and the URL's state does not stay on screen."""
    with open_lab("us5") as lab:
        request = lab.authorization_request()
        monkeypatch.setattr(paste, "getpass", lambda _prompt: visit_consent(request))
        response = lab.oauth.receive(paste.ask_for_redirect(request), session=ONE_PERSON)
        assert lab.exchange(response).site.name == "us5"
    assert no_browser == [request.url]
    assert request.state.reveal() not in capsys.readouterr().out


@pytest.mark.parametrize("failure", [EOFError, NotImplementedError])
def test_nobody_to_ask(
    failure: type[Exception], no_browser: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel without a person says so instead of waiting."""

    def refuse(prompt: str) -> str:
        raise failure

    monkeypatch.setattr(paste, "getpass", refuse)
    with open_lab() as lab, pytest.raises(InputError) as caught:
        paste.ask_for_redirect(lab.authorization_request())
    assert caught.value.code == "no_person"

"""One run of a server is enough to write its settings, and they grade it."""

from __future__ import annotations

import shlex
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.graded import free_port

from ddoauth_kit.grading.first_look import first_look, is_tool
from ddoauth_kit.grading.grader import grade
from ddoauth_kit.grading.results import Verdict
from ddoauth_kit.grading.settings import SettingsError, settings_from

SERVER = Path(__file__).parent / "data" / "plain_server.py"
COMMAND = (sys.executable, str(SERVER))
CLIENT = {"DD_ID": "{client_id}", "DD_KEY": "{client_secret}"}

if TYPE_CHECKING:
    from collections.abc import Mapping


def _looked(start: str, *, client: Mapping[str, str] = CLIENT) -> tuple[str, str]:
    port = free_port()
    url = f"http://localhost:{port}/connect"
    env = {**client, "PORT": str(port), "START": start}
    return first_look(url, command=COMMAND, env=env), url


@pytest.fixture(scope="module")
def written() -> tuple[dict[str, Any], str]:
    """Return the settings of the server that redirects, and its address."""
    text, url = _looked("redirect")
    return tomllib.loads(text), url


def test_the_file_holds_what_the_server_asked_for(written: tuple[dict[str, Any], str]) -> None:
    """Redirect URI, scopes, the start and the page after a good run are those of the server."""
    document, url = written
    place = url.removesuffix("/connect")
    assert document["start"] == {"url": url}
    assert document["client"]["redirect_uris"] == [f"{place}/callback"]
    assert document["client"]["scopes"] == ["dashboards_read", "monitors_read"]
    assert document["connected"] == {"text": "Connected to Datadog", "address": f"{place}/done"}
    assert document["server"]["env"]["DD_KEY"] == "{client_secret}"
    assert not {"DD_CLIENT_ID", "DD_CLIENT_SECRET"} & {*document["server"]["env"]}


def test_the_file_grades(written: tuple[dict[str, Any], str]) -> None:
    """The written settings are enough for one check, which needs only three connections."""
    report = grade(settings_from(written[0]), only=["state-checked"])
    assert [result.verdict for result in report.results] == [Verdict.MET]
    assert report.connects <= 4


@pytest.mark.parametrize(
    ("start", "expected"),
    [("page", {"page": "URL"}), ("json", {"json": "URL", "field": "data.next.0"})],
)
def test_the_way_to_begin_is_found(start: str, expected: dict[str, str]) -> None:
    """A page with a link is distinguished from a JSON response with the address."""
    text, url = _looked(start)
    wanted = {name: value.replace("URL", url) for name, value in expected.items()}
    assert tomllib.loads(text)["start"] == wanted


def test_consent_by_script_needs_a_browser() -> None:
    """A page that opens Datadog by JavaScript is named as such."""
    with pytest.raises(SettingsError) as caught:
        _looked("script")
    assert caught.value.code == "browser_needed"


def test_another_client_is_named() -> None:
    """For a server with its own credentials, the message says where the sandbox's belong."""
    with pytest.raises(SettingsError) as caught:
        _looked("redirect", client={**CLIENT, "DD_ID": "my-own"})
    assert caught.value.code == "other_client"


def test_the_client_comes_under_the_usual_names() -> None:
    """A server whose client no variable names gets it as `DD_CLIENT_ID` and `DD_CLIENT_SECRET`."""
    renamed = f"DD_ID=$DD_CLIENT_ID DD_KEY=$DD_CLIENT_SECRET exec {shlex.join(COMMAND)}"
    port = free_port()
    text = first_look(
        f"http://localhost:{port}/connect",
        command=("sh", "-c", renamed),
        env={"PORT": str(port)},
    )
    written = tomllib.loads(text)["server"]["env"]
    assert written["DD_CLIENT_ID"] == "{client_id}"
    assert written["DD_CLIENT_SECRET"] == "{client_secret}"


def test_a_build_tool_is_told_from_a_server() -> None:
    """Hosts of package registries and update checks are named as such."""
    assert is_tool("registry.example.org")
    assert is_tool("update.example.com")
    assert not is_tool("login.example.com")

"""Run partners' programs through the whole OAuth flow, with a customer on Datadog's pages."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from support.front import DATA, program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ddoauth_kit.sandbox.state.clients import Client
    from support.visitors import Person

FLOWS = DATA / "flows"
SCOPES = ("api_keys_write", "user_access_read")
SITES = {"us1": "datadoghq.com", "eu1": "datadoghq.eu", "us3": "us3.datadoghq.com"}
# What each program prints of a customer for whom all went well.
ALL_WELL = "token=200 refresh=200 user=200 key=201 event=202 revoke=200 after=401"


def flow_command(client: str, *, nodes: Callable[[str], str] | None = None) -> list[str]:
    """Return the command for a program, named by its client, such as `httpx` or `fetch@22`."""
    kind, _, version = client.partition("@")
    if kind in {"requests", "httpx", "urllib3"}:
        return [sys.executable, str(FLOWS / "flow.py"), kind]
    if kind in {"fetch", "https", "axios", "openid-client"}:
        assert nodes is not None
        return [nodes(version), str(FLOWS / "flow.mjs"), kind]
    if kind == "curl":
        program("curl")
        return [program("bash"), str(FLOWS / "flow.sh")]
    return {
        "java": lambda: [program("java", everywhere=False), str(FLOWS / "Flow.java")],
        "ruby": lambda: [program("ruby", everywhere=False), str(FLOWS / "flow.rb")],
        "php": lambda: [program("php", everywhere=False), str(FLOWS / "flow.php")],
    }[kind]()


def flow_variables(client: Client) -> dict[str, str]:
    """Return the contents of a partner's own configuration."""
    return {
        "CLIENT_ID": client.client_id,
        "CLIENT_SECRET": client.client_secret,
        "REDIRECT_URI": client.redirect_uris[0],
        "SCOPES": " ".join(SCOPES),
    }


@dataclass
class FlowProgram:
    """A running program that replies to each line."""

    process: subprocess.Popen[str]

    def say(self, line: str) -> str:
        """Send a line and return the next one."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@contextmanager
def running(command: list[str], environment: Mapping[str, str]) -> Iterator[FlowProgram]:
    """Run a program during the block; afterwards it must exit successfully by itself."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=dict(environment), stdin=pipe, stdout=pipe, text=True
    ) as process:
        yield FlowProgram(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 0


def connected(
    person: Person, flow: FlowProgram, *, domain: str, client_id: str, **chosen: str
) -> str:
    """Go from the tile to the partner, to consent and back; return the program's output."""
    app = domain if domain.count(".") > 1 else f"app.{domain}"
    where, page = person.follow(f"https://{app}/integrations")
    tile = next(
        form
        for form in page.forms
        if form.action.endswith("/connect") and form.fields["client_id"] == client_id
    )
    onboarding = person.browser.open(urljoin(where, tile.action), tile.fields).location
    return flow.say(person.decide(flow.say(onboarding), **chosen))


def redirect_elsewhere(flow: FlowProgram, *, redirect_uri: str, domain: str) -> str:
    """Start an attempt, and deliver a redirect that names a foreign domain."""
    begun = flow.say("http://127.0.0.1/onboard?site=https://app.datadoghq.com&domain=datadoghq.com")
    state = parse_qs(urlsplit(begun).query)["state"][0]
    came = {"code": "c0de", "state": state, "domain": domain, "site": f"https://app.{domain}"}
    return flow.say(f"{redirect_uri}?{urlencode(came)}")

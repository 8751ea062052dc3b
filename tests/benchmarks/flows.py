"""Compare complete flows of the kit's client with a bare httpx loop that sends the same requests.

A flow is six requests: consent page, consent, token exchange, refresh, and two revocations. The
sandbox runs in a process of its own; both sides keep one connection for the back channel and open
a new one for each of the customer's two requests, as the kit's scripted visitor does.
"""

from __future__ import annotations

import re
import secrets
import statistics
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx
from sandbox_process import oauth_client, sandbox_process
from timing import summary, table

from ddoauth_kit.workbook.lab.open_lab import LESSON_SCOPES
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent

if TYPE_CHECKING:
    from ddoauth_kit import OAuthClient

FLOWS = 10
ROUNDS = 30
_INPUT = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)"')


def _kit_flow(client: OAuthClient) -> None:
    request = client.begin(domain="datadoghq.com", session="s")
    tokens = client.complete(visit_consent(request), session="s")
    client.revoke(client.refresh(tokens))


def _bare_flow(browser: httpx.Client, back: httpx.Client, description: dict[str, Any]) -> None:
    site, client = description["sites"]["us1"], description["client"]
    verifier = secrets.token_urlsafe(32)
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": client["redirect_uris"][0],
        "scope": " ".join(client["scopes"]),
        "state": secrets.token_urlsafe(32),
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    url = f"{site['app_url']}/oauth2/v1/authorize?{urlencode(query)}"
    browser.cookies.clear()
    page = browser.get(url)
    shown = page.text[page.text.index('action="authorize"') :]
    fields = {**dict(_INPUT.findall(shown)), "decision": "approve"}
    location = browser.post(urljoin(url, "authorize"), data=fields).headers["location"]
    code = parse_qs(urlsplit(location).query)["code"][0]
    who = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    token_url = f"{site['api_url']}/api/v2/oauth2/token"
    exchange = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
    exchange["redirect_uri"] = query["redirect_uri"]
    tokens = back.post(token_url, data={**who, **exchange}).json()
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    tokens = back.post(token_url, data={**who, **refresh}).json()
    for hint in ("refresh_token", "access_token"):
        form = {**who, "token": tokens[hint], "token_type_hint": hint}
        back.post(f"{site['api_url']}/oauth2/v1/revoke", data=form).raise_for_status()


def main() -> None:
    """Print flows per second and CPU time for both, side by side."""
    with sandbox_process() as description:
        # As a lesson's client: a consent page for every scope would be most of the work.
        description["client"]["scopes"] = LESSON_SCOPES
        client = oauth_client(description)
        rates: dict[str, list[float]] = {"bare httpx": [], "ddoauth_kit": []}
        cpu: dict[str, list[float]] = {name: [] for name in rates}
        fresh = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(limits=fresh) as browser, httpx.Client() as back:
            subjects = {
                "bare httpx": lambda: _bare_flow(browser, back, description),
                "ddoauth_kit": lambda: _kit_flow(client),
            }
            for _ in range(ROUNDS):
                for name, flow in subjects.items():
                    started, busy = time.perf_counter(), time.thread_time()
                    for _ in range(FLOWS):
                        flow()
                    cpu[name].append((time.thread_time() - busy) / FLOWS * 1000)
                    rates[name].append(FLOWS / (time.perf_counter() - started))
        client.http.close()
    rows = [
        (name, summary(rates[name]), summary(cpu[name], digits=1), f"{_ratio(cpu, name):.2f}")
        for name in rates
    ]
    head = ("client", "flows per second", "CPU ms a flow", "bare loop's CPU / its own")
    print(table(head, rows))  # noqa: T201


def _ratio(cpu: dict[str, list[float]], name: str) -> float:
    """Return the median of the rounds' ratios; both run in each round, so load cancels out."""
    pairs = zip(cpu["bare httpx"], cpu[name], strict=True)
    return statistics.median(bare / own for bare, own in pairs)


if __name__ == "__main__":
    main()

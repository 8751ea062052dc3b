"""Go the whole OAuth flow by the client that is named first: onboarding URL in, and so on.

Each pair of lines on standard input is one customer: the onboarding URL, which is answered by the
address to send the customer to, and the redirect that comes back, answered by the status of each
request. This program does not know about the sandbox.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import sys
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Send = Callable[[str, str, dict[str, str], bytes | None], tuple[int, bytes]]

OWN = {"client_id": os.environ["CLIENT_ID"], "redirect_uri": os.environ["REDIRECT_URI"]}
SECRET = {"client_id": OWN["client_id"], "client_secret": os.environ["CLIENT_SECRET"]}


def by_requests() -> Send:
    """Send with requests, over persistent connections."""
    import requests

    session = requests.Session()

    def send(
        method: str, url: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, bytes]:
        answer = session.request(method, url, headers=headers, data=body, timeout=30)
        return answer.status_code, answer.content

    return send


def by_httpx() -> Send:
    """Send with httpx, over persistent connections."""
    import httpx

    client = httpx.Client(timeout=30)

    def send(
        method: str, url: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, bytes]:
        answer = client.request(method, url, headers=headers, content=body)
        return answer.status_code, answer.content

    return send


def by_urllib3() -> Send:
    """Send by urllib3, which reads no proxy variable."""
    import urllib3

    pool = urllib3.PoolManager(timeout=30)

    def send(
        method: str, url: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, bytes]:
        answer = pool.request(method, url, headers=headers, body=body, redirect=False)
        return answer.status, answer.data

    return send


SEND = {"requests": by_requests, "httpx": by_httpx, "urllib3": by_urllib3}[sys.argv[1]]()


def post(url: str, **fields: str) -> tuple[int, dict[str, str]]:
    """Post a form, and return the status and the JSON."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    status, body = SEND("POST", url, kind, urlencode(fields).encode())
    return status, json.loads(body) if status == 200 and body else {}


def pkce() -> tuple[str, str]:
    """Return a verifier and its challenge."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def onboarded(url: str, *, challenge: str, state: str) -> str:
    """Return where the customer decides."""
    came = parse_qs(urlsplit(url).query)
    asked = {"response_type": "code", "scope": os.environ["SCOPES"], "state": state, **OWN}
    asked |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    return f"{came['site'][0]}/oauth2/v1/authorize?{urlencode(asked)}"


def called_back(url: str, *, verifier: str, state: str) -> Iterator[tuple[str, int]]:
    """Use what came back; yield a name and a status for each request."""
    came = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    if came["state"] != state:
        raise SystemExit("the state is another one")
    api = f"https://api.{came['domain']}"
    token = f"{api}/api/v2/oauth2/token"
    first = {"grant_type": "authorization_code", "code": came["code"], "code_verifier": verifier}
    status, tokens = post(token, **first, **SECRET, redirect_uri=OWN["redirect_uri"])
    yield "token", status
    if status != 200:
        return
    again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    status, fresh = post(token, **again, **SECRET)
    yield "refresh", status
    tokens |= fresh
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    yield "user", SEND("GET", f"{api}/api/v2/current_user", bearer, None)[0]
    status, body = SEND("POST", f"{api}/api/v2/api_keys/marketplace", bearer, None)
    yield "key", status
    key = {"DD-API-KEY": json.loads(body)["data"]["attributes"]["key"]}
    key["Content-Type"] = "application/json"
    event = json.dumps({"title": "Connected", "text": "by a flow"}).encode()
    yield "event", SEND("POST", f"{api}/api/v1/events", key, event)[0]
    yield "revoke", post(f"{api}/oauth2/v1/revoke", token=tokens["refresh_token"], **SECRET)[0]
    yield "after", SEND("GET", f"{api}/api/v2/current_user", bearer, None)[0]


for line in sys.stdin:
    verifier, challenge = pkce()
    state = secrets.token_urlsafe(24)
    sys.stdout.write(f"{onboarded(line.strip(), challenge=challenge, state=state)}\n")
    sys.stdout.flush()
    told = called_back(sys.stdin.readline().strip(), verifier=verifier, state=state)
    sys.stdout.write(f"{' '.join(f'{name}={status}' for name, status in told)}\n")
    sys.stdout.flush()

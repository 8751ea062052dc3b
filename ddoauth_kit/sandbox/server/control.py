"""Let programs that have the key share a running sandbox, each with its own client."""

from __future__ import annotations

import hmac
import json
import re
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.http.messages import Answer, json_answer
from ddoauth_kit.sandbox.sandbox_error import SandboxError
from ddoauth_kit.sandbox.state.clients import (
    check_redirect_uri,
    check_uri,
    demo_integration,
    read_integration,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ddoauth_kit.sandbox.state.clients import Client
    from ddoauth_kit.sandbox.state.state import Twin

CONTROL_PATH = "/control"
KEY_HEADER = "x-sandbox-key"
NONCE_HEADER = "x-sandbox-nonce"
_NONCES_KEPT = 1000
_NONCE = re.compile(r"[0-9a-f]{32,128}")
WHERE = "the client"


def made(key: str, text: str) -> str:
    """Return a string's digest, which only a program with the key can compute."""
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()


class Control:
    """Serve programs that prove they have the key; none can change another's registration.

    `join` creates a client with its own credentials, grants, API key and addresses. `address` adds
    a redirect URI to a client and changes its onboarding URL; it requires the client's secret.
    Orgs, pages and data are shared. Programs can neither move the clock nor set faults.
    """

    def __init__(self, twin: Twin, *, key: str, show_at: Callable[[str], None]) -> None:
        self._twin = twin
        self._key = key
        self._show_at = show_at
        self._joined = 0
        self._nonces: deque[str] = deque(maxlen=_NONCES_KEPT)

    def admits(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request contains the key, or its digest with a number issued here."""
        shown = headers.get(KEY_HEADER, "").encode()
        nonce = headers.get(NONCE_HEADER, "")
        if nonce in self._nonces:
            self._nonces.remove(nonce)
            return hmac.compare_digest(made(self._key, f"kernel {nonce}").encode(), shown)
        return hmac.compare_digest(self._key.encode(), shown)

    def proof(self, nonce: str) -> Answer:
        """Prove that this is the right sandbox for a program's key before the program sends it.

        A program that took over the port of a stopped sandbox can't give this proof.
        """
        if not _NONCE.fullmatch(nonce):
            return json_answer(400, {"errors": ["The nonce is not 32 or more hex digits."]})
        self._nonces.append(nonce)
        return json_answer(200, {"proof": made(self._key, f"sandbox {nonce}")})

    def answer(self, body: bytes) -> Answer:
        """Carry out the request in a JSON document."""
        try:
            asked = json.loads(body)
            action = {"join": self._join, "address": self._address}[asked["do"]]
            return json_answer(200, action(asked))
        except SandboxError as error:
            return json_answer(400, {"errors": [str(error)]})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return json_answer(400, {"errors": ["The control request cannot be read."]})

    def _join(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._joined += 1
        document, scopes = asked.get("client"), asked.get("scopes")
        integration = demo_integration(scopes) if document is None else read_integration(document)
        name = f"{integration.name}, kernel {self._joined}"
        client = self._twin.clients.publish(replace(integration, name=name))
        return {"client": {"name": client.name, **client.description()}}

    def _address(self, asked: dict[str, Any]) -> dict[str, Any]:
        client = self._own(asked)
        uri, onboarding = asked["redirect_uri"], asked["onboarding_url"]
        check_redirect_uri(uri, where=WHERE)
        check_uri(onboarding, where=WHERE)
        if asked.get("public_url"):
            self._show_at(asked["public_url"])
        uris = tuple(dict.fromkeys((*client.redirect_uris, uri)))
        self._twin.amend(client.client_id, redirect_uris=uris, onboarding_url=onboarding)
        return {}

    def _own(self, asked: dict[str, Any]) -> Client:
        client = self._twin.clients.registered(asked["client_id"])
        if not hmac.compare_digest(client.client_secret, asked["client_secret"]):
            raise SandboxError("this client belongs to another program")
        return client

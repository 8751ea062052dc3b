"""Observe and steer a running sandbox through its control interface."""

from __future__ import annotations

import ssl
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote, urlencode

import httpx

from ddoauth_kit.grading.front.front_error import FrontError
from ddoauth_kit.http.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

KEY_HEADER: Final = "X-Sandbox-Key"
TOKEN_PATHS: Final = frozenset({"/api/v2/oauth2/token", "/oauth2/v1/token"})
REVOKE_PATHS: Final = frozenset({"/api/v2/oauth2/revoke", "/oauth2/v1/revoke"})
CONSENT_PATH: Final = "/oauth2/v1/authorize"
KEY_PATH: Final = "/api/v2/api_keys/marketplace"
_SECONDS: Final = 20.0

Deed = Literal[
    "uninstall", "disable", "enable", "block-scope", "allow-scope", "revoke", "revoke-key"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxEvent:
    """One request from the sandbox's journal: names, but no secrets."""

    number: int
    at: float
    site: str | None = None
    role: str | None = None
    host: str = ""
    method: str = ""
    path: str = ""
    status: int = 0
    behaviour: str = ""
    reason: str = ""
    operation: str | None = None
    authentication: str = "none"
    content_type: str = ""
    query_fields: tuple[str, ...] = ()
    form_fields: tuple[str, ...] = ()
    json_fields: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    grant: str | None = None
    org: str | None = None
    attempt: str | None = None
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    lengths: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_token_request(self) -> bool:
        """Return whether this is a POST to a token endpoint, or to a mistyped address of one."""
        named = {"grant_type", "code_verifier"} & {*self.form_fields, *self.json_fields}
        return self.method == "POST" and (self.path in TOKEN_PATHS or bool(named))

    @property
    def is_exchange(self) -> bool:
        """Return whether this token request contained a code."""
        return self.is_token_request and not self.is_refresh

    @property
    def is_refresh(self) -> bool:
        """Return whether this token request contained a refresh token."""
        return self.is_token_request and "refresh_token" in self.fingerprints

    @property
    def is_data(self) -> bool:
        """Return whether this is a call to the API or an intake, rather than an OAuth step."""
        oauth = self.is_token_request or self.path in REVOKE_PATHS or self.path == KEY_PATH
        return self.role in {"api", "logs", "events"} and not oauth

    @property
    def succeeded(self) -> bool:
        """Return whether the response was a 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the class of the status

    def line(self) -> str:
        """Describe the request in one line of evidence."""
        place = self.host or f"{self.site}/{self.role}"
        extras = [f"authentication {self.authentication}"] if self.authentication != "none" else []
        extras += [self.reason] if self.reason else []
        return " ".join((f"#{self.number} {self.method} {place}{self.path} {self.status}", *extras))


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerOrg:
    """A sandbox organization that only one scenario uses."""

    id: str
    name: str
    site: str
    site_url: str


class SandboxControl:
    """Client for the control interface below `url`, such as `http://127.0.0.1:8000/control`.

    Raises:
        FrontError: `sandbox_unreachable`, `sandbox_refused`; the message never contains the key.
    """

    def __init__(self, url: str, *, key: str) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(
            headers={KEY_HEADER: key},
            # Plain http on this machine needs no authorities, and loading them takes about 20 ms.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            trust_env=False,
            timeout=_SECONDS,
        )
        weakref.finalize(self, self._client.close)

    def events(self, *, after: int = 0) -> tuple[SandboxEvent, ...]:
        """Return the journal's entries after number `after`, oldest first."""
        found = self._ask("GET", "journal", query={"after": after})
        return tuple(_event(entry) for entry in found["entries"])

    def last(self) -> int:
        """Return the number of the journal's latest entry."""
        return int(self._ask("GET", "journal", query={"after": 10**14})["last"])

    def fault(self, spec: str, *, org: str | None = None, attempt: str | None = None) -> None:
        """Make something fail for one organization: `NAME`, `NAME:COUNT` or `NAME:PROBABILITY`."""
        self._ask("POST", "faults", {"fault": spec, "org": org, "attempt": attempt})

    def clear_faults(self, *, org: str | None = None) -> None:
        """Remove the faults of one organization, or all faults."""
        self._ask("DELETE", "faults", query={} if org is None else {"org": org})

    def switch(self, *, org: str | None = None, **switches: object) -> None:
        """Set `rotate`, `basic`, `v1_token` or `tolerate`."""
        self._ask("PUT", "switches", {**switches, **({"org": org} if org else {})})

    def access_token_life(
        self, seconds: float, *, org: str | None = None, claims: float | None = None
    ) -> None:
        """Set the lifetime of new access tokens in real seconds; `claims` is their `expires_in`."""
        asked: dict[str, object] = {"access_token": seconds, "org": org}
        self._ask("PUT", "lifetimes", asked | ({} if claims is None else {"claims": claims}))

    def new_org(
        self,
        site: str,
        *,
        name: str,
        vanity: str | None = None,
        permissions: Sequence[str] | None = None,
    ) -> CustomerOrg:
        """Create an organization; its user has all permissions unless `permissions` lists some."""
        asked: dict[str, object] = {"site": site, "name": name, "vanity": vanity}
        if permissions is not None:
            asked["permissions"] = list(permissions)
        made = self._ask("POST", "organizations", asked)
        return CustomerOrg(
            id=made["id"], name=made["name"], site=made["site"], site_url=made["site_url"]
        )

    def end_org(self, org: str) -> None:
        """End an organization, along with its grants and keys."""
        self._ask("DELETE", f"organizations/{org}")

    def sign_in_path(self, org: str) -> str:
        """Return a one-time path on the app host that signs a browser in."""
        return str(self._ask("POST", f"organizations/{org}/browsers")["url"])

    def customer(
        self,
        deed: Deed,
        *,
        org: str,
        client_id: str,
        scope: str | None = None,
        grant: str | None = None,
    ) -> None:
        """Act as a customer or an administrator on one of Datadog's pages."""
        asked = {"do": deed, "org": org, "client_id": client_id, "scope": scope, "grant": grant}
        self._ask("POST", "customer", {k: v for k, v in asked.items() if v is not None})

    def amend_client(
        self,
        client_id: str,
        *,
        redirect_uris: Sequence[str] | None = None,
        scopes: Sequence[str] | None = None,
    ) -> None:
        """Register other redirect URIs or scopes for a client."""
        asked = {"redirect_uris": redirect_uris, "scopes": scopes}
        wanted = {name: list(value) for name, value in asked.items() if value is not None}
        self._ask("PATCH", f"clients/{client_id}", wanted)

    def registered(self, client_id: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the redirect URIs and the scopes of a client.

        Raises:
            FrontError: `sandbox_refused`, if the sandbox does not have the client.
        """
        found = self._ask("PATCH", f"clients/{quote(client_id, safe='')}", {})
        return tuple(found["redirect_uris"]), tuple(found["scopes"])

    def leaks(self, text: str) -> tuple[str, ...]:
        """Return the kinds of issued secrets in a string, such as `access_token`."""
        return tuple(self._ask("POST", "leaks", {"text": text})["found"]) if text else ()

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        query: Mapping[str, object] | None = None,
    ) -> Any:  # noqa: ANN401 - JSON
        url = f"{self._url}/{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            with quiet():
                answer = self._client.request(method, url, json=body)
        except httpx.HTTPError as error:
            raise FrontError(
                "sandbox_unreachable",
                f"The sandbox does not answer on its control interface ({type(error).__name__}). "
                "Start it again with `ddoauth sandbox --env`.",
            ) from None
        if not answer.is_success:
            raise FrontError(
                "sandbox_refused",
                f"The sandbox refused {method} {path}: {_errors(answer)} Use the same version of "
                "the sandbox and the grader.",
            )
        return answer.json() if answer.content else {}


def _errors(answer: httpx.Response) -> str:
    try:
        return " ".join(map(str, answer.json()["errors"]))
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status_code}."


def _event(entry: Mapping[str, Any]) -> SandboxEvent:
    known = {name for name in SandboxEvent.__dataclass_fields__ if name in entry}
    values = {name: entry[name] for name in known}
    for name in ("query_fields", "form_fields", "json_fields"):
        values[name] = tuple(values.get(name) or ())
    for name in ("values", "fingerprints", "lengths"):
        values[name] = dict(values.get(name) or {})
    return SandboxEvent(**values)


def journal_lines(events: Iterable[SandboxEvent]) -> tuple[str, ...]:
    """Return the events as lines of evidence, at most eight."""
    return tuple(event.line() for event in events)[:8]

"""A whole run, good or bad, leaves no secret in logs, errors, tracebacks or the transcript."""

from __future__ import annotations

import dataclasses
import logging
import threading
import traceback
import urllib.error
import urllib.request
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from support.builders import local_site, readable, registration, shown, with_locals

from ddoauth_kit import DATADOG_SITES, Http, OAuthClient, Secret, create_api_key, validate_api_key
from ddoauth_kit.errors import (
    AnswerError,
    ApiKeyError,
    AuthorizationError,
    DdoauthError,
    TokenError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.authlib_server import AuthlibServer

    from ddoauth_kit import AuthorizationRequest

pytestmark = pytest.mark.checklist("C9")
LOGGERS = ("ddoauth_kit", "httpx", "httpcore")


class Run:
    """Take a client through a flow, and collect everything that it shows and must not show."""

    def __init__(self, http: Http, server: AuthlibServer) -> None:
        sites = DATADOG_SITES.with_site(local_site(server.url))
        known = server.client
        partner = registration(
            client_id=known.client_id,
            client_secret=Secret(known.client_secret, label="client_secret"),
            redirect_uris=(known.redirect_uri,),
        )
        self.server = server
        self.http = http
        self.oauth = OAuthClient(partner, sites=sites, http=http)
        self.requests: list[AuthorizationRequest] = []
        self.values: list[object] = [self.oauth, partner]
        self.texts: list[str] = []

    def redirect(self) -> str:
        """Start an attempt and return the judge's redirect."""
        request = self.oauth.begin(domain="lab1.example.com", session="s")
        self.requests.append(request)
        self.values.append(request)
        return _location(request.url)

    def fails(self, kind: type[DdoauthError], attempt: Callable[[], object]) -> None:
        """Expect an error, and keep every text that it can become."""
        with pytest.raises(kind) as caught:
            attempt()
        error = caught.value
        self.values += [error, error.what, error.said, error.args, error.exchange]
        self.texts += [with_locals(error), "".join(traceback.format_exception(error))]
        self.texts += error._render_traceback_()
        logging.getLogger("ddoauth_kit").error("failed", exc_info=error)

    def shown(self) -> str:
        """Return everything in one text."""
        transcript = self.http.transcript
        fields = [getattr(e, f.name) for e in transcript for f in dataclasses.fields(e)]
        return shown([*self.values, transcript, *transcript, *fields]) + "\n".join(self.texts)

    def secrets(self) -> Iterator[str]:
        """Yield all that was secret in this run."""
        yield self.server.client.client_secret
        yield from self.server.minted
        for request in self.requests:
            yield request.state.reveal()
            yield request.pkce.verifier.reveal()
            yield request.pkce.challenge.reveal()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


def _location(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)
    try:
        opener.open(url, timeout=60)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.headers["Location"]
    raise AssertionError("no redirect")


@pytest.fixture
def run(
    http: Http, authlib_server: AuthlibServer, caplog: pytest.LogCaptureFixture
) -> Iterator[Run]:
    """Give a run with all logs on; at the end, look for each secret in all that was shown."""
    for name in LOGGERS:
        caplog.set_level(logging.DEBUG, logger=name)
    started = Run(http, authlib_server)
    others = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
    yield started
    records = [record for record in caplog.get_records("call") if record.thread not in others]
    # httpx and httpcore would log URLs and headers: the kit keeps its exchanges out of that.
    assert {record.name.partition(".")[0] for record in records} == {"ddoauth_kit"}
    logged = [f"{vars(record)} {logging.Formatter().format(record)}" for record in records]
    text = "\n".join([started.shown(), *logged])
    found = [secret for secret in started.secrets() if readable(secret, text)]
    assert len(set(started.secrets())) >= 5
    assert found == []


def test_a_good_flow_tells_nothing(run: Run) -> None:
    """Authorize, exchange, refresh, create and validate the key, revoke."""
    response = run.oauth.receive(run.redirect(), session="s")
    tokens = run.oauth.exchange(response)
    refreshed = run.oauth.refresh(tokens)
    key = create_api_key(run.http, tokens=refreshed)
    run.values += [response, tokens, refreshed, key, dataclasses.asdict(refreshed)]
    run.fails(AnswerError, lambda: validate_api_key(run.http, key=key.key, site=key.site))
    run.oauth.revoke(refreshed)
    assert len(run.http.transcript) == 6


def test_a_failing_flow_tells_nothing(run: Run) -> None:
    """Wrong session, hostile domain, reused code, second key, dead refresh token, wrong secret."""
    url = run.redirect()
    run.fails(AuthorizationError, lambda: run.oauth.complete(url, session="mallory"))
    run.fails(
        AuthorizationError, lambda: run.oauth.complete(url.replace("lab1", "evil"), session="s")
    )
    again = run.redirect()
    response = run.oauth.receive(again, session="s")
    tokens = run.oauth.exchange(response)
    run.fails(TokenError, lambda: run.oauth.exchange(response))
    run.fails(AuthorizationError, lambda: run.oauth.complete(again, session="s"))
    create_api_key(run.http, tokens=tokens)
    run.fails(ApiKeyError, lambda: create_api_key(run.http, tokens=tokens))
    run.oauth.refresh(tokens)
    run.fails(TokenError, lambda: run.oauth.refresh(tokens))
    wrong = Secret("canary-wrong-secret", label="client_secret")
    run.server.minted.append(wrong.reveal())
    run.oauth.registration = dataclasses.replace(run.oauth.registration, client_secret=wrong)
    fresh = run.redirect()
    run.fails(TokenError, lambda: run.oauth.complete(fresh, session="s"))
    run.fails(TokenError, lambda: run.oauth.revoke(tokens))


def test_a_server_that_is_gone_tells_nothing(run: Run) -> None:
    """Connection refused in the middle of an exchange, of a refresh and of a revocation."""
    tokens = run.oauth.exchange(run.oauth.receive(run.redirect(), session="s"))
    url = run.redirect()
    gone = local_site("http://127.0.0.1:1")
    run.oauth.sites = run.oauth.sites.with_site(gone)
    stranded = dataclasses.replace(tokens, site=gone)
    run.fails(DdoauthError, lambda: run.oauth.complete(url, session="s"))
    run.fails(DdoauthError, lambda: run.oauth.refresh(stranded))
    run.fails(DdoauthError, lambda: run.oauth.revoke(stranded))
    run.fails(DdoauthError, lambda: create_api_key(run.http, tokens=stranded))


def test_the_search_itself_finds() -> None:
    """Raw, URL-encoded, in base64 at any offset: each is found, and nothing else."""
    secret = "canary/secret+4711"
    for text in (secret, quote(secret, safe=""), repr({"a": secret})):
        assert readable(secret, f"x {text} y")
    for lead in ("", "a", "ab", "abc"):
        for encode in (b64encode, urlsafe_b64encode):
            assert readable(secret, encode(f"{lead}{secret}tail".encode()).decode())
    assert not readable(secret, "canary secret 4711")

"""Make one successful connection before the scenarios, tolerating mistakes one by one if needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.front.front_error import FrontError
from ddoauth_kit.grading.front.session import likely_variable
from ddoauth_kit.grading.journey import Journey, parameters
from ddoauth_kit.grading.scenarios.finding import SERVER_ERROR, Check, Finding, excerpt
from ddoauth_kit.grading.scenarios.happy import judged
from ddoauth_kit.grading.settings import SettingsError
from ddoauth_kit.grading.subject import FlowNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddoauth_kit.grading.bench import Bench
    from ddoauth_kit.grading.journey import Arrival

_TRIES: Final = 7
_UNAUTHORIZED: Final = 401
_WORDS: Final = {
    "no-pkce": "an authorization request without PKCE",
    "plain-pkce": "a challenge whose method is not S256",
    "any-redirect-uri": "a redirect URI that is not registered",
    "comma-scopes": "scopes separated by commas",
    "token-at-app": "a token request at the app host",
    "basic": "HTTP Basic at the token endpoint",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodRun:
    """What the first successful connection showed.

    `tolerated` names the mistakes that the sandbox now tolerates. If tolerating them did not help,
    nothing else can be tested, and `failure` gives the reason; otherwise `failure` is empty.
    """

    findings: tuple[Finding, ...]
    tolerated: tuple[str, ...] = ()
    failure: str = ""


class _Mistakes:
    """Makes the sandbox tolerate one mistake after another."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.names: list[str] = []

    def tolerate_all(self, names: Sequence[str]) -> bool:
        """Tolerate some mistakes; return false if all of them were already tolerated."""
        new = [name for name in names if self.tolerate(name)]
        return bool(new)

    def tolerate(self, name: str) -> bool:
        """Tolerate a mistake; return false if it was already tolerated."""
        if name in self.names:
            return False
        self.names.append(name)
        others = [each for each in self.names if each != "basic"]
        self._bench.control.switch(tolerate=others, basic="basic" in self.names)
        return True


def preflight(bench: Bench) -> GoodRun:
    """Connect until it works, or until tolerating mistakes no longer helps.

    Raises:
        SettingsError: `other_client`, `front_bypassed`, `untrusted_ca`, `not_connected_page`, and
            the codes of `FlowNotFoundError`.
    """
    mistakes = _Mistakes(bench)
    failure = ""
    for _ in range(_TRIES):
        try:
            journey = Journey(bench).begin()
        except FlowNotFoundError as error:
            raise SettingsError(error.code, error.line) from None
        _check_client(bench, journey.asked)
        named = _before_consent(bench, journey.asked)
        if mistakes.tolerate_all(named):
            continue
        try:
            arrival = journey.consent().arrive()
        except FlowNotFoundError as error:
            return GoodRun(findings=_failed_at_consent(error), failure=error.line)
        refused = parameters(journey.location).get("error", "")
        if refused:
            words = parameters(journey.location).get("error_description", "")
            failure = f"Datadog refused the authorization request: {refused} {words}".strip()
            return GoodRun(
                findings=_refused(journey.asked, failure, bench),
                tolerated=told(mistakes.names),
                failure=failure,
            )
        if arrival.issued:
            return _came_through(bench, journey, arrival, mistakes.names)
        name = _at_exchange(arrival)
        if name and mistakes.tolerate(name):
            continue
        check_way(bench, journey, arrival)
        failure = _why_not(arrival)
        findings = tuple(judged(bench, journey, arrival))
        return GoodRun(findings=findings, tolerated=told(mistakes.names), failure=failure)
    return GoodRun(
        findings=(), tolerated=told(mistakes.names), failure=failure or ("No attempt worked.")
    )


def told(names: Sequence[str]) -> tuple[str, ...]:
    """Describe the tolerated mistakes."""
    return tuple(f"{name}: the sandbox let {_WORDS[name]} pass" for name in names)


def _check_client(bench: Bench, asked: dict[str, str]) -> None:
    client_id = asked.get("client_id", "")
    if not bench.client_id:
        _adopt(bench, asked)
    if client_id != bench.client_id:
        raise SettingsError(
            "other_client",
            f"The server sends the client_id {client_id!r} instead of the sandbox's. Give it "
            "{client_id} and {client_secret} in [server.env], under the names that it reads.",
        )


def _adopt(bench: Bench, asked: dict[str, str]) -> None:
    """Use the client of an already running server, if the sandbox has this client."""
    try:
        uris, scopes = bench.control.registered(asked.get("client_id", ""))
    except FrontError:
        return
    named, wanted = bench.redirect_uri, asked.get("redirect_uri", "")
    bench.client_id = asked["client_id"]
    bench.scopes = bench.scopes or scopes
    bench.redirect_uri = named or (wanted if wanted in uris else uris[0])
    if bench.redirect_uri not in uris:
        uris = (*uris, bench.redirect_uri)
        bench.control.amend_client(bench.client_id, redirect_uris=uris)


def _before_consent(bench: Bench, asked: dict[str, str]) -> list[str]:
    """Return the mistakes in the authorization request itself."""
    found = []
    if not asked.get("code_challenge"):
        found.append("no-pkce")
    elif asked.get("code_challenge_method") != "S256":
        found.append("plain-pkce")
    if asked.get("redirect_uri") != bench.redirect_uri:
        found.append("any-redirect-uri")
    if "," in asked.get("scope", ""):
        found.append("comma-scopes")
    return found


def _at_exchange(arrival: Arrival) -> str:
    """Return the mistake that made the token request fail, or "" if tolerance can't help."""
    for event in arrival.exchanges:
        if event.role == "app":
            return "token-at-app"
        if "basic" in event.authentication and event.status == _UNAUTHORIZED:
            return "basic"
    return ""


def check_way(bench: Bench, journey: Journey, arrival: Arrival) -> None:
    """Check that the server's calls reach the front.

    Raises:
        SettingsError: `untrusted_ca`, `front_bypassed`.
    """
    if arrival.exchanges:
        return
    seen = bench.records[journey.records_began :]
    if any(record.reason == "not_trusted" for record in seen):
        raise SettingsError(
            "untrusted_ca",
            "The server does not accept the front's certificate. Let it read one of the trust "
            "variables, or start `ddoauth grade` with --isolate.",
        )
    # A server that bypasses the front fails in the real network and not at the redirect.
    failed_outside = arrival.page.status >= SERVER_ERROR or arrival.page.failure == "timeout"
    if not seen and not bench.records and failed_outside:
        name, why = likely_variable(bench.command or [""])
        raise SettingsError(
            "front_bypassed",
            "The customer consented, but the front received no call from the server. Most likely "
            f"the server does not receive {name}: {why}. On Linux, --isolate needs no variable.",
        )


def _why_not(arrival: Arrival) -> str:
    if arrival.exchanges:
        last = arrival.exchanges[-1]
        return f"Datadog refused the token request: {last.reason or last.status}"
    return f"The server made no token request. Its page: {excerpt(arrival.page)}"


def _refused(asked: dict[str, str], failure: str, bench: Bench) -> tuple[Finding, ...]:
    check = Check("scope-valid", "The scopes are known and separated by spaces.")
    unknown = sorted({*asked.get("scope", "").split()} - {*bench.scopes})
    if "scope" in failure or unknown:
        return (check.broken(failure),)
    return ()


def _failed_at_consent(error: FlowNotFoundError) -> tuple[Finding, ...]:
    check = Check("pkce-s256", "Datadog accepts the authorization request.")
    return (check.broken(error.line),)


def _came_through(
    bench: Bench, journey: Journey, arrival: Arrival, names: Sequence[str]
) -> GoodRun:
    if not arrival.connected:
        mark = bench.connected
        wanted = mark.text or mark.address or mark.status_url
        raise SettingsError(
            "not_connected_page",
            f"Datadog issued tokens, and the good run ended at "
            f"{arrival.page.url.partition('?')[0]} ({arrival.page.status or arrival.page.failure}) "
            f"without {wanted!r}. Correct [connected].",
        )
    bench.list_names_orgs = arrival.listed
    bench.keep_pace(arrival.page.seconds)
    return GoodRun(findings=tuple(judged(bench, journey, arrival)), tolerated=told(names))

"""Judge a successful connection: the authorization request, the code exchange and the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from ddoauth_kit.grading.journey import Journey
from ddoauth_kit.grading.sandbox_control import CONSENT_PATH
from ddoauth_kit.grading.scenarios.finding import Check, Finding, Scenario
from ddoauth_kit.printable import counted

if TYPE_CHECKING:
    from ddoauth_kit.grading.bench import Bench
    from ddoauth_kit.grading.journey import Arrival
    from ddoauth_kit.grading.sandbox_control import SandboxEvent

TOKEN_PATH: Final = "/api/v2/oauth2/token"  # noqa: S105 - an address
_CHALLENGE: Final = 43
_VERIFIER: Final = (43, 128)
# 128 bits are 22 characters of base64url or 32 of hex.
_STATE: Final = 22
_TYPE: Final = "application/x-www-form-urlencoded"
_REAL_SECRETS: Final = frozenset({"access_token", "refresh_token", "api_key", "client_secret"})


def good_connect(bench: Bench) -> list[Finding]:
    """Connect once and judge everything that a successful connection shows."""
    journey = Journey(bench)
    arrival = journey.connect()
    return judged(bench, journey, arrival)


def judged(bench: Bench, journey: Journey, arrival: Arrival) -> list[Finding]:
    """Judge a connection that was already made."""
    asked, events = journey.asked, journey.events()
    consents = [event for event in events if event.path == CONSENT_PATH][:2]
    return [
        _pkce(asked, consents),
        _state(asked, consents),
        _scope(asked, consents),
        *_exchange(bench, asked, arrival.exchanges),
        _page_clean(bench, arrival),
        _bar(arrival),
    ]


def _pkce(asked: dict[str, str], events: list[SandboxEvent]) -> Finding:
    check = Check("pkce-s256", "The authorization request carries an S256 challenge.")
    challenge, method = asked.get("code_challenge", ""), asked.get("code_challenge_method", "")
    if not challenge:
        return check.broken("The authorization request has no code_challenge.", events=events)
    if method != "S256":
        named = f"The code_challenge_method is {method!r}." if method else "No method is named."
        return check.broken(named, events=events)
    if len(challenge) != _CHALLENGE:
        return check.broken(
            f"The challenge has {counted(len(challenge), 'character')}.", events=events
        )
    return check.met("S256 with a challenge of 43 characters.", events=events)


def _state(asked: dict[str, str], events: list[SandboxEvent]) -> Finding:
    check = Check("state-sent", "The authorization request carries a state of 128 bits or more.")
    state = asked.get("state", "")
    if not state:
        # Later scenarios show whether PKCE binds the session; `Running` may then say broken.
        return check.risk("The authorization request has no state.", events=events)
    if len(state) < _STATE:
        return check.risk(
            f"The state has {counted(len(state), 'character')}: less than 128 bits.", events=events
        )
    return check.met(f"The state has {len(state)} characters.", events=events)


def _scope(asked: dict[str, str], events: list[SandboxEvent]) -> Finding:
    check = Check("scope-valid", "The scopes are known and separated by spaces.")
    scope = asked.get("scope", "")
    refused = [event for event in events if "scope" in event.behaviour and event.reason]
    if "," in scope or ";" in scope:
        return check.broken("The scopes are separated by commas.", events=events)
    if refused:
        return check.broken(f"Datadog refused the scopes: {refused[0].reason}", events=refused)
    count = len(scope.split())
    text = "1 scope, which is known." if count == 1 else f"{count} scopes, all of them known."
    return check.met(text, events=events)


def _exchange(
    bench: Bench, asked: dict[str, str], exchanges: tuple[SandboxEvent, ...]
) -> list[Finding]:
    checks = {
        "verifier-length": Check("verifier-length", "The verifier has 43 to 128 characters."),
        "token-host": Check("token-host", "The token request goes to the api host."),
        "token-endpoint": Check("token-endpoint", f"The token request goes to {TOKEN_PATH}."),
        "secret-in-body": Check("secret-in-body", "The client secret is in the form body."),
        "form-type": Check("form-type", f"The token request is {_TYPE}."),
        "redirect-uri-same": Check(
            "redirect-uri-same", "Both requests carry exactly the registered redirect URI."
        ),
    }
    if not exchanges:
        reason = "The server made no token request in a successful connection."
        uri = checks.pop("redirect-uri-same")
        found = [check.not_seen(reason) for check in checks.values()]
        same = asked.get("redirect_uri", "") == bench.redirect_uri
        wrong = _unregistered(uri, asked.get("redirect_uri", ""), bench.redirect_uri)
        return [*found, uri.not_seen(reason) if same else wrong]
    first = exchanges[0]
    return [
        _verifier(checks["verifier-length"], first),
        _host(checks["token-host"], first),
        _endpoint(checks["token-endpoint"], first),
        _authentication(checks["secret-in-body"], first),
        _content_type(checks["form-type"], first),
        _redirect_uri(checks["redirect-uri-same"], asked, first, registered=bench.redirect_uri),
    ]


def _verifier(check: Check, event: SandboxEvent) -> Finding:
    length = event.lengths.get("code_verifier", 0)
    if not length:
        return check.broken("The token request has no code_verifier.", events=[event])
    if not _VERIFIER[0] <= length <= _VERIFIER[1]:
        return check.broken(f"The verifier has {counted(length, 'character')}.", events=[event])
    return check.met(f"The verifier has {counted(length, 'character')}.", events=[event])


def _host(check: Check, event: SandboxEvent) -> Finding:
    if event.role != "api":
        return check.risk(f"The token request went to {event.host or event.role}.", events=[event])
    return check.met(f"The token request went to {event.host or 'the api host'}.", events=[event])


def _endpoint(check: Check, event: SandboxEvent) -> Finding:
    if event.path != TOKEN_PATH:
        return check.risk(f"The token request went to {event.path}.", events=[event])
    return check.met(f"The token request went to {event.path}.", events=[event])


def _authentication(check: Check, event: SandboxEvent) -> Finding:
    if "basic" in event.authentication:
        return check.risk("The client secret was sent by HTTP Basic.", events=[event])
    if "body" not in event.authentication:
        return check.risk(f"Authentication: {event.authentication}.", events=[event])
    return check.met("The client secret was in the body.", events=[event])


def _content_type(check: Check, event: SandboxEvent) -> Finding:
    kind = event.content_type.partition(";")[0].strip().lower()
    if kind != _TYPE:
        return check.risk(f"The token request is {kind or 'without a type'}.", events=[event])
    return check.met(f"The token request is {_TYPE}.", events=[event])


def _redirect_uri(
    check: Check, asked: dict[str, str], event: SandboxEvent, *, registered: str
) -> Finding:
    first, second = asked.get("redirect_uri", ""), event.values.get("redirect_uri", "")
    if first != registered:
        return _unregistered(check, first, registered)
    if second != first:
        return check.broken(
            f"The token request says {second or 'nothing'} after {first}.", events=[event]
        )
    return check.met(f"Both say {first}.", events=[event])


def _unregistered(check: Check, asked: str, registered: str) -> Finding:
    text = (
        f"The authorization request says {asked or 'nothing'}, but the registered one is "
        f"{registered}."
    )
    return check.broken(text)


def _page_clean(bench: Bench, arrival: Arrival) -> Finding:
    check = Check("page-clean", "The page shows no code, token or key, and is not stored.")
    page = arrival.page
    headers = "\n".join(f"{k}: {v}" for k, v in page.headers.items() if k != "location")
    found = bench.control.leaks(f"{page.body}\n{headers}")
    worst = sorted(_REAL_SECRETS & {*found})
    if worst:
        return check.broken(f"The page contains an issued {_names(worst)}.", events=arrival.events)
    if found:
        return check.risk(f"The page contains an issued {_names(found)}.", events=arrival.events)
    if "no-store" not in page.headers.get("cache-control", ""):
        return check.risk("The page has no Cache-Control: no-store.")
    return check.met("The page contains no code, token or key, and tells browsers not to store it.")


def _bar(arrival: Arrival) -> Finding:
    check = Check("code-leaves-bar", "The callback redirects to an address without the code.")
    query = dict(parse_qsl(urlsplit(arrival.page.url).query))
    if "code" in query:
        return check.risk(
            "The browser stays at an address that contains the code.", events=arrival.events
        )
    return check.met(f"The browser ends at {arrival.page.url.partition('?')[0]}.")


def _names(kinds: tuple[str, ...] | list[str]) -> str:
    return ", ".join(kind.replace("_", " ") for kind in kinds)


def fresh_challenge(bench: Bench) -> list[Finding]:
    """Start twice in one browser and once in another, and compare the challenges."""
    check = Check("challenge-fresh", "Each attempt has a challenge and a state of its own.")
    one = Journey(bench).begin()
    first = one.asked
    second = one.begin().asked
    third = Journey(bench).begin().asked
    for name in ("code_challenge", "state"):
        given = [each.get(name, "") for each in (first, second, third)]
        if given[0] and len(set(given)) < len(given):
            text = f"Two attempts carry the same {name}."
            return [check.broken(text) if name == "code_challenge" else check.risk(text)]
    if not first.get("code_challenge"):
        return [check.not_seen("The authorization requests carry no challenge.")]
    return [check.met("Three attempts carry three challenges.")]


HAPPY: Final = Scenario(
    name="a successful connection",
    checks=(
        "pkce-s256",
        "state-sent",
        "scope-valid",
        "verifier-length",
        "token-host",
        "token-endpoint",
        "secret-in-body",
        "form-type",
        "redirect-uri-same",
        "page-clean",
        "code-leaves-bar",
    ),
    run=good_connect,
)
FRESH: Final = Scenario(
    name="three attempts begin", checks=("challenge-fresh",), run=fresh_challenge, connects=0
)
SCENARIOS: Final = (HAPPY, FRESH)

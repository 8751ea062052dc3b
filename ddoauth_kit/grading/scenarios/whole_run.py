"""Judge what only the whole run can show: logs, URLs, grant types and used scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.sandbox_control import CONSENT_PATH
from ddoauth_kit.grading.scenarios.acts import scopes_of
from ddoauth_kit.grading.scenarios.finding import Check, Finding
from ddoauth_kit.printable import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ddoauth_kit.grading.bench import Bench
    from ddoauth_kit.grading.sandbox_control import SandboxEvent

_GRANT_TYPES: Final = frozenset({"authorization_code", "refresh_token"})
_NEVER_IN_URL: Final = frozenset(
    {
        "client_secret",
        "code_verifier",
        "access_token",
        "refresh_token",
        "token",
        "api_key",
        "dd-api-key",
        "application_key",
    }
)
_GRAVE: Final = frozenset({"access_token", "refresh_token", "api_key", "client_secret"})


def nothing_in_query(bench: Bench, events: Sequence[SandboxEvent]) -> Finding:
    """Look for the names of secrets in the URLs of all requests, to Datadog and elsewhere."""
    check = Check("nothing-in-query", "No URL contains a secret or a token.")
    for event in events:
        named = _NEVER_IN_URL & {name.lower() for name in event.query_fields}
        if event.role != "app":
            named |= {"code"} & {*event.query_fields}
        if named:
            text = f"A URL to {event.host or event.site} contained {', '.join(sorted(named))}."
            return check.broken(text, events=[event])
    for record in bench.records:
        named = _NEVER_IN_URL & {name.lower() for name in record.query_fields}
        if named:
            return check.broken(f"A URL to {record.host} contained {', '.join(sorted(named))}.")
    return check.met(f"{len(events)} URLs contain none.")


def grant_type(_bench: Bench, events: Sequence[SandboxEvent]) -> Finding:
    """Check the grant types of all token requests."""
    check = Check("grant-type", "Only authorization_code and refresh_token are requested.")
    asked = [event for event in events if event.is_token_request]
    other = [event for event in asked if event.values.get("grant_type") not in _GRANT_TYPES]
    if not asked:
        return check.not_seen("The server made no token request.")
    if other:
        name = other[0].values.get("grant_type", "")
        return check.broken(f"A token request says {name or 'no grant_type'}.", events=other)
    name = "names" if len(asked) == 1 else "name"
    return check.met(f"{counted(len(asked), 'token request')} {name} one of the two.")


def logs_clean(bench: Bench, _events: Sequence[SandboxEvent]) -> Finding:
    """Look for issued secrets in the server's output."""
    check = Check("logs-clean", "The server's log contains nothing that was issued to it.")
    if bench.subject.by_hand and not bench.subject.written():
        return check.not_tested("The server was started by hand. Name its file as `log`.")
    text = bench.subject.written()
    found = bench.control.leaks(text)
    grave = sorted(_GRAVE & {*found})
    if grave:
        return check.broken(f"The log contains an issued {_names(grave)}.")
    if found:
        return check.risk(f"The log contains an issued {_names(found)}.")
    count = len(text.splitlines())
    return check.met(f"{counted(count, 'line')} {'contains' if count == 1 else 'contain'} none.")


def least_scope(bench: Bench, events: Sequence[SandboxEvent]) -> Finding:
    """Compare the requested scopes with those that the called operations need."""
    check = Check("least-scope", "The server uses every scope that it requests.")
    if not {"call", "refresh"} & {*bench.acts}:
        return check.not_tested("[call] is missing, so the server called no API.")
    needed = scopes_of(events)
    if not needed:
        return check.not_seen("The server called no operation that needs a scope.")
    spare = sorted(_asked(events) - needed)
    if spare:
        text = f"No operation in this run needed {', '.join(spare[:6])}."
        return check.risk(text, reason="The run may not show everything that your server does.")
    return check.met("Each scope was used.")


def _asked(events: Sequence[SandboxEvent]) -> set[str]:
    asked = (event.values.get("scope", "") for event in events if event.path == CONSENT_PATH)
    return {scope for one in asked for scope in one.replace(",", " ").split()}


def _names(kinds: Sequence[str]) -> str:
    return ", ".join(kind.replace("_", " ") for kind in kinds)


CHECKS: Final[dict[str, Callable[[Bench, Sequence[SandboxEvent]], Finding]]] = {
    "nothing-in-query": nothing_in_query,
    "grant-type": grant_type,
    "logs-clean": logs_clean,
    "least-scope": least_scope,
}

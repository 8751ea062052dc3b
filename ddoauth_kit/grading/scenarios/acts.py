"""Make the server act for a connected customer: send telemetry, call the API and disconnect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.journey import Journey
from ddoauth_kit.grading.sandbox_control import REVOKE_PATHS
from ddoauth_kit.grading.scenarios.finding import Check, Finding, Scenario, worst_of
from ddoauth_kit.grading.subject import FlowNotFoundError
from ddoauth_kit.printable import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddoauth_kit.grading.bench import ActOutcome, Bench
    from ddoauth_kit.grading.journey import Arrival
    from ddoauth_kit.grading.sandbox_control import CustomerOrg, Deed, SandboxEvent

_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_TOO_MANY: Final = 429
_LOOP: Final = 5
_TOKENS: Final = ("access_token", "refresh_token", "token")
_LIMIT_SECONDS: Final = 10.0


class Acting:
    """A connected customer for whom the server acts, and the requests of each act.

    Raises:
        FlowNotFoundError: the customer could not be connected.
    """

    def __init__(
        self, bench: Bench, *, site: str | None = None, org: CustomerOrg | None = None
    ) -> None:
        self._bench = bench
        self._tokens: set[str] = set()
        self.journey = Journey(bench, site=site, org=org)
        self._check(self.journey.connect())

    def _check(self, arrival: Arrival) -> None:
        if not arrival.issued:
            line = "The customer of this scenario was not connected. Look at the first connection."
            raise FlowNotFoundError("not_connected", line, arrival.page)
        if arrival.connected:
            self._bench.keep_pace(arrival.page.seconds)

    @property
    def org(self) -> str:
        """Return the id of the customer's organization."""
        return self.journey.org.id

    def act(self, name: str, *, waits: bool = False) -> tuple[ActOutcome, tuple[SandboxEvent, ...]]:
        """Make the server act once; return the outcome and the server's requests for this customer.

        `waits` is true if the server has a reason to wait.

        Raises:
            FlowNotFoundError: the server did not respond in time but shows no loop, so its requests
                so far don't prove anything.
        """
        before = self._bench.control.last()
        outcome = self._bench.perform(self._bench.acts[name], self.journey.browser)
        events = self.own(self._bench.control.events(after=before))
        if outcome.failure == "timeout" and not waits and len(events) <= _LOOP:
            line = f"[{name}] did not answer within {self._bench.seconds:.0f} s. Raise `patience`."
            raise FlowNotFoundError("server_slow", line)
        return outcome, events

    def own(self, events: tuple[SandboxEvent, ...]) -> tuple[SandboxEvent, ...]:
        """Return the server's requests for this customer, including those with expired tokens."""
        found = []
        for event in events:
            tokens = {event.fingerprints.get(name, "") for name in _TOKENS} - {""}
            if event.org == self.org or tokens & self._tokens or self._is_nobodys(event):
                self._tokens |= tokens
                found.append(event)
        return tuple(event for event in found if event.role != "app")

    def _is_nobodys(self, event: SandboxEvent) -> bool:
        return event.org is None and not self._bench.beside

    def fault(self, spec: str) -> None:
        """Make something fail for this customer from now on."""
        self._bench.control.fault(spec, org=self.org)

    def do(self, deed: Deed, *, scope: str | None = None) -> None:
        """Have the customer or an administrator do something on one of Datadog's pages."""
        self._bench.control.customer(
            deed,
            org=self.org,
            client_id=self._bench.client_id,
            scope=scope,
        )


def acts_of(bench: Bench) -> tuple[str, ...]:
    """Return which of the acts that send or read data are configured: `send`, `call` or both."""
    return tuple(name for name in ("send", "call") if name in bench.acts)


def data_credential(bench: Bench) -> list[Finding]:
    """Check which credentials the server uses to send data and to call the API."""
    check = Check("data-credential", "Telemetry carries the API key, API calls the bearer token.")
    acting = Acting(bench)
    found = []
    for name in acts_of(bench):
        _, events = acting.act(name)
        data = [event for event in events if event.is_data]
        refused = [e for e in data if e.status in {_UNAUTHORIZED, _FORBIDDEN}]
        if not data:
            found.append(check.not_seen(f"[{name}] did not lead to a request to Datadog."))
        elif refused:
            text = (
                f"Datadog refused the request of [{name}], which was sent with "
                f"{refused[0].authentication}."
            )
            found.append(check.broken(text, events=refused))
        else:
            text = f"[{name}] came by {data[0].authentication}."
            found.append(check.met(text, events=data))
    return [worst_of(found)]


def data_site(bench: Bench) -> list[Finding]:
    """Send data and call the API for a customer on another site."""
    check = Check("data-site", "The server sends data to, and calls, the customer's own site.")
    others = [site for site in bench.sites if site != bench.site]
    site = "eu1" if "eu1" in others else (others or [bench.site])[0]
    acting = Acting(bench, site=site)
    data = []
    for name in acts_of(bench):
        data += [event for event in acting.act(name)[1] if event.is_data]
    wrong = [event for event in data if event.site != site]
    if not data:
        return [check.not_seen("No request reached Datadog.")]
    if wrong:
        text = f"A customer of {site} was served at {wrong[0].site}."
        return [check.broken(text, events=wrong)]
    reason = "" if others else "One site was graded. Name more in `sites`."
    return [check.met(f"All requests went to {site}.", events=data, reason=reason)]


def retry_once(bench: Bench) -> list[Finding]:
    """Refuse a token that should still be valid for an hour, as can happen after an incident."""
    check = Check("401-once", "After a 401 the server refreshes once and retries once.")
    acting = Acting(bench)
    acting.fault("expired-token:1")
    outcome, events = acting.act("call")
    refused = [e for e in events if e.is_data and e.status == _UNAUTHORIZED]
    refreshes = [event for event in events if event.is_refresh]
    # A server may validate its token to find out whether the token or the call was refused.
    data = [e for e in events if refused and (e.method, e.path) == _address(refused[0])]
    if not refused:
        return [check.not_seen("The call did not get a 401.")]
    if len(refreshes) > _LOOP:
        text = f"The server refreshed {len(refreshes)} times after one 401."
        return [check.broken(text, events=events)]
    if len(refreshes) != 1 or len(data) != 2 or not outcome.succeeded:  # noqa: PLR2004 - once more
        done = counted(len(refreshes), "refresh", "refreshes")
        text = f"{done} and {counted(len(data), 'call')} followed one 401."
        return [check.risk(text, events=events)]
    return [check.met("One refresh and one retry followed.", events=events)]


def scopes_of(events: Sequence[SandboxEvent]) -> set[str]:
    """Return the scopes of the called operations."""
    from ddoauth_kit.sandbox.facts.catalogue import catalogue

    scopes = {operation.id: operation.scopes for operation in catalogue().operations}
    called = {event.operation for event in events if event.operation is not None}
    return {scope for name in called for one_set in scopes.get(name, ()) for scope in one_set}


def _address(event: SandboxEvent) -> tuple[str, str]:
    return event.method, event.path


def forbidden(bench: Bench) -> list[Finding]:
    """Act for a user without the permission behind the call's scope, so the call gets a 403."""
    check = Check(
        "403-no-refresh",
        ("A 403 does not lead to a refresh, because a new token has the same scopes."),
    )
    _, usual = Acting(bench).act("call")
    needed = scopes_of(usual)
    if not needed:
        return [check.not_seen("The call needs no scope.")]
    org = bench.org(permissions=sorted({*bench.scopes} - needed))
    outcome, events = Acting(bench, org=org).act("call")
    refused = [event for event in events if event.is_data and event.status == _FORBIDDEN]
    refreshes = [event for event in events if event.is_refresh]
    if not refused:
        return [check.not_seen("The call did not get a 403.")]
    if len(refreshes) + len(refused) > _LOOP:
        return [check.broken(f"{counted(len(events), 'request')} followed a 403.", events=events)]
    if refreshes:
        return [check.risk(f"{len(refreshes)} refreshes followed a 403.", events=events)]
    if outcome.succeeded:
        return [check.risk("The act reports success after a 403.", events=events)]
    return [check.met("No refresh followed.", events=events)]


def scope_disabled(bench: Bench) -> list[Finding]:
    """Let an administrator remove a call's scope, which ends the grant."""
    check = Check(
        "scope-disabled", ("After an administrator removed a scope, the server asks again.")
    )
    acting = Acting(bench)
    _, usual = acting.act("call")
    needed = sorted(scopes_of(usual) & {*bench.scopes})
    if not needed:
        return [check.not_seen("The call needs no scope.")]
    acting.do("block-scope", scope=needed[0])
    outcome, events = acting.act("call")
    refused = [event for event in events if not event.succeeded]
    if not refused:
        return [check.not_seen("The call was not refused.")]
    return [_says_so(bench, check, outcome, refused)]


def _says_so(
    bench: Bench, check: Check, outcome: ActOutcome, refused: Sequence[SandboxEvent]
) -> Finding:
    word = bench.words.get("scope-disabled", "")
    if outcome.crashed:
        return check.risk("The act crashed after the refusal.", events=refused)
    if word:
        if word in outcome.text:
            return check.met(f"The answer says {word!r}.", events=refused)
        return check.risk(f"The answer does not say {word!r}.", events=refused)
    if outcome.succeeded:
        return check.risk("The act reports success after the refusal.", events=refused)
    return check.met("The act reports a failure.", events=refused)


def rate_limited(bench: Bench) -> list[Finding]:
    """Respond to a call with 429 and the number of seconds to wait."""
    check = Check("429-wait", "The server waits as long as Datadog says, with a limit.")
    acting = Acting(bench)
    acting.fault("rate-limited:1")
    outcome, events = acting.act("call", waits=True)
    data = [event for event in events if event.is_data or event.is_token_request]
    limited = [event for event in data if event.status == _TOO_MANY]
    if not limited:
        return [check.not_seen("The call did not get a 429.")]
    if outcome.failure == "timeout":
        return [check.risk("The act did not finish in time after a 429.", events=data)]
    after = [event for event in data if event.number > limited[0].number]
    early = [event for event in after if event.at - limited[0].at < 0.9]  # noqa: PLR2004 - seconds
    if len(after) > _LOOP:
        return [check.broken(f"{counted(len(after), 'call')} followed one 429.", events=data)]
    if early:
        waited = early[0].at - limited[0].at
        return [check.risk(f"The next call came after {waited:.1f} s.", events=data)]
    return [
        check.met(f"{counted(len(after), 'call')} followed, after the waiting time.", events=data)
    ]


def uninstalled(bench: Bench) -> list[Finding]:
    """Make the customer uninstall or disable the app, then act three times."""
    check = Check("uninstall-noticed", "After an uninstallation the server's calls stop.")
    return [worst_of(_ended_by(bench, check, deed) for deed in ("uninstall", "disable"))]


def _ended_by(bench: Bench, check: Check, deed: Deed) -> Finding:
    name = "call" if "call" in bench.acts else "send"
    acting = Acting(bench)
    acting.act(name)
    acting.do(deed)
    _, first = acting.act(name)
    acting.act(name)
    _, third = acting.act(name)
    refused = [event for event in first if event.status >= 400]  # noqa: PLR2004 - refusals
    if not refused:
        return check.not_seen(f"The act met no refusal after {deed}.")
    if len(first) > 2 * _LOOP:
        return check.broken(f"{len(first)} requests followed one act.", events=first)
    if third:
        text = f"The server still makes calls for a customer who no longer has the app ({deed})."
        return check.risk(text, events=third)
    return check.met("The third act did not lead to a request.", events=first)


def revoked(bench: Bench) -> list[Finding]:
    """Have the customer disconnect at the server."""
    check = Check(
        "revoke", "On disconnect the server revokes with its secret, and reads the answer."
    )
    acting = Acting(bench)
    _, events = acting.act("disconnect")
    asked = [event for event in events if event.path in REVOKE_PATHS]
    if not asked:
        return [check.risk("The server sent no revocation.", events=events)]
    if not any(event.succeeded for event in asked):
        text = f"Datadog refused the revocation: {asked[0].reason or asked[0].status}"
        return [check.risk(text, events=asked)]
    again = Acting(bench)
    again.fault("server-error:1")
    outcome, events = again.act("disconnect")
    failed = [e for e in events if e.path in REVOKE_PATHS and not e.succeeded]
    if outcome.crashed:
        return [check.risk("The server crashed when the revocation failed.", events=failed)]
    if bench.lists(acting.journey.org, acting.journey.browser):
        text = "After the disconnection the server still lists the organization as connected."
        return [check.risk(text, events=asked)]
    return [check.met("Datadog accepted the revocation.", events=asked)]


SCENARIOS: Final = (
    Scenario(
        name="send and call", checks=("data-credential",), run=data_credential, needs=("send|call",)
    ),
    Scenario(
        name="a customer elsewhere", checks=("data-site",), run=data_site, needs=("send|call",)
    ),
    Scenario(name="a refused token", checks=("401-once",), run=retry_once, needs=("call",)),
    Scenario(
        name="a missing permission",
        checks=("403-no-refresh",),
        run=forbidden,
        needs=("call",),
        connects=2,
    ),
    Scenario(
        name="a removed scope", checks=("scope-disabled",), run=scope_disabled, needs=("call",)
    ),
    Scenario(
        name="a rate limit", checks=("429-wait",), run=rate_limited, needs=("call",), alone=False
    ),
    Scenario(
        name="an uninstallation",
        checks=("uninstall-noticed",),
        run=uninstalled,
        needs=("call|send",),
        connects=2,
        expects_nothing=True,
    ),
    Scenario(
        name="a disconnect", checks=("revoke",), run=revoked, needs=("disconnect",), connects=2
    ),
)

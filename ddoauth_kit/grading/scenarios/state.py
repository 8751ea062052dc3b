"""Send other attempts' codes and states to the callback, and see which codes are exchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.journey import Journey, changed, parameters
from ddoauth_kit.grading.scenarios.finding import Check, Finding, Scenario, worst_of

if TYPE_CHECKING:
    from ddoauth_kit.grading.bench import Bench
    from ddoauth_kit.grading.journey import Arrival

_NOTE: Final = "Only PKCE protects this attempt; RFC 9700, 2.1, allows this if PKCE is guaranteed."


def _consented(bench: Bench, journey: Journey | None = None) -> Journey:
    return (journey or Journey(bench)).begin().consent()


def _foreign(check: Check, arrival: Arrival, *, what: str) -> Finding:
    """Judge the arrival of another browser's code."""
    if arrival.issued:
        return check.broken(
            f"The server exchanged {what}, and Datadog issued tokens.", events=arrival.events
        )
    if arrival.connected:
        return check.broken(f"The server counts {what} as connected.", events=arrival.events)
    count = len(arrival.exchanges)
    if count:
        return check.met(
            f"The server tried to exchange {what}; Datadog refused it.", events=arrival.exchanges
        )
    return check.met(f"The server did not exchange {what}.", events=arrival.events)


def _own(check: Check, arrival: Arrival, *, what: str) -> Finding:
    """Judge the arrival of the browser's own code with a foreign state."""
    if arrival.issued:
        return check.risk(
            f"The server exchanged its code {what}.", events=arrival.events, reason=_NOTE
        )
    if arrival.connected:
        return check.broken(
            f"The server counts a redirect {what} as connected.", events=arrival.events
        )
    return check.met(f"The server refused a redirect {what}.", events=arrival.events)


def state_checked(bench: Bench) -> list[Finding]:
    """Open another attempt's redirect here, then this attempt's code with a changed state."""
    check = Check("state-checked", "The server does not exchange a code with a foreign state.")
    attacker = _consented(bench)
    victim = _consented(bench)
    foreign = victim.arrive(attacker.location)
    own = _consented(bench, victim)
    state = parameters(own.location).get("state", "")
    flipped = changed(own.location, {"state": f"{state[:-4]}{state[-4:][::-1]}x"})
    arrived = own.arrive(flipped)
    if not parameters(attacker.location).get("state"):
        return [
            worst_of((_foreign(check, foreign, what="another browser's code"),)),
        ]
    return [
        worst_of(
            (
                _foreign(check, foreign, what="another browser's code"),
                _own(check, arrived, what="with a changed state"),
            )
        )
    ]


def state_required(bench: Bench) -> list[Finding]:
    """Open redirects without a state: one with another attempt's code, one with its own."""
    check = Check("state-required", "The server does not exchange a code without a state.")
    attacker = _consented(bench)
    victim = _consented(bench)
    foreign = victim.arrive(changed(attacker.location, {"state": None}))
    own = _consented(bench, victim)
    arrived = own.arrive(changed(own.location, {"state": None}))
    return [
        worst_of(
            (
                _foreign(check, foreign, what="another browser's code without a state"),
                _own(check, arrived, what="without a state"),
            )
        )
    ]


def state_once(bench: Bench) -> list[Finding]:
    """Open the redirect of a finished attempt again."""
    check = Check("state-once", "The server exchanges a code once.")
    journey = Journey(bench)
    first = journey.connect()
    again = journey.arrive()
    if not first.exchanges:
        return [check.not_seen("The server made no token request in a successful connection.")]
    if again.issued:
        return [
            check.broken("A second exchange of the same redirect succeeded.", events=again.events)
        ]
    if again.exchanges:
        return [check.risk("The server sent the code a second time.", events=again.exchanges)]
    return [
        check.met(
            ("Opening the redirect again did not lead to a token request."), events=again.events
        )
    ]


def browser_bound(bench: Bench) -> list[Finding]:
    """Open this browser's redirect in a browser that hasn't started an attempt."""
    check = Check("browser-bound", "Only the browser that began an attempt can finish it.")
    if not bench.has_sessions:
        reason = (
            "Two sessions are needed, but a fixed cookie or header gives only one: add a url to "
            "[login]."
        )
        return [check.not_tested(reason)]
    journey = _consented(bench)
    stranger = bench.other_browser()
    arrival = journey.arrive(browser=stranger)
    if arrival.issued:
        text = "The server finished the attempt in a browser that did not begin it."
        return [check.broken(text, events=arrival.events)]
    if arrival.connected:
        text = "The server counts a browser that did not begin the attempt as connected."
        return [check.broken(text, events=arrival.events)]
    return [
        check.met(
            "This attempt's redirect, opened in another browser, did not lead to tokens.",
            events=arrival.events,
        )
    ]


SCENARIOS: Final = (
    Scenario(
        name="another browser's code",
        checks=("state-checked",),
        run=state_checked,
        connects=2,
        expects_nothing=True,
    ),
    Scenario(
        name="no state",
        checks=("state-required",),
        run=state_required,
        connects=2,
        expects_nothing=True,
    ),
    Scenario(
        name="the redirect again",
        checks=("state-once",),
        run=state_once,
        connects=2,
        expects_nothing=True,
    ),
    Scenario(
        name="another browser",
        checks=("browser-bound",),
        run=browser_bound,
        connects=1,
        expects_nothing=True,
    ),
)

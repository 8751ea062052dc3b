"""Make the token endpoint fail in several ways, count the requests, and read the resulting page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.journey import Journey
from ddoauth_kit.grading.results import Verdict
from ddoauth_kit.grading.scenarios.finding import (
    Check,
    Finding,
    Scenario,
    failed_well,
    worst_of,
)

if TYPE_CHECKING:
    from ddoauth_kit.grading.bench import Bench

_ELSEWHERE: Final = "elsewhere.example"
# Browsers and proxies give up after a minute or two; a person gives up earlier.
BOUND_SECONDS: Final = 35.0
# A server that asks the app host for tokens is judged by another check.
_ASKED: Final = frozenset({"api", "app"})


def one_exchange(bench: Bench) -> list[Finding]:
    """Respond to the exchange with a 500, then with a truncated body, then slowly."""
    check = Check(
        "one-exchange",
        "Each code is sent in one POST, which is not repeated after a 5xx or a truncated answer.",
    )
    found = []
    for spec in ("server-error", "cut-off", "slow:1"):
        journey, fault = Journey(bench).fault(spec).begin().consent(), spec.partition(":")[0]
        arrival = journey.arrive()
        bench.control.clear_faults(org=journey.org.id)
        count = len(arrival.exchanges)
        if not count:
            found.append(check.not_seen("The server made no token request."))
        elif count > 1:
            text = f"After {fault} the server sent the code {count} times."
            found.append(check.risk(text, events=arrival.exchanges))
        elif not arrival.alive or (arrival.connected and not arrival.issued):
            found.append(failed_well(check, arrival, what=f"the fault {fault}"))
        else:
            text = f"After {fault} the server sent the code once."
            found.append(check.met(text, events=arrival.exchanges))
    return [worst_of(found)]


def error_shape(bench: Bench) -> list[Finding]:
    """Refuse the code in each token endpoint's format, then send the refusal with status 200."""
    check = Check(
        "error-shape", "The server recognizes a refusal, and stores no part of it as a token."
    )
    found = []
    for fault, shape in (
        ("expired-code", ""),
        ("expired-code", "other-error-shape"),
        ("error-with-200", ""),
    ):
        journey = Journey(bench).fault(f"{fault}:1")
        if shape:
            journey.fault(f"{shape}:1")
        arrival = journey.begin().consent().arrive()
        later = [e for e in arrival.events if e.is_data and "bearer" in e.authentication]
        if not arrival.exchanges:
            found.append(check.not_seen("The server made no token request."))
        elif later:
            text = f"After {fault} the server sent the API something that it mistook for a token."
            found.append(check.broken(text, events=later))
        else:
            named = f"{fault}, {shape}" if shape else fault
            found.append(failed_well(check, arrival, what=f"a refusal ({named})"))
    return [worst_of(found)]


def bad_answer(bench: Bench) -> list[Finding]:
    """Respond to the exchange with half a JSON document, an HTML page and an empty body."""
    check = Check("bad-answer", "An unreadable answer leads to a page, not to a crash.")
    found = []
    for fault in ("malformed-json", "html-error", "empty-body"):
        journey = Journey(bench).fault(fault).begin().consent()
        arrival = journey.arrive()
        bench.control.clear_faults(org=journey.org.id)
        found.append(failed_well(check, arrival, what=f"the fault {fault}"))
        if not arrival.alive:
            break
    return [worst_of(found)]


def timeout(bench: Bench) -> list[Finding]:
    """Don't respond to the exchange at all."""
    check = Check("timeout", f"The server gives up within {BOUND_SECONDS:g} s and shows a page.")
    browser = bench.browser(seconds=BOUND_SECONDS)
    journey = Journey(bench, browser=browser).fault("hang:1").begin().consent()
    arrival = journey.arrive()
    took = arrival.page.seconds
    if arrival.page.failure == "timeout":
        text = f"No page came within {BOUND_SECONDS:g} s while Datadog did not answer."
        return [check.risk(text, events=journey.events())]
    if arrival.connected:
        return [
            check.broken("The server counts the customer as connected although no answer arrived.")
        ]
    found = failed_well(check, arrival, what=f"{took:.0f} s")
    if found.verdict is not Verdict.MET:
        return [found]
    return [check.met(f"The page came after {took:.0f} s.", events=journey.events())]


def post_not_redirected(bench: Bench) -> list[Finding]:
    """Redirect the exchange to another host with a 307, which repeats a POST."""
    check = Check("post-not-redirected", "The server does not follow a redirect with its secret.")
    if bench.front is None:
        return [check.not_tested("Only the other sandbox's front can see foreign hosts.")]
    journey = Journey(bench).fault("token-redirect:1").begin().consent()
    arrival = journey.arrive()
    if not arrival.exchanges:
        return [check.not_seen("The server made no token request.")]
    gone = [r for r in bench.left_for(since=journey.records_began) if r.host == _ELSEWHERE]
    followed = [record for record in gone if record.method == "POST" and record.body_fields]
    if followed:
        fields = ", ".join(followed[0].body_fields)
        text = f"The server sent {fields} to {_ELSEWHERE}, the target of a 307."
        return [check.risk(text, events=arrival.exchanges)]
    return [check.met("The server did not follow the redirect.", events=arrival.exchanges)]


def tls_verified(bench: Bench) -> list[Finding]:
    """Present an untrusted certificate for the API host and for the app host."""
    check = Check("tls-verified", "The server refuses a wrong certificate.")
    if bench.front is None or bench.subject.by_hand:
        reason = "The server was started by hand; its open connections would hide the result."
        return [check.not_tested(reason)]
    hosts = [host.name for host in bench.hosts if host.site == bench.site and host.role in _ASKED]
    # Connections that are already open were checked with the right certificate.
    bench.subject.restart()
    journey = Journey(bench).begin().consent()
    for host in hosts:
        bench.front.present_other_ca(host, on=True)
    try:
        arrival = journey.arrive()
    finally:
        for host in hosts:
            bench.front.present_other_ca(host, on=False)
    if arrival.exchanges:
        text = "The server sent its secret to a host whose certificate nobody trusts."
        return [check.broken(text, events=arrival.exchanges)]
    refused = [r for r in bench.records[journey.records_began :] if r.reason == "not_trusted"]
    if not refused and arrival.issued:
        return [check.not_seen("The server called neither host.")]
    return [check.met("The server refused the certificate.")]


SCENARIOS: Final = (
    Scenario(
        name="the exchange fails",
        checks=("one-exchange",),
        run=one_exchange,
        connects=3,
        expects_nothing=True,
    ),
    Scenario(
        name="a refusal",
        checks=("error-shape",),
        run=error_shape,
        connects=3,
        expects_nothing=True,
    ),
    Scenario(
        name="an unreadable answer",
        checks=("bad-answer",),
        run=bad_answer,
        connects=3,
        expects_nothing=True,
    ),
    Scenario(name="no answer", checks=("timeout",), run=timeout, last=True),
    Scenario(
        name="the exchange is redirected",
        checks=("post-not-redirected",),
        run=post_not_redirected,
        expects_nothing=True,
    ),
    Scenario(
        name="a wrong certificate",
        checks=("tls-verified",),
        run=tls_verified,
        expects_nothing=True,
        last=True,
    ),
)

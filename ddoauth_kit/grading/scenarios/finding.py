"""A scenario's result for a check; the requirement's text is added later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.results import Verdict
from ddoauth_kit.grading.sandbox_control import journal_lines
from ddoauth_kit.masking.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ddoauth_kit.grading.bench import Bench
    from ddoauth_kit.grading.customer import SeenPage
    from ddoauth_kit.grading.journey import Arrival
    from ddoauth_kit.grading.sandbox_control import SandboxEvent

SERVER_ERROR: Final = 500
_EXCERPT: Final = 300
_LONGEST_SECRET: Final = 8192
_TRACES: Final = (
    "Traceback (most recent call last)",
    "\n    at ",
    "&nbsp; &nbsp;at ",
    "Stack trace:",
    "goroutine 1 [",
    "java.lang.",
    "werkzeug",
)
_ORDER: Final = (Verdict.NOT_TESTED, Verdict.NOT_SEEN, Verdict.MET, Verdict.RISK, Verdict.BROKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A verdict with the expectation, the observation and the evidence."""

    id: str
    verdict: Verdict
    expected: str
    actual: str
    evidence: tuple[str, ...] = ()
    excerpt: str = ""
    reason: str = ""
    site: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario: the checks that it gives verdicts for, and the function that runs it.

    `alone` is false if the scenario's organization identifies its requests, so that it can run
    alongside others. `expects_nothing` marks a scenario that passes if no request arrives, which
    counts only between two successful connections. `last` marks a scenario that blocks or restarts
    the server. `needs` names tables in the settings (`a|b` means either), or `durable`.
    """

    name: str
    checks: tuple[str, ...]
    run: Callable[[Bench], list[Finding]]
    connects: int = 1
    alone: bool = True
    expects_nothing: bool = False
    last: bool = False
    needs: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """Return the scenario's module; one successful connection is made between modules."""
        return self.run.__module__


class Check:
    """Creates findings for one check, given its id and what a correct server does."""

    def __init__(self, id: str, expected: str, *, site: str = "") -> None:  # noqa: A002 - its name
        self.id = id
        self._expected = expected
        self._site = site

    def met(self, actual: str, *, events: Iterable[SandboxEvent] = (), reason: str = "") -> Finding:
        """Report that the server did what the requirement demands."""
        return self._made(Verdict.MET, actual, events=events, reason=reason)

    def risk(
        self,
        actual: str,
        *,
        events: Iterable[SandboxEvent] = (),
        page: SeenPage | None = None,
        reason: str = "",
    ) -> Finding:
        """Report that the server behaved differently without necessarily breaking the rule."""
        return self._made(Verdict.RISK, actual, events=events, page=page, reason=reason)

    def broken(
        self,
        actual: str,
        *,
        events: Iterable[SandboxEvent] = (),
        page: SeenPage | None = None,
        reason: str = "",
    ) -> Finding:
        """Report that the server broke a rule that it must follow."""
        return self._made(Verdict.BROKEN, actual, events=events, page=page, reason=reason)

    def not_seen(self, reason: str) -> Finding:
        """Report that the scenario ran but the behaviour did not occur."""
        return self._made(Verdict.NOT_SEEN, "Nothing to grade.", reason=reason)

    def not_tested(self, reason: str) -> Finding:
        """Report that the scenario did not run."""
        return self._made(Verdict.NOT_TESTED, "Not tried.", reason=reason)

    def _made(
        self,
        verdict: Verdict,
        actual: str,
        *,
        events: Iterable[SandboxEvent] = (),
        page: SeenPage | None = None,
        reason: str = "",
    ) -> Finding:
        return Finding(
            id=self.id,
            verdict=verdict,
            expected=self._expected,
            actual=actual,
            evidence=journal_lines(events),
            excerpt="" if page is None else excerpt(page),
            reason=reason,
            site=self._site,
        )


def excerpt(page: SeenPage) -> str:
    """Return the status and the first words of a page, masked."""
    words = page.html.text or page.body
    # Cutting text before masking could leave half of a secret.
    said = f"{page.status or page.failure} {words}"
    return redact(said[: _EXCERPT + _LONGEST_SECRET])[:_EXCERPT]


def crash_of(arrival: Arrival) -> str:
    """Describe how a page shows a crash, or return an empty string for a readable page.

    A status from 502 to 504 honestly reports a failure at Datadog.
    """
    page = arrival.page
    if not arrival.alive:
        return "the server's process ended"
    if page.failure:
        return {
            "timeout": "no page arrived in time",
            "circle": "the server redirects in a loop",
        }.get(page.failure, "the server closed the connection")
    if page.status == SERVER_ERROR:
        return "the page is a 500"
    if any(mark in page.body for mark in _TRACES):
        return "the page shows a stack trace"
    return ""


def failed_well(check: Check, arrival: Arrival, *, what: str) -> Finding:
    """Judge the page after a failure: it must be readable, not a crash or the connected page."""
    if not arrival.alive:
        text = f"The server's process ended after {what}."
        return check.broken(text, events=arrival.events, page=arrival.page)
    if arrival.connected:
        text = f"The server counts {what} as connected."
        return check.broken(text, events=arrival.events, page=arrival.page)
    if arrival.page.failure == "circle":
        text = f"The server redirects in a loop after {what}."
        return check.broken(text, events=arrival.events, page=arrival.page)
    if arrival.listed:
        text = f"After {what} the server lists the organization as connected."
        return check.broken(text, events=arrival.events, page=arrival.page)
    crash = crash_of(arrival)
    if crash:
        return check.risk(f"After {what} {crash}.", events=arrival.events, page=arrival.page)
    return _says_so(check, arrival, what=what)


def _says_so(check: Check, arrival: Arrival, *, what: str) -> Finding:
    """Look for the words that [pages] expects; if it expects none, any page passes."""
    word = arrival.words.get(check.id, "")
    if word and word not in arrival.page.html.text and word not in arrival.page.body:
        text = f"After {what} the page does not say {word!r}."
        return check.risk(text, events=arrival.events, page=arrival.page)
    return check.met(f"After {what} the page is a {arrival.page.status}.", events=arrival.events)


def worst_of(findings: Iterable[Finding]) -> Finding:
    """Return the finding with the worst verdict; if there are several, the first one."""
    return max(findings, key=lambda each: _ORDER.index(each.verdict))

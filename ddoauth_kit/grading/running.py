"""Run the scenarios; "no request" counts as a result only between two successful connections."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.front.front_error import FrontError
from ddoauth_kit.grading.journey import Journey
from ddoauth_kit.grading.results import Verdict
from ddoauth_kit.grading.scenarios import whole_run
from ddoauth_kit.grading.scenarios.all import SCENARIOS
from ddoauth_kit.grading.scenarios.finding import Check, Finding, worst_of
from ddoauth_kit.grading.settings import SettingsError
from ddoauth_kit.grading.subject import FlowNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from ddoauth_kit.grading.bench import Bench
    from ddoauth_kit.grading.scenarios.finding import Scenario

_BESIDE: Final = 4
_BINDING: Final = ("state-checked", "state-required", "browser-bound")
_UNSURE: Final = frozenset({Verdict.MET})
_WRONG: Final = frozenset({Verdict.RISK, Verdict.BROKEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """Findings waiting for the next successful connection, and organizations to check then."""

    findings: tuple[Finding, ...]
    orgs: tuple[str, ...]
    ended: int
    start: int


@dataclass(kw_only=True)
class Running:
    """Runs the chosen scenarios on one bench; `say` reports progress.

    `dead` gives the reason if nothing more can run; otherwise it is empty.
    """

    bench: Bench
    wanted: Collection[str]
    say: Callable[[str], None]
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dead: str = ""
    _pending: list[_Pending] = field(default_factory=list)
    _confirmed: list[_Pending] = field(default_factory=list)

    def chosen(self) -> tuple[Scenario, ...]:
        """Return the scenarios that give a result for at least one of the requested checks."""
        return tuple(each for each in SCENARIOS if {*each.checks} & {*self.wanted})

    def connects_ahead(self) -> int:
        """Estimate how many connections the chosen scenarios will make."""
        able = [each for each in self.chosen() if not self._missing(each)]
        return sum(each.connects for each in able) + 2

    def run(self, *, first: Iterable[Finding]) -> list[Finding]:
        """Run all scenarios; `first` contains the findings from the first connection."""
        judged = tuple(first)
        self._keep(judged)
        done = {finding.id for finding in judged}
        left = [each for each in self.chosen() if not {*each.checks} <= done]
        runnable = [each for each in left if self._can_run(each)]
        alone = [each for each in runnable if each.alone and not each.last]
        family = ""
        for scenario in alone:
            if family and scenario.family != family:
                self._confirm()
            family = scenario.family
            self._one(scenario)
        self._confirm()
        self._beside([each for each in runnable if not each.alone and not each.last])
        for scenario in (each for each in runnable if each.last):
            self._one(scenario)
            self._confirm()
        self._look_for_late()
        self._keep(self._of_whole_run())
        self._weigh_state()
        return self.findings

    def _weigh_state(self) -> None:
        """Turn a bad state from *risk* into *broken* if nothing else binds the browser."""
        by_id = {finding.id: finding for finding in self.findings}
        unbound = [name for name in _BINDING if name in by_id]
        unbound = [name for name in unbound if by_id[name].verdict is Verdict.BROKEN]
        state = by_id.get("state-sent")
        if state is None or state.verdict is not Verdict.RISK or not unbound:
            return
        why = f"Nothing else binds the redirect to the browser: see {unbound[0]}."
        self._keep([replace(state, verdict=Verdict.BROKEN, reason=why)])

    def _can_run(self, scenario: Scenario) -> bool:
        missing = self._missing(scenario)
        if missing:
            reason = f"[{missing}] is missing from the settings."
            self._keep(_untried(scenario, reason))
        return not missing

    def _missing(self, scenario: Scenario) -> str:
        """Return the first table that this scenario needs but the settings lack."""
        given = {*self.bench.acts}
        given |= {"login"} if self.bench.login is not None else set()
        given |= {"durable"} if self.bench.durable else set()
        for need in scenario.needs:
            names = need.split("|")
            if not {*names} & given:
                return names[0]
        return ""

    def _one(self, scenario: Scenario) -> None:
        if self.dead:
            self._keep(_untried(scenario, self.dead))
            return
        orgs_before, start = len(self.bench.org_ids), self.bench.subject.starts
        found = self._tried(scenario)
        if not self.bench.subject.alive:
            found = self._after_death(scenario, found)
        if scenario.expects_nothing and self.bench.subject.starts == start:
            waiting = [each for each in found if each.verdict in _UNSURE]
            self._keep(each for each in found if each.verdict not in _UNSURE)
            self._pending.append(
                _Pending(
                    findings=tuple(waiting),
                    orgs=tuple(self.bench.org_ids[orgs_before:]),
                    ended=self.bench.control.last(),
                    start=start,
                )
            )
            return
        self._keep(found)

    def _tried(self, scenario: Scenario) -> list[Finding]:
        self.say(f"  {scenario.name}")
        try:
            return scenario.run(self.bench)
        except FlowNotFoundError as error:
            return _untried(scenario, error.line)
        except FrontError as error:
            return _untried(scenario, str(error))

    def _after_death(self, scenario: Scenario, found: list[Finding]) -> list[Finding]:
        """Restart the process if it exited during a scenario, and mark the scenario as *broken*."""
        self._give_up_pending(
            "The server's process ended before a successful connection could follow."
        )
        dead = Check(scenario.checks[0], "The server keeps running.")
        text = f"The server's process ended in this scenario: {scenario.name}."
        named = [each for each in found if each.verdict is not Verdict.BROKEN]
        broken = [each for each in found if each.verdict is Verdict.BROKEN]
        self._restart()
        if broken:
            return found
        return [dead.broken(text), *(each for each in named if each.id != scenario.checks[0])]

    def _restart(self) -> None:
        if self.bench.subject.by_hand:
            self.dead = "The server was started by hand and had already ended."
            return
        try:
            self.bench.subject.restart()
        except (SettingsError, FrontError) as error:
            self.dead = f"The server ended and could not be started again: {error}"

    def _confirm(self) -> None:
        """Make a successful connection, which confirms the findings before it."""
        if not self._pending or self.dead:
            return
        try:
            arrival = Journey(self.bench).connect()
            good = arrival.issued and arrival.connected
            self.bench.keep_pace(arrival.page.seconds if good else 0)
            why = "A connection failed after this scenario."
        except FlowNotFoundError as error:
            good, why = False, f"A connection failed after this scenario. {error.line}"
        if not good:
            self._give_up_pending(why)
            self._restart()
            return
        for pending in self._pending:
            if pending.start == self.bench.subject.starts:
                self._keep(pending.findings)
                self._confirmed.append(pending)
            else:
                self._untrusted(
                    pending, "The process was restarted before a successful connection."
                )
        self._pending.clear()

    def _give_up_pending(self, reason: str) -> None:
        for pending in self._pending:
            self._untrusted(pending, reason)
        self._pending.clear()

    def _untrusted(self, pending: _Pending, reason: str) -> None:
        self._keep(
            replace(each, verdict=Verdict.NOT_TESTED, actual="Not counted.", reason=reason)
            for each in pending.findings
        )

    def _beside(self, scenarios: list[Scenario]) -> None:
        """Run scenarios side by side, and tell their requests apart by organization.

        Only *met* results count. All other scenarios run again on their own, because a busy machine
        may have been too slow to run everything at once.
        """
        if len(scenarios) == 1:
            self._one(scenarios[0])
        if len(scenarios) <= 1:
            return
        if self.dead:
            for scenario in scenarios:
                self._keep(_untried(scenario, self.dead))
            return
        again = []
        self.bench.beside = True
        try:
            with ThreadPoolExecutor(_BESIDE) as pool:
                for scenario, found in zip(
                    scenarios, pool.map(self._tried, scenarios), strict=True
                ):
                    if any(each.verdict is not Verdict.MET for each in found):
                        again.append(scenario)
                    else:
                        self._keep(found)
        finally:
            self.bench.beside = False
        if not self.bench.subject.alive:
            names = ", ".join(each.name for each in scenarios)
            self.notes.append(f"The server's process ended in one of these scenarios: {names}.")
            self._restart()
        for scenario in again:
            self._one(scenario)

    def _look_for_late(self) -> None:
        """Look once for exchanges that arrived after their scenario's page was shown."""
        if not self._confirmed:
            return
        events = self.bench.control.events(after=min(each.ended for each in self._confirmed))
        for pending in self._confirmed:
            late = [
                event
                for event in events
                if event.is_exchange
                and event.succeeded
                and event.org in pending.orgs
                and event.number > pending.ended
            ]
            for finding in pending.findings if late else ():
                text = "The server exchanged the code after it had sent its page."
                self._keep([Check(finding.id, finding.expected).broken(text, events=late)])

    def after_failure(self, found: Iterable[Finding]) -> list[Finding]:
        """Store the findings of a failed connection, but only mistakes from the whole run."""
        self._keep(found)
        self._keep(each for each in self._of_whole_run() if each.verdict in _WRONG)
        return self.findings

    def _of_whole_run(self) -> list[Finding]:
        names = [name for name in whole_run.CHECKS if name in self.wanted]
        events = self.bench.control.events() if names else ()
        return [whole_run.CHECKS[name](self.bench, events) for name in names]

    def _keep(self, found: Iterable[Finding]) -> None:
        """Add the findings for the requested checks; if a check has two, the worse one counts."""
        for finding in found:
            if finding.id not in self.wanted:
                continue
            before = next((each for each in self.findings if each.id == finding.id), None)
            if before is not None:
                self.findings.remove(before)
                finding = worst_of((before, finding))  # noqa: PLW2901 - the one that stays
            self.findings.append(finding)


def _untried(scenario: Scenario, reason: str) -> list[Finding]:
    return [Check(name, "").not_tested(reason) for name in scenario.checks]

"""Look for evidence of each requirement in transcripts, probe results and check reports."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ddoauth_kit.exchange import Purpose
from ddoauth_kit.grading.reports.comparison import read_headline
from ddoauth_kit.grading.results import Grade
from ddoauth_kit.probing.verdict import MEANINGS, Verdict
from ddoauth_kit.publishing.hosts import is_for_tests, is_loopback
from ddoauth_kit.publishing.rules import Severity
from ddoauth_kit.registration import Kind
from ddoauth_kit.workbook.lab.backend import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ddoauth_kit.grading.results import GradeReport
    from ddoauth_kit.probing.probe_report import ProbeReport
    from ddoauth_kit.probing.verdict import ProbeResult
    from ddoauth_kit.publishing.folder_check import Report
    from ddoauth_kit.registration import ClientRegistration
    from ddoauth_kit.workbook.lab.lab import Lab

_SUCCESS: Final = range(200, 300)


class Ready(StrEnum):
    """The degree to which a requirement is met.

    `by hand` means that no program can check it, so a person checks it and states the result.
    """

    YES = "yes"
    NO = "no"
    NOT_SEEN = "not seen"
    BY_HAND = "by hand"


_GRADES: Final = {
    Grade.MET: (Ready.YES, ""),
    Grade.RISK: (Ready.BY_HAND, "Read each risk in the report, and say why you accept it."),
    Grade.INCOMPLETE: (Ready.NOT_SEEN, "Add the settings that the report names, and grade again."),
    Grade.BROKEN: (Ready.NO, "Fix everything that the report calls broken, and grade again."),
}


@dataclass(frozen=True, slots=True)
class ReadinessEntry:
    """One requirement: whether, where, why and when (ISO 8601, UTC) it is met, and the fix."""

    requirement: str
    ready: Ready
    sites: tuple[str, ...]
    evidence: str
    when: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The exchanges that prove a requirement; it applies only with the scope `needs`."""

    requirement: str
    purposes: tuple[Purpose, ...]
    fix: str
    needs: str = ""


_KEY: Final = "api_keys_write"
_STEPS: Final = (
    _Seen("authorized", (Purpose.EXCHANGE,), "Authorize: `lab.connect()`."),
    _Seen("API key created", (Purpose.KEY_CREATION,), "Create it: `lab.api_key(tokens)`.", _KEY),
    _Seen(
        "data sent",
        (
            Purpose.METRIC,
            Purpose.LOG,
            Purpose.EVENT,
            Purpose.SERVICE_CHECK,
        ),
        "Send a sample: `lab.send_data(api_key)`.",
        _KEY,
    ),
    _Seen("refreshed", (Purpose.REFRESH,), "Refresh: `lab.refresh(tokens)`."),
    _Seen(
        "revoked",
        (Purpose.REFRESH_REVOCATION, Purpose.ACCESS_REVOCATION),
        "End a grant: `lab.revoke(tokens)`.",
    ),
)
TEST_AUTHORIZATION: Final = "test authorization"
OTHER_ORGANIZATION: Final = "other organization"
_FLOWS: Final = {
    Verdict.CONFIRMED: Ready.YES,
    Verdict.LET_THROUGH: Ready.YES,
    Verdict.REFUSED: Ready.NO,
    Verdict.FAILED: Ready.NO,
    Verdict.NOT_TRIED: Ready.NOT_SEEN,
    Verdict.RATE_LIMITED: Ready.NOT_SEEN,
}
_BY_HAND: Final = "Do it by hand, and write down what you saw."


def all_entries(
    labs: Sequence[Lab],
    *,
    probes: ProbeReport | None,
    check: Report | None,
    grade: GradeReport | Path | None,
    stated: Mapping[str, str],
) -> tuple[ReadinessEntry, ...]:
    """Return an entry for each requirement, in the order of the steps; texts are not yet masked."""
    lab = labs[0]
    when = lab.oauth.clock().isoformat(timespec="seconds")
    found = (
        _real(lab, when),
        *_steps(labs, when),
        *_data_flow(lab, probes, when),
        *_registered(lab, when),
        _folder(check, when),
        *_server(grade, when),
        *_by_hand(lab, when),
    )
    return tuple(_stated(entry, stated) for entry in found)


def _real(lab: Lab, when: str) -> ReadinessEntry:
    live = lab.backend.mode is Mode.LIVE
    return ReadinessEntry(
        "evidence from Datadog",
        Ready.YES if live else Ready.NO,
        (lab.site.name,),
        f"this workbook talks to {lab.backend.talks_to}",
        when,
        ""
        if live
        else "Run the lesson with MODE = 'live', because a sandbox proves nothing about Datadog.",
    )


def _steps(labs: Sequence[Lab], when: str) -> Iterator[ReadinessEntry]:
    scopes = labs[0].registration.scopes
    for step in _STEPS:
        if step.needs and step.needs not in scopes:
            continue
        seen = _sites_where(labs, step.purposes)
        yield ReadinessEntry(
            step.requirement,
            Ready.YES if seen else Ready.NOT_SEEN,
            tuple(seen),
            _answers(seen) if seen else "no such request in this workbook",
            when,
            "" if seen else step.fix,
        )


def _sites_where(labs: Sequence[Lab], purposes: tuple[Purpose, ...]) -> dict[str, set[str]]:
    """Return each site's successful exchanges with these purposes."""
    found: dict[str, set[str]] = {}
    client_id = labs[0].registration.client_id
    for lab in labs:
        for exchange in lab.transcript:
            facts = exchange.facts
            counts = exchange.status in _SUCCESS and facts.client_id in {"", client_id}
            if exchange.purpose in purposes and counts:
                evidence = f"{exchange.method} {facts.path}: {exchange.status}"
                found.setdefault(facts.site, set()).add(evidence)
    order = labs[0].oauth.sites.names
    return {site: found[site] for site in order if site in found}


def _answers(seen: Mapping[str, set[str]]) -> str:
    return "; ".join(sorted(set().union(*seen.values())))


def _data_flow(lab: Lab, probes: ProbeReport | None, when: str) -> Iterator[ReadinessEntry]:
    """Yield one entry for each scope and verdict; sites with the same verdict share an entry."""
    results = probes.results if probes else ()
    for scope in lab.registration.scopes:
        requirement = f"data flow for {scope}"
        of_scope = [result for result in results if result.scope == scope]
        if not of_scope:
            fix = f'Probe it: `lab.scopes.probe("{scope}")`.'
            yield ReadinessEntry(requirement, Ready.NOT_SEEN, (), "not probed", when, fix)
        for verdict in dict.fromkeys(result.verdict for result in of_scope):
            alike = [result for result in of_scope if result.verdict is verdict]
            yield _flow(requirement, alike, when)


def _flow(requirement: str, alike: list[ProbeResult], when: str) -> ReadinessEntry:
    first = alike[0]
    ready = _FLOWS.get(first.verdict, Ready.BY_HAND)
    call = f"{first.method} {first.path}: {first.status}" if first.status else ""
    fix = {Ready.YES: "", Ready.BY_HAND: _BY_HAND}.get(ready, "Look at the probe's evidence.")
    word = str(first.verdict).replace("_", " ")
    evidence = f"{word}; {call or MEANINGS[first.verdict]}"
    return ReadinessEntry(requirement, ready, tuple(r.site for r in alike), evidence, when, fix)


def _registered(lab: Lab, when: str) -> Iterator[ReadinessEntry]:
    yield public_addresses(lab.registration, when)
    published = lab.registration.kind is Kind.PUBLISHED
    yield ReadinessEntry(
        "published client",
        Ready.YES if published else Ready.NOT_SEEN,
        (),
        f"the client in use is {lab.registration.kind}",
        when,
        "" if published else "After the submission, run this with the published client.",
    )


def public_addresses(client: ClientRegistration, when: str) -> ReadinessEntry:
    """Return whether a reviewer can reach the redirect URIs and the onboarding URL.

    A host whose name looks like a test is `by hand`, because published clients have such names.
    """
    named = [url for url in (*client.redirect_uris, client.onboarding_url) if url]
    bad = [url for url in named if not _is_public(url)]
    doubtful = [url for url in named if url not in bad and is_for_tests(_host(url))]
    kinds = {"not public": bad, "perhaps for tests": doubtful}
    seen = "; ".join(f"{kind}: {', '.join(urls)}" for kind, urls in kinds.items() if urls)
    doubt = Ready.BY_HAND if doubtful else Ready.YES
    return ReadinessEntry(
        "public addresses",
        doubt if client.redirect_uris and not bad else Ready.NO,
        (),
        seen or f"{len(named)} with https",
        when,
        "Remove test addresses before you submit." if seen else "",
    )


def _is_public(url: str) -> bool:
    return urlsplit(url).scheme == "https" and not is_loopback(_host(url))


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _folder(check: Report | None, when: str) -> ReadinessEntry:
    name = "folder checked"
    if check is None:
        fix = "Run `ddoauth check PATH`; for a listing, pass the content of its fields as `stated`."
        return ReadinessEntry(name, Ready.NOT_SEEN, (), "not checked", when, fix)
    counts = ", ".join(f"{check.count(severity)} {severity}" for severity in Severity)
    ready = Ready.YES if check.passed else Ready.NO
    fix = "" if check.passed else "Fix every must; the patch fixes some of them."
    return ReadinessEntry(name, ready, (), counts, when, fix)


def _server(grade: GradeReport | Path | None, when: str) -> Iterator[ReadinessEntry]:
    """Yield the result of grading the integration's own server, if there is one."""
    if grade is None:
        return
    found = read_headline(grade) if isinstance(grade, Path) else (grade.grade, grade.headline)
    ready, fix = _GRADES[found[0]]
    yield ReadinessEntry("own server graded", ready, (), found[1], when, fix)


def _by_hand(lab: Lab, when: str) -> Iterator[ReadinessEntry]:
    for requirement, fix in (
        (
            TEST_AUTHORIZATION,
            "Click Test Authorization in the Developer Platform, and pass the result as `stated`.",
        ),
        (
            OTHER_ORGANIZATION,
            "Authorize the published client in another organization; pass the result as `stated`.",
        ),
    ):
        site = (lab.site.name,)
        yield ReadinessEntry(requirement, Ready.BY_HAND, site, "no program can see this", when, fix)


def _stated(entry: ReadinessEntry, stated: Mapping[str, str]) -> ReadinessEntry:
    """Add a person's statements where a program can't check; they never override evidence."""
    words = stated.get(entry.requirement, "").strip()
    if not words or entry.ready not in {Ready.BY_HAND, Ready.NOT_SEEN}:
        return entry
    return replace(entry, ready=Ready.YES, evidence=f"stated by a person: {words}", fix="")

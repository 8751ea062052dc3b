"""The command `ddoauth probe`: print a row with evidence for each site and scope."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Final, NoReturn

from ddoauth_kit.commands.known_values import scopes, sites_or_all
from ddoauth_kit.commands.parser import listed
from ddoauth_kit.commands.terminal import (
    FOUND,
    INTERRUPTED,
    SUCCESS,
    checked_client,
    chosen_scopes,
    chosen_sites,
    document,
    say,
    say_if_settings_rest,
)
from ddoauth_kit.doctor.reachability import require_answer
from ddoauth_kit.errors import InputError
from ddoauth_kit.oauth.grant import kept_grants
from ddoauth_kit.printable import counted
from ddoauth_kit.probing.probe import Writes
from ddoauth_kit.probing.verdict import MEANINGS, PROBLEMS, Verdict
from ddoauth_kit.scopes import known_scopes
from ddoauth_kit.sites import DATADOG_SITES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ddoauth_kit.commands.parser import Parser
    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
    from ddoauth_kit.probing.probe_report import ProbeReport
    from ddoauth_kit.probing.verdict import ProbeResult
    from ddoauth_kit.store import Slot
    from ddoauth_kit.workbook.lab.lab import Lab
    from ddoauth_kit.workbook.verdicts import ProbeTables
    from ddoauth_kit.workbook.verdicts.unconfirmed import Unconfirmed

# The meaning of these, in the legend, is reason enough.
_SAID: Final = {Verdict.CONFIRMED, Verdict.LET_THROUGH, Verdict.NO_OPERATION}
_LACKING: Final = {*PROBLEMS, Verdict.NOT_TRIED}
_MOST_REASONS: Final = 8
_MOST_SCOPES: Final = 6
_WIDTH: Final = 60
EXAMPLES: Final = (
    "ddoauth probe --scope metrics_read monitors_read",
    "ddoauth probe --site all --client assets/oauth_clients.json",
    "ddoauth probe --site eu1 --mode live --format json",
)


def configure(probe: Parser) -> None:
    """Describe the command and add its options."""
    probe.describe(
        "Test each scope with the safest call, and report what the answer proves. Exit 1 if a "
        "scope was refused or failed, or if a token is not valid. --mode live uses the grant that "
        "`ddoauth login` stored, at Datadog, or at the sandbox whose address is in "
        "DDOAUTH_SANDBOX. --mode sandbox needs no login: it starts its own sandbox.",
        examples=EXAMPLES,
        more=listed("verdicts", {str(v).replace("_", " "): MEANINGS[v] for v in Verdict}),
    )
    probe.set_defaults(command=run_probe)
    probe.add_argument(
        "--site",
        action="append",
        metavar="SITE",
        help=f"one of {', '.join(DATADOG_SITES.names)}, or all; may be repeated (us1)",
        values=sites_or_all,
    )
    probe.add_argument(
        "--scope",
        action="extend",
        nargs="+",
        default=[],
        metavar="NAME",
        help="scopes to test, separated by spaces or commas (all of the client's scopes; in the "
        "sandbox, all in the catalogue)",
        values=scopes,
    )
    probe.add_argument("--client", metavar="FILE", help="an integration's oauth_clients.json")
    probe.add_argument(
        "--mode",
        choices=["sandbox", "live"],
        default="sandbox",
        help="live uses your client and its stored grant; sandbox uses a demo client (sandbox)",
    )
    probe.add_argument(
        "--writes",
        choices=[str(each) for each in Writes],
        help="none only reads; harmless sends writes that can't change anything; round-trip "
        "creates, changes and deletes its own objects (harmless in the sandbox, none in live "
        "mode)",
    )
    probe.add_argument(
        "--format", choices=["table", "json", "csv"], default="table", help="how to print (table)"
    )


def run_probe(options: argparse.Namespace) -> int:
    """Probe and print the results."""
    from ddoauth_kit.workbook.lab.open_lab import open_lab

    sites = chosen_sites(options.site or ["us1"])
    scopes = chosen_scopes(options.scope)
    client = checked_client(options.client)
    logins = _Logins()
    may_write = options.writes not in {None, str(Writes.NONE)}
    with open_lab(
        sites[0],
        mode=options.mode,
        client=client,
        writes=may_write,
        every_scope=True,
        person=logins.refuse,
    ) as lab:
        say_if_settings_rest(options.mode)
        if options.mode == "live":
            logins.begin(lab)
        tables = lab.scopes.probe(*scopes, sites=sites, writes=options.writes or "")
    if len(logins.missing) == len(sites):
        raise logins.missing[sites[0]]
    report = tables.report
    document(_written(tables, how=options.format))
    for result in _unknown(report):
        say(f"warning: {result.evidence}")
    reasons = {result.evidence for result in report.results if options.format == "table"}
    dead = {each.site: each.evidence for each in report.baselines if not each.alive}
    untold = {s: e for s, e in dead.items() if s not in logins.missing and e not in reasons}
    for where, text in _together(untold).items():
        say(f"{', '.join(where)}: {text}")
    for line in logins.next_steps(report):
        say(line)
    if not report.complete:
        say("interrupted; the results so far are above")
        return INTERRUPTED
    return SUCCESS if report.is_good else FOUND


class _Logins:
    """Refuse to authorize: `ddoauth login` does that, and says where the grant is stored."""

    def __init__(self) -> None:
        self.stored: frozenset[Slot] = frozenset()
        self.missing: dict[str, InputError] = {}
        self.lab: Lab | None = None

    def begin(self, lab: Lab) -> None:
        """Note what is stored, and name what the lab talks to; a sandbox has to respond."""
        self.lab, self.stored = lab, frozenset(lab.store.slots())
        say(f"Probing with {lab.backend.talks_to}.")
        if lab.site.endpoints:
            require_answer(lab.oauth.http, lab.site)

    def refuse(self, request: AuthorizationRequest) -> NoReturn:
        """Say that a login is missing, and whether a stored grant has just been refused."""
        site = request.site.name
        left = frozenset(self.lab.store.slots() if self.lab else ())
        refused = any(slot.site == site for slot in self.stored - left)
        what = f"{site} refused the stored grant" if refused else f"No grant is stored for {site}"
        self.missing[site] = InputError(
            "not_logged_in", f"{what}, and it has been deleted." if refused else f"{what}."
        )
        raise self.missing[site]

    def next_steps(self, report: ProbeReport) -> Iterator[str]:
        """Say what to type if a login is missing or was for fewer scopes."""
        if self.lab is None:
            return
        for where, text in _together({s: e.what for s, e in self.missing.items()}).items():
            others = ", and the same for the other sites" if len(where) > 1 else ""
            yield f"{', '.join(where)}: {text} Next: ddoauth login --site {where[0]}{others}"
        alive = [each.site for each in report.baselines if each.alive]
        for site in alive:
            granted = _granted(self.lab.on(site))
            lacking = [
                r.scope
                for r in report.results
                if r.site == site and r.scope not in granted and r.verdict in _LACKING
            ]
            if granted and lacking:
                yield (
                    f"{site}: the grant is for {counted(len(granted), 'scope')}, without "
                    f"{' '.join(lacking)}. Next: ddoauth login --site {site} --scope "
                    f"{' '.join((*granted, *lacking))}"
                )


def _granted(lab: Lab) -> tuple[str, ...]:
    """Return the scopes of the newest stored grant, or none."""
    grants = kept_grants(lab.oauth, store=lab.store, site=lab.site.name)
    kept = [tokens for tokens in (grant.kept() for grant in grants) if tokens]
    if not kept:
        return ()
    return max(kept, key=lambda tokens: tokens.expires_at).scopes.granted


def _written(tables: ProbeTables, *, how: str) -> str:
    from ddoauth_kit.workbook.verdicts import as_csv, as_json

    if how == "table":
        return "\n".join([tables.matrix.text(width=_room()), *_reasons(tables)])
    return (as_json if how == "json" else as_csv)(tables.report).rstrip("\r\n")


def _room() -> int:
    """Return the terminal's width in characters; 0 means that a file or pipe sets no limit."""
    if sys.stdout is None or not sys.stdout.isatty():
        return 0
    return max(shutil.get_terminal_size().columns, _WIDTH)


def _reasons(tables: ProbeTables) -> list[str]:
    """Return lines that say why verdicts are not what one would hope for, with each reason once."""
    from ddoauth_kit.workbook.verdicts.unconfirmed import findings
    from ddoauth_kit.workbook.verdicts.words_and_colours import MARKS

    found = [f for f in findings(tables.report.results) if f.verdict not in _SAID]
    shown = _alike(found, order=list(tables.matrix.sites))
    lines = ["", "Why"] if found else []
    for (verdict, where, text), named in [*shown.items()][:_MOST_REASONS]:
        places = "" if set(where) == set(tables.matrix.sites) else f" on {', '.join(where)}"
        lines += textwrap.wrap(
            f"{_named(named)}{places}: {text}",
            _WIDTH,
            initial_indent=f"{MARKS[verdict].short:<6}",
            subsequent_indent=" " * 6,
            break_on_hyphens=False,
        )
    left = len(shown) - _MOST_REASONS
    return [*lines, f"      and {left} more: --format json"] if left > 0 else lines


def _alike(
    found: Iterable[Unconfirmed], *, order: Sequence[str]
) -> dict[tuple[Verdict, tuple[str, ...], str], list[str]]:
    """Return the scopes that share a verdict, its sites and its reason; the worst come first."""
    texts: dict[tuple[Verdict, str], dict[str, str]] = {}
    for finding in found:
        for site in finding.sites:
            texts.setdefault((finding.verdict, finding.scope), {})[site] = finding.said
    alike: dict[tuple[Verdict, tuple[str, ...], str], list[str]] = {}
    for (verdict, scope), said in texts.items():
        in_order = {site: said[site] for site in sorted(said, key=order.index)}
        for where, text in _together(in_order).items():
            alike.setdefault((verdict, where, text), []).append(scope)
    return alike


def _named(scopes: list[str]) -> str:
    left = len(scopes) - _MOST_SCOPES
    return ", ".join(scopes[:_MOST_SCOPES]) + (f" and {left} more" if left > 0 else "")


def _together(texts: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Return each text once, with the sites to which it applies, even if it names its own site."""
    alike: dict[str, list[str]] = {}
    for site, text in texts.items():
        alike.setdefault(_without(site, text), []).append(site)
    return {
        tuple(sites): texts[sites[0]] if len(sites) == 1 else general
        for general, sites in alike.items()
    }


def _without(site: str, text: str) -> str:
    """Reword a text about one site so that it applies to several."""
    return re.sub(rf"(?<![\w.-]){re.escape(site)}(?![\w-])", "these sites", text)


def _unknown(report: ProbeReport) -> tuple[ProbeResult, ...]:
    """Return one result for each unknown scope; it says nothing about the scope itself."""
    first = {result.scope: result for result in reversed(report.results)}
    return tuple(result for scope, result in first.items() if scope not in known_scopes())

"""The command `ddoauth probe`: print a row with evidence for each site and scope."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.terminal import (
    FOUND,
    INTERRUPTED,
    SUCCESS,
    checked_client,
    chosen_sites,
    document,
    say,
)
from ddoauth_kit.errors import InputError
from ddoauth_kit.probing.probe import Writes
from ddoauth_kit.probing.probe_report import unknown_results
from ddoauth_kit.probing.verdict import Verdict
from ddoauth_kit.scopes import known_scopes, unknown_scope
from ddoauth_kit.sites import DATADOG_SITES, SiteTable

if TYPE_CHECKING:
    import argparse

    from ddoauth_kit.commands.parser import Parser
    from ddoauth_kit.workbook.verdicts import ProbeTables

# The meaning of these, in the legend, is reason enough.
_SAID: Final = {Verdict.CONFIRMED, Verdict.LET_THROUGH, Verdict.NO_OPERATION}
_MOST_REASONS: Final = 8
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
        "scope was refused or failed, or if a token is not valid.",
        examples=EXAMPLES,
    )
    probe.set_defaults(command=run_probe)
    probe.add_argument(
        "--site",
        action="append",
        metavar="SITE",
        help=f"one of {', '.join(DATADOG_SITES.names)}, or all; may be repeated (us1)",
    )
    probe.add_argument(
        "--scope",
        action="extend",
        nargs="+",
        default=[],
        metavar="NAME",
        help="scopes to test, separated by spaces or commas (all of the client's scopes; in the "
        "sandbox, all of the catalogue)",
    )
    probe.add_argument("--client", metavar="FILE", help="an integration's oauth_clients.json")
    probe.add_argument(
        "--mode",
        choices=["sandbox", "live"],
        default="sandbox",
        help="live is real Datadog, with the client in the environment (sandbox)",
    )
    probe.add_argument(
        "--writes",
        choices=[str(each) for each in Writes],
        help="none only reads; harmless sends writes that can't change anything; round-trip "
        "creates, changes and deletes its own objects (harmless in the sandbox, none live)",
    )
    probe.add_argument(
        "--format", choices=["table", "json", "csv"], default="table", help="how to print (table)"
    )


def run_probe(options: argparse.Namespace) -> int:
    """Probe and print the results."""
    from ddoauth_kit.workbook.lab.open_lab import open_lab

    sites = chosen_sites(options.site or ["us1"])
    scopes = _scopes(options.scope)
    client = checked_client(options.client)
    may_write = options.writes not in {None, str(Writes.NONE)}
    with open_lab(
        sites[0],
        mode=options.mode,
        client=client,
        writes=may_write,
        every_scope=True,
        sites=_table(sites[0], options.mode, client),
    ) as lab:
        tables = lab.scopes.probe(*scopes, sites=sites, writes=options.writes or "")
    report = tables.report
    document(_written(tables, how=options.format))
    for result in unknown_results(report):
        say(f"warning: {result.evidence}")
    for baseline in report.baselines:
        if not baseline.alive:
            say(f"{baseline.site}: {baseline.evidence}")
    if not report.complete:
        say("interrupted; the results so far are above")
        return INTERRUPTED
    return SUCCESS if report.is_good else FOUND


def _table(site: str, mode: str, client: str) -> SiteTable:
    """Return the sites to probe: Datadog's, or in live mode those of the named sandbox."""
    from ddoauth_kit.registration.against_sandbox import sites_to_use
    from ddoauth_kit.registration.live import live_registration

    if mode != "live":
        return DATADOG_SITES
    return sites_to_use(live_registration(site, client=client))


def _scopes(given: list[str]) -> tuple[str, ...]:
    """Return the typed scopes, separated by spaces or commas, without duplicates.

    Raises:
        InputError: `unknown_scope`, with the nearest names.
    """
    scopes = tuple(dict.fromkeys(re.split(r"[\s,;]+", " ".join(given).strip(" \t\r\n,;"))))
    if scopes == ("",):
        if given:
            raise InputError("unknown_scope", "--scope names no scope.")
        return ()
    unknown = [unknown_scope(scope) for scope in scopes if scope not in known_scopes()]
    if unknown:
        raise InputError("unknown_scope", " ".join(unknown))
    return scopes


def _written(tables: ProbeTables, *, how: str) -> str:
    from ddoauth_kit.workbook.verdicts import as_csv, as_json

    if how == "table":
        return "\n".join([repr(tables).rstrip("\n"), *_reasons(tables)])
    return (as_json if how == "json" else as_csv)(tables.report).rstrip("\r\n")


def _reasons(tables: ProbeTables) -> list[str]:
    """Return lines that say why a verdict is not the one you would hope for."""
    from ddoauth_kit.workbook.verdicts.unconfirmed import findings
    from ddoauth_kit.workbook.verdicts.words_and_colours import MARKS

    found = [f for f in findings(tables.report.results) if f.verdict not in _SAID]
    if not found:
        return []
    lines = ["", "Why"]
    for finding in found[:_MOST_REASONS]:
        all_sites = set(finding.sites) == set(tables.matrix.sites)
        where = "" if all_sites else f" on {', '.join(finding.sites)}"
        lines += textwrap.wrap(
            f"{finding.scope}{where}: {finding.said}",
            _WIDTH,
            initial_indent=f"{MARKS[finding.verdict].short:<6}",
            subsequent_indent=" " * 6,
            break_on_hyphens=False,
        )
    left = len(found) - _MOST_REASONS
    return [*lines, f"      and {left} more: --format json"] if left > 0 else lines

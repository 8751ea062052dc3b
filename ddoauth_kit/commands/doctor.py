"""The command `ddoauth doctor`: find out what is missing or misconfigured, and what to do."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.terminal import FOUND, SUCCESS, checked_client, chosen_sites, document
from ddoauth_kit.printable import counted, one_line
from ddoauth_kit.sites import DATADOG_SITES

if TYPE_CHECKING:
    import argparse

    from ddoauth_kit.commands.parser import Parser
    from ddoauth_kit.doctor import Finding
    from ddoauth_kit.sites import SiteTable

EXAMPLES: Final = (
    "ddoauth doctor",
    "ddoauth doctor --offline",
    "ddoauth doctor --site eu1 --format json",
)


def configure(doctor: Parser) -> None:
    """Describe the command and add its options."""
    doctor.describe(
        "Check Python, packages, store, proxy, TLS, registration, ports, sites and clock. The "
        "doctor sends no credentials. Exit 1 if there is a problem. If DDOAUTH_SANDBOX is the "
        "address of a sandbox, the sandbox takes the place of Datadog.",
        examples=EXAMPLES,
    )
    doctor.set_defaults(command=run_doctor)
    doctor.add_argument(
        "--site",
        action="append",
        metavar="SITE",
        help=f"one of {', '.join(DATADOG_SITES.names)}, or all; may be repeated (all)",
    )
    doctor.add_argument("--client", metavar="FILE", help="an integration's oauth_clients.json")
    doctor.add_argument("--offline", action="store_true", help="send nothing")
    doctor.add_argument(
        "--token-endpoint",
        action="store_true",
        help="post an empty form, without credentials, to both token endpoints of the client's "
        "site, and report which one responds",
    )
    doctor.add_argument(
        "--format", choices=["table", "json"], default="table", help="how to print (table)"
    )


def run_doctor(options: argparse.Namespace) -> int:
    """Run all checks and print the findings."""
    from ddoauth_kit.doctor import Status, examine

    client = checked_client(options.client)
    findings = examine(
        names=chosen_sites(options.site) if options.site else (),
        client=client,
        sites=_sites(client),
        offline=options.offline,
        token_endpoint=options.token_endpoint,
    )
    document(_as_json(findings) if options.format == "json" else _as_text(findings))
    return FOUND if any(each.status is Status.PROBLEM for each in findings) else SUCCESS


def _sites(client: str) -> SiteTable:
    """Return Datadog's sites, or those of the sandbox that DDOAUTH_SANDBOX names."""
    from ddoauth_kit.environment_values import value_of
    from ddoauth_kit.registration.against_sandbox import VARIABLE, sites_to_use
    from ddoauth_kit.registration.live import live_registration

    if not value_of(VARIABLE, os.environ):
        return DATADOG_SITES
    return sites_to_use(live_registration(DATADOG_SITES.named("us1").name, client=client))


def _as_json(findings: list[Finding]) -> str:
    return json.dumps({"findings": [asdict(each) for each in findings]}, indent=2)


def _as_text(findings: list[Finding]) -> str:
    lines = []
    fine = [each for each in findings if each.status == "ok" and each.check.startswith("package ")]
    if fine:
        lines.append(
            f"ok       packages: {counted(len(fine), 'package')} at versions that the kit supports"
        )
    for each in findings:
        if each in fine:
            continue
        lines.append(one_line(f"{each.status:<8} {each.check}: {each.found}"))
        lines += [one_line(f"{'':<8} next: {each.next_step}")] if each.next_step else []
    counts = Counter(str(each.status) for each in findings)
    return "\n".join([*lines, "", ", ".join(_many(status, n) for status, n in counts.items())])


def _many(status: str, number: int) -> str:
    """Return how many findings have a status; `ok` and `unknown` have no plural."""
    return counted(number, status) if status in {"note", "problem"} else f"{number} {status}"

"""The command `ddoauth run`: execute the notebooks for each given site and client."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ddoauth_kit.commands.parser import Parser

from ddoauth_kit.commands.known_values import lessons, sites_or_all
from ddoauth_kit.sites import DATADOG_SITES

EXAMPLES: Final = (
    "ddoauth run",
    "ddoauth run 01 04 --site eu1 --site us3",
    "ddoauth run --site all --out nightly --compare last-night",
)


def configure(run: Parser) -> None:
    """Describe the command and add its options."""
    run.describe(
        "Execute notebooks side by side, for each site and client that you name, and write the "
        "results to DIR: the notebooks without secrets, report.html, summary.json, junit.xml "
        "and tables.",
        examples=EXAMPLES,
    )
    run.set_defaults(command=_run)
    run.add_argument(
        "notebooks",
        nargs="*",
        metavar="NOTEBOOK",
        help="a lesson's name, number or path (all)",
        values=lessons,
    )
    run.add_argument(
        "--site",
        action="append",
        metavar="SITE",
        help=f"one of {', '.join(DATADOG_SITES.names)}, or all; may be repeated (us1)",
        values=sites_or_all,
    )
    run.add_argument(
        "--client",
        action="append",
        metavar="FILE",
        help="an integration's oauth_clients.json; may be repeated",
    )
    run.add_argument(
        "--mode",
        choices=["sandbox", "live"],
        default="sandbox",
        help="live uses your client and its stored grant; sandbox uses a demo client (sandbox)",
    )
    run.add_argument(
        "--writes", action="store_true", help="let a live run create the key, send data and revoke"
    )
    run.add_argument(
        "--out",
        metavar="DIR",
        default="ddoauth-runs",
        help=("the folder for the results (ddoauth-runs)"),
    )
    run.add_argument(
        "--format", choices=["table", "json"], default="table", help="how to print (table)"
    )
    _add_run_limits(run)


def _add_run_limits(run: Parser) -> None:
    run.add_argument(
        "--resume",
        action="store_true",
        help=("run only the notebooks without a passed result in DIR"),
    )
    run.add_argument("--compare", metavar="DIR", help="report what changed since this run")
    run.add_argument(
        "--jobs",
        type=_count,
        metavar="N",
        help="how many kernels run at the same time (depends on cores and free memory; 1 with "
        "--mode live --writes)",
    )
    run.add_argument(
        "--timeout",
        type=_seconds,
        metavar="SECONDS",
        help="the time limit for each notebook and for its page (no limit)",
    )
    run.add_argument(
        "--cold",
        action="store_true",
        help=(
            "start each kernel from scratch; by default it is forked from a process that has "
            "loaded the imports"
        ),
    )
    run.add_argument(
        "--executor", metavar="SCHEDULER", help="run on this Dask cluster, such as tcp://host:8786"
    )


def _run(options: argparse.Namespace) -> int:
    from ddoauth_kit.commands.run_notebooks import run_command

    return run_command(options)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is not a count: use a whole number of 1 or more")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return seconds

"""Offer the kit on the command line: exit 0 is success, 1 a finding, 2 bad usage or input."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.doctor import add_doctor
from ddoauth_kit.commands.kept import add_store
from ddoauth_kit.commands.lab import add_lab
from ddoauth_kit.commands.probe import add_probe
from ddoauth_kit.errors import DdoauthError, InputError
from ddoauth_kit.sites import DATADOG_SITES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddoauth_kit.sandbox import Sandbox

SUCCESS: Final = 0
FOUND: Final = 1
BAD_INPUT: Final = 2
INTERRUPTED: Final = 130
PORTS: Final = 65_536


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except DdoauthError as error:
        return _complain(str(error))
    except ModuleNotFoundError as error:
        return _complain(str(InputError("missing_package", f"{error.name} is not installed.")))
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return FOUND


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ddoauth", description="Learn, run and check Datadog's OAuth flow; offline by default."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_run(commands)
    add_lab(commands)
    add_probe(commands)
    _add_scan(commands)
    _add_sandbox(commands)
    _add_check(commands)
    add_doctor(commands)
    add_store(commands)
    return parser


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = commands.add_parser(
        "run",
        help="execute the notebooks for one site or more",
        description="Execute notebooks, side by side, for every site and client that is named, and "
        "write under DIR what came out: the notebooks without secrets, report.html, summary.json, "
        "junit.xml and tables.",
    )
    run.set_defaults(command=_run)
    run.add_argument(
        "notebooks", nargs="*", metavar="NOTEBOOK", help="a lesson's name, number or path (all)"
    )
    run.add_argument(
        "--site",
        action="append",
        metavar="SITE",
        help=f"one of {', '.join(DATADOG_SITES.names)}, or all; may be repeated (us1)",
    )
    run.add_argument(
        "--client",
        action="append",
        metavar="FILE",
        help="an integration's oauth_clients.json; may be repeated",
    )
    run.add_argument("--mode", choices=["sandbox", "live"], default="sandbox")
    run.add_argument(
        "--writes", action="store_true", help="let a live run create the key, send data, revoke"
    )
    run.add_argument("--out", metavar="DIR", default="ddoauth-runs", help="(ddoauth-runs)")
    run.add_argument("--format", choices=["table", "json"], default="table")
    _add_run_limits(run)


def _add_run_limits(run: argparse.ArgumentParser) -> None:
    run.add_argument(
        "--resume", action="store_true", help="run what DIR has no passed result of, keep the rest"
    )
    run.add_argument("--compare", metavar="DIR", help="report what changed since this run")
    run.add_argument(
        "--jobs", type=_count, metavar="N", help="kernels at once (by cores and free memory)"
    )
    run.add_argument(
        "--timeout", type=_seconds, metavar="SECONDS", help="for each notebook (no limit)"
    )
    run.add_argument(
        "--cold",
        action="store_true",
        help="start each kernel from nothing; by default it is forked with the imports done",
    )
    run.add_argument(
        "--executor", metavar="SCHEDULER", help="run on this Dask cluster, such as tcp://host:8786"
    )


def _add_scan(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    scan = commands.add_parser(
        "scan",
        help="look for secrets in notebooks, reports and folders",
        description="Look for what has the shape of a Datadog key or of a credential of the "
        "sandbox, and for the secrets of the environment. Exit 1 and say where, never what.",
    )
    scan.set_defaults(command=_scan)
    scan.add_argument("paths", nargs="+", metavar="PATH", help="a file or a folder")
    scan.add_argument("--format", choices=["table", "json"], default="table")


def _add_sandbox(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sandbox = commands.add_parser(
        "sandbox",
        help="serve the sandbox until it is interrupted",
        description="Serve a twin of Datadog's OAuth and API endpoints on this machine. When it is "
        "ready, one line of JSON says where the sites are and with which client to begin.",
    )
    sandbox.set_defaults(command=_sandbox)
    sandbox.add_argument("--port", type=_port, default=0, help="a free one is picked by default")
    sandbox.add_argument("--client", metavar="FILE", help="an integration's oauth_clients.json")
    sandbox.add_argument("--public-url", metavar="URL", help="where browsers reach this sandbox")
    sandbox.add_argument("--latency", type=float, default=0.0, metavar="SECONDS")
    sandbox.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[:COUNT|:PROBABILITY]",
        help="misbehave on purpose; may be repeated",
    )
    sandbox.add_argument("--profile", default="datadog", metavar="NAME")


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = commands.add_parser(
        "check",
        help="check an integration's folder before a reviewer does",
        description="Check README.md, manifest.json and the OAuth client's file of an integration. "
        "Nothing is sent, nothing is changed; exit 1 only if a rule of severity must is broken.",
    )
    check.set_defaults(command=_check)
    check.add_argument("path", metavar="PATH", help="the integration's folder")
    before = check.add_mutually_exclusive_group()
    before.add_argument(
        "--base", metavar="REF", default="", help="where git has the app_uuid (the main branch)"
    )
    before.add_argument(
        "--earlier", metavar="MANIFEST", default="", help="a manifest with the earlier app_uuid"
    )
    check.add_argument("--probes", metavar="FILE", help="what probe --format json printed")
    check.add_argument(
        "--format",
        choices=["table", "json", "diff"],
        default="table",
        help="diff is a patch for git apply of what can be mended without guessing (table)",
    )


def _run(options: argparse.Namespace) -> int:
    from ddoauth_kit.workbook.runs.command import run_command

    return run_command(options)


def _scan(options: argparse.Namespace) -> int:
    from ddoauth_kit.known_secrets import environment_secrets
    from ddoauth_kit.scan import scan_paths

    found = scan_paths(options.paths, secrets=environment_secrets())
    if options.format == "json":
        print(json.dumps([asdict(finding) for finding in found], indent=2))  # noqa: T201 - answer
    else:
        for finding in found:
            print(finding)  # noqa: T201 - the answer
        _say(f"{len(found) or 'no'} secret{'' if len(found) == 1 else 's'} found")
    return FOUND if found else SUCCESS


def _sandbox(options: argparse.Namespace) -> int:
    from ddoauth_kit.sandbox import Sandbox, SandboxError

    try:
        with Sandbox(
            port=options.port,
            client_file=Path(options.client) if options.client is not None else None,
            public_url=options.public_url,
            latency=options.latency,
            faults=tuple(options.fault),
            profile=options.profile,
            real_time=True,
        ) as sandbox:
            sandbox.serve_forever(announce=lambda: _announce(sandbox))
    except SandboxError as error:
        return _complain(f"The sandbox says: {error}.")
    return SUCCESS


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is no count; it takes 1 or more")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds above 0")
    return seconds


def _check(options: argparse.Namespace) -> int:
    from ddoauth_kit.publishing.check import check_folder
    from ddoauth_kit.publishing.listing import listing
    from ddoauth_kit.publishing.scopes import read_probes

    probes = None if options.probes is None else read_probes(options.probes)
    report = check_folder(options.path, base=options.base, earlier=options.earlier, probes=probes)
    for note in report.notes:
        _say(f"note: {note}")
    if options.format == "diff":
        # Bytes, so that no line ending of the files is translated on the way.
        sys.stdout.buffer.write(os.fsencode(report.patch))
    else:
        answer = json.dumps(report.as_json(), indent=2) if options.format == "json" else None
        print(answer or listing(report))  # noqa: T201 - the answer
    return SUCCESS if report.passed else FOUND


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) >= PORTS:
        raise argparse.ArgumentTypeError(f"{text} is no port; ports are 0 to {PORTS - 1}")
    return int(text)


def _announce(sandbox: Sandbox) -> None:
    """Print the one line of JSON that says that the sandbox is ready."""
    print(json.dumps(sandbox.description()), flush=True)  # noqa: T201 - the answer


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress


def _complain(text: str) -> int:
    _say(f"ddoauth: {text}")
    return BAD_INPUT

"""Offer the kit on the command line: exit 0 is success, 1 a finding, 2 bad usage or input."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.doctor import add_doctor
from ddoauth_kit.commands.kept import add_store
from ddoauth_kit.commands.probe import add_probe
from ddoauth_kit.errors import DdoauthError, InputError
from ddoauth_kit.oauth.authorization_request import authorization_request
from ddoauth_kit.registration import registration_from_file
from ddoauth_kit.sites import DATADOG_SITES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ddoauth_kit.sandbox import Sandbox
    from ddoauth_kit.workbook.runs import NotebookRun

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
    add_probe(commands)
    _add_sandbox(commands)
    add_doctor(commands)
    add_store(commands)
    return parser


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = commands.add_parser(
        "run",
        help="execute the notebooks for one site or more",
        description="Execute notebooks by papermill and write what came out under DIR.",
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
    run.add_argument("--client", metavar="FILE", help="an integration's oauth_clients.json")
    run.add_argument("--mode", choices=["sandbox", "live"], default="sandbox")
    run.add_argument(
        "--writes", action="store_true", help="let a live run create the key, send data, revoke"
    )
    run.add_argument("--out", metavar="DIR", default="ddoauth-runs", help="(ddoauth-runs)")
    run.add_argument("--format", choices=["table", "json"], default="table")


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


def _run(options: argparse.Namespace) -> int:
    from ddoauth_kit.workbook.notebooks import find_notebooks
    from ddoauth_kit.workbook.results import write_results
    from ddoauth_kit.workbook.runs import RunSettings, run_notebooks

    notebooks = find_notebooks(options.notebooks)
    sites = _sites(options.site or ["us1"])
    client = _client_path(options.client)
    if options.mode == "live":
        _check_live(sites, client=client)
    out = _output_folder(options.out)
    settings = RunSettings(mode=options.mode, client=client, writes=options.writes)
    finished: list[NotebookRun] = []
    whole = False
    with _quiet_interrupts():
        for run in run_notebooks(notebooks, sites=sites, settings=settings, out=out):
            finished.append(run)
            _say(f"{len(finished)}/{len(notebooks) * len(sites)} {_line(run)}")
        whole = True
    write_results(finished, settings=settings, out=out)
    _print_runs(finished, out=out, as_json=options.format == "json")
    if not whole:
        _say("interrupted; what had finished is kept")
        return INTERRUPTED
    return FOUND if any(run.status == "failed" for run in finished) else SUCCESS


@contextmanager
def _quiet_interrupts() -> Iterator[None]:
    """End the block on Ctrl-C or SIGTERM, without what dying kernels make libraries say."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    loggers = [logging.getLogger(name) for name in ("asyncio", "traitlets", "papermill")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        yield
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _check_live(sites: tuple[str, ...], *, client: str) -> None:
    """Refuse what no kernel could use: a registration or a redirect URI that is missing."""
    from ddoauth_kit.workbook.lab import live_registration

    for site in sites:
        registration = live_registration(site, client=client)
        authorization_request(registration, domain=DATADOG_SITES.named(site).domain)
        _ = registration.secret


def _output_folder(name: str) -> Path:
    """Make the folder, and prove that it can be written, before any kernel starts."""
    if not name.strip():
        raise InputError("bad_output_folder", "The output folder has no name.")
    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        what = f"Nothing can be written to {name!r}: {error.strerror or error}."
        raise InputError("bad_output_folder", what) from None


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


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) >= PORTS:
        raise argparse.ArgumentTypeError(f"{text} is no port; ports are 0 to {PORTS - 1}")
    return int(text)


def _announce(sandbox: Sandbox) -> None:
    """Print the one line of JSON that says that the sandbox is ready."""
    print(json.dumps(sandbox.description()), flush=True)  # noqa: T201 - the answer


def _sites(names: list[str]) -> tuple[str, ...]:
    if "all" in names:
        return DATADOG_SITES.names
    return tuple(dict.fromkeys(DATADOG_SITES.named(name).name for name in names))


def _client_path(client: str | None) -> str:
    """Check the file before any kernel starts, and name it wherever a kernel runs."""
    if client is None:
        return ""
    for warning in registration_from_file(client).warnings:
        _say(f"warning: {warning}")
    return str(Path(client).resolve())


def _line(run: NotebookRun) -> str:
    return f"{run.status} {run.notebook} on {run.site} in {run.seconds:.1f} s"


def _print_runs(runs: list[NotebookRun], *, out: Path, as_json: bool) -> None:
    if as_json:
        print((out / "summary.json").read_text("utf-8"), end="")  # noqa: T201 - the answer
        return
    width = max((len(run.notebook) for run in runs), default=len("notebook"))
    print(f"{'notebook':<{width}}  {'site':<8} {'result':<7} seconds")  # noqa: T201 - the answer
    for run in runs:
        line = f"{run.notebook:<{width}}  {run.site:<8} {run.status:<7} {run.seconds:7.1f}"
        print(line)  # noqa: T201 - the answer
        if run.error:
            print(f"  {run.error}")  # noqa: T201 - the answer
    print(f"\nResults are in {out}.")  # noqa: T201 - the answer


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress


def _complain(text: str) -> int:
    _say(f"ddoauth: {text}")
    return BAD_INPUT

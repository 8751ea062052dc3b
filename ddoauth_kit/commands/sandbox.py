"""The command `ddoauth sandbox`: serve the twin until it is interrupted."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.terminal import SUCCESS, answer, complain

if TYPE_CHECKING:
    from ddoauth_kit.sandbox import Sandbox


PORTS: Final = 65_536


def add_sandbox(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    sandbox = commands.add_parser(
        "sandbox",
        help="serve the sandbox until it is interrupted",
        description="Serve a twin of Datadog's OAuth and API endpoints on this machine. When it is "
        "ready, one line of JSON says where the sites are and with which client to begin.",
    )
    sandbox.set_defaults(command=run_sandbox)
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
    sandbox.add_argument(
        "--rotate", action="store_true", help="give a new refresh token with each refresh"
    )
    sandbox.add_argument(
        "--basic", action="store_true", help="let clients authenticate by HTTP Basic, too"
    )
    sandbox.add_argument(
        "--no-v1-token", action="store_true", help="answer 404 at the older /oauth2/v1/token"
    )


def run_sandbox(options: argparse.Namespace) -> int:
    """Serve until a signal comes."""
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
            rotate=options.rotate,
            basic=options.basic,
            v1_token=not options.no_v1_token,
        ) as sandbox:
            sandbox.serve_forever(announce=lambda: _announce(sandbox))
    except SandboxError as error:
        return complain(f"The sandbox says: {error}.")
    return SUCCESS


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) >= PORTS:
        raise argparse.ArgumentTypeError(f"{text} is no port; ports are 0 to {PORTS - 1}")
    return int(text)


def _announce(sandbox: Sandbox) -> None:
    """Print the one line of JSON that says that the sandbox is ready."""
    answer(json.dumps(sandbox.description()))

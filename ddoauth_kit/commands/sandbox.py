"""The command `ddoauth sandbox`: serve the twin until it is interrupted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.parser import listed, port_number
from ddoauth_kit.commands.terminal import SUCCESS, answer, complain

if TYPE_CHECKING:
    import argparse

    from ddoauth_kit.commands.parser import Parser
    from ddoauth_kit.sandbox import Sandbox


EXAMPLES: Final = (
    "ddoauth sandbox",
    "ddoauth sandbox --port 8470 --fault server-error:2",
    "ddoauth sandbox --client assets/oauth_clients.json",
)


def configure(sandbox: Parser) -> None:
    """Describe the command and add its options."""
    sandbox.describe(
        "Serve a twin of Datadog's OAuth and API endpoints on this machine. When it is "
        "ready, one line of JSON says where the sites are and with which client to begin.",
        examples=EXAMPLES,
        more=_profiles_and_faults(),
    )
    sandbox.set_defaults(command=run_sandbox)
    sandbox.add_argument(
        "--port", type=port_number, default=0, metavar="N", help="where to listen (a free port)"
    )
    sandbox.add_argument("--client", metavar="FILE", help="an integration's oauth_clients.json")
    sandbox.add_argument("--public-url", metavar="URL", help="where browsers reach this sandbox")
    sandbox.add_argument(
        "--latency", type=float, default=0.0, metavar="SECONDS", help="before each answer (0)"
    )
    sandbox.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[:COUNT|:PROBABILITY]",
        help="one of those below: always, COUNT times, or with a PROBABILITY such as 0.05; may "
        "be repeated",
    )
    sandbox.add_argument(
        "--profile", default="datadog", metavar="NAME", help="one of those below (datadog)"
    )
    sandbox.add_argument(
        "--rotate", action="store_true", help="give a new refresh token with each refresh"
    )
    sandbox.add_argument(
        "--basic", action="store_true", help="let clients authenticate by HTTP Basic, too"
    )
    sandbox.add_argument(
        "--no-v1-token", action="store_true", help="answer 404 at the older /oauth2/v1/token"
    )


def _profiles_and_faults() -> str:
    """List what `--profile` and `--fault` take; without the sandbox's packages, how to get them."""
    try:
        from ddoauth_kit.sandbox import FAULTS, PROFILES
    except ModuleNotFoundError as error:
        return f"The sandbox needs {error.name}: pip install 'ddoauth-kit[sandbox]'."
    profiles = {each.name: each.summary for each in PROFILES.values()}
    faults = {each.name: each.summary for each in FAULTS.values()}
    return f"{listed('profiles', profiles)}\n\n{listed('faults', faults)}"


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


def _announce(sandbox: Sandbox) -> None:
    """Print the one line of JSON that says that the sandbox is ready."""
    answer(json.dumps(sandbox.description()))

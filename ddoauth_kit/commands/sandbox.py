"""The command `ddoauth sandbox`: serve the twin, alone or behind Datadog's names for a command."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.parser import listed, port_number
from ddoauth_kit.commands.terminal import SUCCESS, answer, complain, document, say

if TYPE_CHECKING:
    import argparse

    from ddoauth_kit.commands.parser import Parser
    from ddoauth_kit.grading.front.records import FrontRecord
    from ddoauth_kit.grading.front.session import FrontSession
    from ddoauth_kit.sandbox import Sandbox

EXAMPLES: Final = (
    "ddoauth sandbox",
    "ddoauth sandbox --client assets/oauth_clients.json --fault server-error:2",
    "ddoauth sandbox -- curl -s https://api.datadoghq.com/api/v1/validate",
)
BYPASS: Final = (
    "Clients that ignore these variables call past the front and reach the real Datadog: Python's "
    "http.client and urllib3, aiohttp without trust_env, PHP's streams, Elixir's :httpc. Give them "
    "base URLs of the sandbox instead."
)


def configure(sandbox: Parser) -> None:
    """Describe the command and add its options."""
    sandbox.describe(
        "Serve a twin of Datadog's OAuth and API endpoints on this machine. When it is "
        "ready, one line of JSON says where the sites are and with which client to begin. With "
        "-- COMMAND it starts your server, unchanged: its calls to Datadog's https hosts arrive in "
        "the sandbox, and all other hosts are refused.",
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
    _add_front(sandbox)


def _add_front(sandbox: Parser) -> None:
    sandbox.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="HOST",
        help="a host that the command may reach, unread: HOST, HOST:PORT or *.DOMAIN; may be "
        "repeated",
    )
    sandbox.add_argument(
        "--env",
        action="store_true",
        help="print the variables for a server that you start in another shell, and go on serving",
    )
    sandbox.add_argument(
        "words",
        nargs="*",
        metavar="COMMAND",
        help="what to start, after --; its output, signals and exit code are its own",
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
    """Serve until a signal comes, or until the command ends; then its exit code is the answer."""
    from ddoauth_kit.grading.front.front_error import FrontError
    from ddoauth_kit.sandbox import SandboxError

    if options.env and options.words:
        return complain("--env is for a server that you start yourself. Leave out the command.")
    behind_front = options.env or options.words
    if options.allow and not behind_front:
        return complain("--allow belongs to a command or to --env. Add one of them.")
    try:
        with _sandbox(options) as sandbox:
            if behind_front:
                return _serve_behind_front(sandbox, options)
            sandbox.serve_forever(announce=lambda: answer(json.dumps(sandbox.description())))
    except SandboxError as error:
        return complain(f"The sandbox says: {error}.")
    except FrontError as error:
        return complain(f"{error} More: `ddoauth explain {error.code}`.")
    return SUCCESS


def _sandbox(options: argparse.Namespace) -> Sandbox:
    from ddoauth_kit.sandbox import Sandbox

    return Sandbox(
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
    )


def _serve_behind_front(sandbox: Sandbox, options: argparse.Namespace) -> int:
    from ddoauth_kit.grading.front.environment import exports
    from ddoauth_kit.grading.front.process import ForeignProcess
    from ddoauth_kit.grading.front.session import ArrivalWatch, front_before, record_line

    before = dict(os.environ)
    # Whoever reads variables to start a server has no command here: HTTPS_PROXY is named then.
    watch = ArrivalWatch(lambda: sandbox.journal, command=options.words or [""], warn=say)

    def record(seen: FrontRecord) -> None:
        watch.saw(seen)
        say(record_line(seen))

    with front_before(
        sandbox.base_url, before=before, record=record, allow=options.allow
    ) as session:
        variables = session.environment.variables
        if options.env:
            _summarize(sandbox, session, stop="Ctrl-C")
            lines = exports(variables, before=before).rstrip("\n")
            with watch:
                sandbox.serve_forever(announce=lambda: document(lines))
            return SUCCESS
        with ForeignProcess(options.words, environment=variables) as process, watch:
            _summarize(sandbox, session, stop="Ctrl-C, which ends the command")
            return process.run()


def _summarize(sandbox: Sandbox, session: FrontSession, *, stop: str) -> None:
    """Tell a person on stderr what there is, and never a secret."""
    client = sandbox.client
    say(f"note: {BYPASS}")
    for notice in session.environment.notices:
        say(f"note: {notice}")
    lines = {
        "sandbox": sandbox.base_url,
        "front": f"{session.url} (proxy for Datadog's hosts of all nine sites)",
        "CA": f"{session.ca_file} (of this run; its variables are set)",
        "client": f"{client.client_id} (its secret: `ddoauth sandbox` prints the same one)",
        "redirect URI": ", ".join(client.redirect_uris),
        "stop": stop,
    }
    for name, text in lines.items():
        say(f"{name:<13}{text}")

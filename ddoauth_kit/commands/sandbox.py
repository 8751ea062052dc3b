"""The command `ddoauth sandbox`: serve the sandbox, either alone or under Datadog's host names."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import sys
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from sysconfig import get_path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.parser import listed, port_number
from ddoauth_kit.commands.request_lines import RequestLines
from ddoauth_kit.commands.terminal import SUCCESS, answer, complain, document, say
from ddoauth_kit.whole_files import ONLY_ME, write_whole

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping

    from ddoauth_kit.commands.parser import Parser
    from ddoauth_kit.grading.front.records import FrontRecord
    from ddoauth_kit.grading.front.session import FrontSession
    from ddoauth_kit.sandbox import Sandbox

_COLUMN: Final = 13
# All scopes of the sandbox's own client would fill the terminal.
_FEW: Final = ("api_keys_write", "metrics_read", "monitors_read")
EXAMPLES: Final = (
    "ddoauth sandbox",
    "ddoauth sandbox --client assets/oauth_clients.json --fault server-error:2",
    "ddoauth sandbox -- curl -s https://api.datadoghq.com/api/v1/validate",
)
APP: Final = "https://app.datadoghq.com/"
BYPASS: Final = (
    "Clients that ignore these variables bypass the front, which is the proxy for Datadog's hosts, "
    "and reach real Datadog: Python's http.client and urllib3, aiohttp without trust_env, PHP's "
    "streams, Elixir's :httpc. Start them with --isolate (on Linux), or configure them with the "
    "sandbox's base URLs."
)


def configure(sandbox: Parser) -> None:
    """Describe the command and add its options."""
    sandbox.describe(
        "Serve a twin of Datadog on this machine: the OAuth and API endpoints of all nine sites, "
        "and the pages that a customer clicks. On a terminal it says where the pages are and which "
        "client to start with, and then prints a line for each request, with the reason for a "
        "refusal. In a pipe it prints one line of JSON when it is ready; on stderr it prints the "
        "lines to type for `ddoauth login`. With -- COMMAND it starts your server, unchanged: its "
        "calls to Datadog's https hosts reach the sandbox, and all other hosts are refused.",
        examples=EXAMPLES,
        more=_profiles_and_faults(),
    )
    sandbox.usage = "%(prog)s [OPTIONS] [-- COMMAND ...]"
    sandbox.set_defaults(command=run_sandbox)
    sandbox.add_argument(
        "--port",
        type=port_number,
        default=0,
        metavar="N",
        help=("the port to listen on (a free port)"),
    )
    sandbox.add_argument("--client", metavar="FILE", help="an integration's oauth_clients.json")
    sandbox.add_argument(
        "--public-url", metavar="URL", help=("the URL where browsers reach this sandbox")
    )
    sandbox.add_argument(
        "--latency",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help=("the delay before each response (0)"),
    )
    sandbox.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[:COUNT|:PROBABILITY]",
        help="one of those above: always, COUNT times, or with a PROBABILITY such as 0.05; may "
        "be repeated",
        values=_faults,
    )
    sandbox.add_argument(
        "--profile",
        default="datadog",
        metavar="NAME",
        help="one of those above (datadog)",
        values=_profiles,
    )
    sandbox.add_argument(
        "--rotate", action="store_true", help="issue a new refresh token with each refresh"
    )
    sandbox.add_argument(
        "--basic", action="store_true", help="let clients authenticate by HTTP Basic as well"
    )
    sandbox.add_argument(
        "--no-v1-token", action="store_true", help="return 404 for the older /oauth2/v1/token"
    )
    sandbox.add_argument(
        "--token-lifetime",
        type=float,
        metavar="SECONDS",
        help="the lifetime of access tokens, by the machine's clock (3600)",
    )
    _add_front(sandbox)


def _add_front(sandbox: Parser) -> None:
    sandbox.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="HOST",
        help="a host that the command may reach without inspection: HOST, HOST:PORT or *.DOMAIN; "
        "may be repeated",
    )
    sandbox.add_argument(
        "--env",
        action="store_true",
        help="print the variables for a server in another shell",
    )
    sandbox.add_argument(
        "--isolate",
        action="store_true",
        help="isolate the network of the command (only on Linux)",
    )
    sandbox.add_argument(
        "--forward",
        action="append",
        default=[],
        type=port_number,
        metavar="PORT",
        help="with --isolate, a port of this machine that the command may reach; may be repeated",
    )
    sandbox.add_argument(
        "--open",
        action="store_true",
        help="show Datadog's pages in a new Chromium profile",
    )
    sandbox.add_argument(
        "words",
        nargs="*",
        metavar="COMMAND",
        help="the command to start, after --; its output, signals and exit code are passed through",
    )


def _faults() -> Iterable[str]:
    from ddoauth_kit.sandbox import FAULTS

    return FAULTS


def _profiles() -> Iterable[str]:
    from ddoauth_kit.sandbox import PROFILES

    return PROFILES


def _profiles_and_faults() -> str:
    """List the values of `--profile` and `--fault`, or say how to install the packages."""
    try:
        from ddoauth_kit.sandbox import FAULTS, PROFILES
    except ModuleNotFoundError as error:
        return f"The sandbox needs {error.name}: pip install 'ddoauth-kit[sandbox]'."
    words = {
        "front": "The proxy that sends a server's calls for Datadog's hosts to the sandbox.",
        "control": "The sandbox's own interface, where a program with the key sets faults and "
        "reads the requests that arrived.",
    }
    profiles = {each.name: each.summary for each in PROFILES.values()}
    faults = {each.name: each.summary for each in FAULTS.values()}
    parts = {"words": words, "profiles": profiles, "faults": faults}
    return "\n\n".join(listed(title, summaries) for title, summaries in parts.items())


def run_sandbox(options: argparse.Namespace) -> int:
    """Serve until a signal arrives or the command ends, and return the command's exit code."""
    from ddoauth_kit.grading.front.front_error import FrontError
    from ddoauth_kit.sandbox import SandboxError

    if line := _contradiction(options):
        return complain(line)
    key = secrets.token_urlsafe(32)
    try:
        with _key_file(key) as key_file:
            return _serve(options, key, key_file)
    except SandboxError as error:
        return complain(f"The sandbox says: {error}.")
    except FrontError as error:
        return complain(f"{error} More: `ddoauth explain {error.code}`.")


def _serve(options: argparse.Namespace, key: str, key_file: Path) -> int:
    if options.isolate:
        return _serve_isolated(options, key, key_file)
    with _sandbox(options, key=key) as sandbox:
        if options.env or options.words:
            return _serve_behind_front(sandbox, options, key_file)
        return _serve_alone(sandbox, key_file)


@contextmanager
def _key_file(key: str) -> Iterator[Path]:
    """Keep the control key in a file that only this user can read, while the block runs."""
    with TemporaryDirectory(prefix="ddoauth-control-") as folder:
        path = Path(folder) / "control-key"
        write_whole(path, key.encode(), mode=ONLY_ME)
        yield path


def _description(sandbox: Sandbox, key_file: Path, front: Mapping[str, str]) -> str:
    control = {"url": f"{sandbox.base_url}/control", "key_file": str(key_file)}
    return json.dumps({**sandbox.description(), **front, "control": control})


@contextmanager
def _front_for_readers(sandbox: Sandbox) -> Iterator[dict[str, str]]:
    """Serve a front for the program that reads the JSON line, if the extra `grade` is installed."""
    if find_spec("trustme") is None:
        yield {}
        return
    from ddoauth_kit.grading.front.records import Treatment
    from ddoauth_kit.grading.front.session import front_alone, record_line

    def record(seen: FrontRecord) -> None:
        if seen.treatment is not Treatment.FORWARDED:
            say(record_line(seen))

    with front_alone(sandbox.base_url, before=os.environ, record=record) as (proxy, ca_file):
        yield {"proxy": proxy, "ca_file": str(ca_file)}


def _serve_alone(sandbox: Sandbox, key_file: Path) -> int:
    if not sys.stdout.isatty():
        with _front_for_readers(sandbox) as front:
            sandbox.serve_forever(announce=lambda: _announce(sandbox, key_file, front))
        return SUCCESS
    client = sandbox.client
    exports = f"\n{' ' * _COLUMN}".join(_exports(sandbox))
    lines = {
        "sandbox": f"{sandbox.base_url} (for browsers: links to all sites)",
        "live view": f"{sandbox.live_url()} (works once)",
        "pages": f"{sandbox.endpoints['us1']['app_url']}/integrations",
        "API": sandbox.endpoints["us1"]["api_url"],
        "other sites": f"the same addresses with {', '.join(list(sandbox.endpoints)[1:])} for us1",
        "client": client.client_id,
        "secret": f"{client.client_secret} (fake, the same in every run)",
        "redirect URI": ", ".join(client.redirect_uris),
        "control": f"{sandbox.base_url}/control (for programs; the key is in {key_file})",
        "log in": f"in another terminal, type these lines:\n{' ' * _COLUMN}{exports}",
        "elsewhere": "to log in at eu1, set DDOAUTH_CLIENT_SITE=eu1, and add --site eu1",
        "stop": "Ctrl-C",
    }
    with RequestLines(sandbox, say=answer):
        sandbox.serve_forever(announce=lambda: document("\n".join(_table(lines))))
    return SUCCESS


def _announce(sandbox: Sandbox, key_file: Path, front: Mapping[str, str]) -> None:
    """Describe the sandbox to programs on stdout, and tell people on stderr what they can type."""
    answer(_description(sandbox, key_file, front))
    say("To log in to this sandbox, type these lines in a terminal:")
    for line in _exports(sandbox):
        say(line)


def _exports(sandbox: Sandbox) -> list[str]:
    """Return shell lines that make `ddoauth login` use the sandbox's client."""
    client = sandbox.client
    few = [scope for scope in _FEW if scope in client.scopes]
    variables = {
        "DDOAUTH_SANDBOX": sandbox.base_url,
        "DDOAUTH_CLIENT_ID": client.client_id,
        "DDOAUTH_CLIENT_SECRET": client.client_secret,
        "DDOAUTH_REDIRECT_URIS": " ".join(client.redirect_uris),
        "DDOAUTH_SCOPES": " ".join(few or client.scopes),
    }
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return [*lines, f"{_own_command()} login"]


def _own_command() -> str:
    """Return how to call `ddoauth` in a shell: by its path, unless its folder is on the PATH."""
    own = Path(get_path("scripts"), "ddoauth")
    return shlex.quote(str(own)) if own.exists() and not which("ddoauth") else "ddoauth"


def _table(lines: Mapping[str, str]) -> list[str]:
    return [f"{name:<{_COLUMN}}{text}" for name, text in lines.items()]


def _contradiction(options: argparse.Namespace) -> str:
    """Return a line about options that can't be combined, or an empty string."""
    behind_front = options.env or options.words
    lines = {
        "--env is for a server that you start yourself. Leave out the command.": (
            options.env and options.words
        ),
        "--allow needs a command or --env. Add one of them.": (options.allow and not behind_front),
        "--open needs a command or --env. Add one of them.": (options.open and not behind_front),
        "--isolate needs a command. Add it after --.": options.isolate and not options.words,
        "With --isolate, the command can't reach any other host. Leave out --allow or --isolate.": (
            options.isolate and options.allow
        ),
        "--open can't show a command that runs with --isolate. Leave out one of them.": (
            options.isolate and options.open
        ),
        "--forward needs --isolate. Without it, the command can reach this machine anyway.": (
            options.forward and not options.isolate
        ),
        "--forward needs a port from 1 to 65535.": 0 in options.forward,
    }
    return next((line for line, wrong in lines.items() if wrong), "")


def _sandbox(options: argparse.Namespace, *, key: str, port: int | None = None) -> Sandbox:
    from ddoauth_kit.sandbox import Sandbox

    return Sandbox(
        port=options.port if port is None else port,
        client_file=Path(options.client) if options.client is not None else None,
        public_url=options.public_url,
        latency=options.latency,
        faults=tuple(options.fault),
        profile=options.profile,
        real_time=True,
        rotate=options.rotate,
        basic=options.basic,
        v1_token=not options.no_v1_token,
        token_lifetime=options.token_lifetime,
        operator_key=key,
    )


def _serve_behind_front(sandbox: Sandbox, options: argparse.Namespace, key_file: Path) -> int:
    from ddoauth_kit.grading.front.environment import exports
    from ddoauth_kit.grading.front.process import ForeignProcess
    from ddoauth_kit.grading.front.records import Treatment
    from ddoauth_kit.grading.front.session import ArrivalWatch, front_before, record_line

    before = dict(os.environ)
    # Without a command, somebody else starts the server, so HTTPS_PROXY is named.
    watch = ArrivalWatch(lambda: sandbox.journal, command=options.words or [""], warn=say)

    def record(seen: FrontRecord) -> None:
        watch.saw(seen)
        # The sandbox's journal reports the requests that arrived, with reasons.
        if seen.treatment is not Treatment.FORWARDED:
            say(record_line(seen))

    with (
        front_before(
            sandbox.base_url, before=before, record=record, allow=options.allow
        ) as session,
        ExitStack() as stack,
    ):
        variables = session.environment.variables
        if options.open:
            stack.enter_context(session.browser(APP, record=lambda seen: say(_browser_line(seen))))
        if options.env:
            _summarize(sandbox, session, key_file, stop="Ctrl-C")
            lines = exports(variables, before=before).rstrip("\n")
            with watch, RequestLines(sandbox, say=say):
                sandbox.serve_forever(announce=lambda: document(lines))
            return SUCCESS
        process = ForeignProcess(options.words, environment=variables)
        with RequestLines(sandbox, say=say), process, watch:
            _summarize(sandbox, session, key_file, stop="Ctrl-C, which ends the command")
            return process.run()


def _browser_line(seen: FrontRecord) -> str:
    from ddoauth_kit.grading.front.session import record_line

    return f"browser: {record_line(seen)}"


def _serve_isolated(options: argparse.Namespace, key: str, key_file: Path) -> int:
    """Run the same command line again in a namespace; inside the namespace, serve."""
    from ddoauth_kit.grading.front.isolated_run import inside_namespace, run_isolated
    from ddoauth_kit.grading.front.isolation import is_isolated
    from ddoauth_kit.grading.front.process import ForeignProcess
    from ddoauth_kit.grading.front.records import Treatment
    from ddoauth_kit.grading.front.session import record_line

    if not is_isolated(os.environ):
        return run_isolated(
            sys.argv[1:], port=options.port, forward=options.forward, environment=os.environ
        )

    def record(seen: FrontRecord) -> None:
        if seen.treatment is not Treatment.FORWARDED:
            say(record_line(seen))

    with inside_namespace(
        lambda port: _sandbox(options, key=key, port=port),
        record=record,
        command=options.words,
        forward=options.forward,
    ) as inside:
        sandbox = inside.sandbox
        process = ForeignProcess(inside.command, environment=inside.environment)
        with RequestLines(sandbox, say=say), process:
            lines = {
                "sandbox": f"{sandbox.base_url} (inside and outside)",
                "front": "port 443 of Datadog's hosts on all nine sites; nothing can leave",
                "CA": f"{inside.ca_file} (for this run; the command's trust files contain it)",
                **_client_lines(sandbox, key_file),
                "stop": "Ctrl-C, which ends the command",
            }
            for line in _table(lines):
                say(line)
            return process.run()


def _client_lines(sandbox: Sandbox, key_file: Path) -> dict[str, str]:
    client = sandbox.client
    return {
        "client": f"{client.client_id} (its secret: `ddoauth sandbox` prints the same one)",
        "redirect URI": ", ".join(client.redirect_uris),
        "live view": f"{sandbox.live_url()} (works once)",
        "control": f"{sandbox.base_url}/control (for programs; the key is in {key_file})",
    }


def _summarize(sandbox: Sandbox, session: FrontSession, key_file: Path, *, stop: str) -> None:
    """Print to stderr what the sandbox offers, without any secret."""
    say(f"note: {BYPASS}")
    for notice in session.environment.notices:
        say(f"note: {notice}")
    lines = {
        "sandbox": sandbox.base_url,
        "front": f"{session.url} (proxy for Datadog's hosts on all nine sites)",
        "CA": f"{session.ca_file} (for this run; its variables are set)",
        **_client_lines(sandbox, key_file),
        "stop": stop,
    }
    for line in _table(lines):
        say(line)

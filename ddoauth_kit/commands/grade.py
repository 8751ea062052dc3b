"""The command `ddoauth grade`: run your own server against the sandbox and grade it."""

from __future__ import annotations

import json
import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.known_values import requirements, sites_or_all
from ddoauth_kit.commands.parser import listed, port_number, wants_color
from ddoauth_kit.commands.terminal import (
    FOUND,
    SUCCESS,
    chosen_sites,
    complain,
    document,
    not_written,
    say,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ddoauth_kit.commands.parser import Parser
    from ddoauth_kit.grading.grader import GradeMeans, SandboxAddress
    from ddoauth_kit.grading.reports.comparison import VerdictChange
    from ddoauth_kit.grading.results import GradeReport
    from ddoauth_kit.grading.settings import ActSettings, GradeSettings

EXAMPLES: Final = (
    "ddoauth grade --init http://localhost:3000/connect/datadog -- npm start",
    "ddoauth grade",
    "ddoauth grade --only state-checked",
)
WORDS: Final = {
    "requirement": "One rule for a server's OAuth, such as state-checked, with its source and its "
    "fix. --list shows all of them.",
    "must": "A requirement that makes the grade broken if the server breaks it. Breaking another "
    "one is a risk.",
    "settings": "How to start your server, where its flow begins, and how to recognize the page "
    "after a good run. --init writes them to ddoauth-grade.toml.",
}
FORMATS: Final = ("table", "json", "junit", "markdown")


def configure(grade: Parser) -> None:
    """Describe the command and add its options."""
    grade.describe(
        "Run your own server, in any language and unchanged, against the sandbox, and report "
        "what its OAuth does right, what it does wrong, and what was not tested. Exit 1 if a "
        "requirement is broken, 2 if the settings are wrong.",
        examples=EXAMPLES,
        more=listed("words", WORDS),
    )
    grade.usage = "%(prog)s [OPTIONS] [START_URL] [-- COMMAND ...]"
    grade.set_defaults(command=run_grade)
    grade.takes_command = True
    grade.add_argument(
        "--init",
        action="store_true",
        help="start the server once, follow it to Datadog and back, and write the settings",
    )
    grade.add_argument(
        "--list", action="store_true", help="list the requirements with their IDs, and exit"
    )
    grade.add_argument(
        "--file", default="ddoauth-grade.toml", metavar="FILE", help="the settings (%(default)s)"
    )
    grade.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable for the server, such as DD_CLIENT_ID={client_id}, which --init sets by "
        "itself if no other variable gets the client; may be repeated",
    )
    grade.add_argument(
        "--login", metavar="URL", help="with --init, your server's own login for each new browser"
    )
    grade.add_argument(
        "--login-field",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a field of the login form, such as email={account}@example.com (a different "
        "account for each browser) or password={env:NAME}; may be repeated",
    )
    grade.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="ID",
        help="grade only this requirement, whose ID --list shows; may be repeated",
        values=requirements,
    )
    grade.add_argument(
        "--sandbox", metavar="URL", help="grade a server that you started with `sandbox --env`"
    )
    grade.add_argument(
        "--site",
        action="append",
        metavar="SITE",
        help="a site, or all; may be repeated",
        values=sites_or_all,
    )
    grade.add_argument(
        "--browser",
        action="store_true",
        help="open the server's pages in Chromium, which runs their JavaScript; needs Playwright",
    )
    grade.add_argument(
        "--isolate",
        action="store_true",
        help="start the server in an isolated network namespace (Linux)",
    )
    grade.add_argument(
        "--forward",
        action="append",
        default=[],
        type=port_number,
        metavar="PORT",
        help="with --isolate, a port of this machine that the server may reach; may be repeated",
    )
    grade.add_argument(
        "--strict", action="store_true", help="also exit with 1 if a must was not tested"
    )
    grade.add_argument(
        "--compare", metavar="DIR", help="report what changed since this earlier grading"
    )
    grade.add_argument("--format", choices=FORMATS, default="table", help="how to print (table)")
    grade.add_argument(
        "--out", metavar="DIR", help="write the page, JSON, JUnit and Markdown to this folder"
    )
    grade.add_argument(
        "words",
        nargs="*",
        metavar="[START_URL] [-- COMMAND]",
        help="the address where the flow begins on your server, and after -- the command that "
        "starts it",
    )


def run_grade(options: argparse.Namespace) -> int:
    """Grade, print the report, and return its exit code."""
    try:
        from ddoauth_kit.grading.front.front_error import FrontError
        from ddoauth_kit.grading.settings import SettingsError
    except ModuleNotFoundError as error:
        return complain(f"Grading needs {error.name}: pip install 'ddoauth-kit[grade]'.")
    if options.list:
        document(_requirements(how=options.format))
        return SUCCESS
    wrong = _contradiction(options)
    if wrong:
        return complain(wrong)
    try:
        return _done(options)
    except (SettingsError, FrontError) as error:
        return complain(f"{error} More: `ddoauth explain {error.code}`.")
    except OSError as error:
        return not_written(error)


def _requirements(*, how: str) -> str:
    """Return every requirement with its ID, as text or as JSON."""
    from ddoauth_kit.grading.requirements import REQUIREMENTS

    if how == "json":
        rows = [
            {"id": each.id, "must": each.is_must, "sentence": each.sentence, "source": each.source}
            for each in REQUIREMENTS.values()
        ]
        return json.dumps(rows, indent=2)
    musts = {each.id: each.sentence for each in REQUIREMENTS.values() if each.is_must}
    risks = {each.id: each.sentence for each in REQUIREMENTS.values() if not each.is_must}
    return f"{listed('musts', musts)}\n\n{listed('others', risks)}"


def _done(options: argparse.Namespace) -> int:
    """Write settings, or grade; with --isolate, rerun the same command line in a namespace."""
    from ddoauth_kit.grading.front.isolated_run import run_isolated
    from ddoauth_kit.grading.front.isolation import is_isolated

    if options.isolate and not is_isolated(os.environ):
        given, environ = sys.argv[1:], os.environ
        return run_isolated(given, port=0, forward=options.forward, environment=environ)
    return _begin(options) if options.init else _grade(options)


def _contradiction(options: argparse.Namespace) -> str:
    """Return a complaint about options that can't be combined, or an empty string."""
    if options.isolate and options.sandbox:
        return (
            "--isolate starts the server, but --sandbox expects one that is already running. "
            "Leave one of them out."
        )
    if options.forward and not options.isolate:
        return "--forward needs --isolate. Without it, the server can reach this machine anyway."
    return ""


def _means(options: argparse.Namespace) -> GradeMeans:
    from ddoauth_kit.grading.grader import GradeMeans

    return GradeMeans(
        browser=options.browser, isolated=options.isolate, forward=tuple(options.forward)
    )


def _begin(options: argparse.Namespace) -> int:
    """Follow a server's flow once, to Datadog and back, and write the server's settings."""
    from ddoauth_kit.grading.first_look import first_look
    from ddoauth_kit.grading.settings import write_settings

    url, command = _words(options.words)
    if not url:
        return complain(
            "--init needs the address where the flow begins, such as "
            "http://localhost:3000/connect/datadog."
        )
    path = Path(options.file)
    if path.exists():
        write_settings(path, "")  # refuses before the server is started
    login = _login(options)
    text = first_look(
        url,
        command=command,
        env=_variables(options.set),
        login=login,
        means=_means(options),
        say=say,
    )
    write_settings(path, text)
    document(text.rstrip("\n"))
    ways = [f"--{way}" for way in ("browser", "isolate") if getattr(options, way)]
    again = "".join(f" {way}" for way in ways)
    say(f"Wrote {path}. Check each value, then run: ddoauth grade{again}")
    return SUCCESS


def _grade(options: argparse.Namespace) -> int:
    from ddoauth_kit.grading.grader import grade
    from ddoauth_kit.grading.reports.comparison import changes, read_verdicts
    from ddoauth_kit.grading.reports.written import write_grade

    settings = _settings(options)
    earlier = read_verdicts(Path(options.compare)) if options.compare else None
    if earlier is not None and options.only:
        earlier = {name: verdict for name, verdict in earlier.items() if name in options.only}
    sites = chosen_sites(options.site) if options.site else None
    report = grade(
        settings,
        only=options.only,
        sites=sites,
        say=say,
        sandbox=_joined(options.sandbox),
        means=_means(options),
    )
    changed = changes(report, earlier) if earlier is not None else ()
    if options.out:
        write_grade(report, out=Path(options.out), changed=changed)
    colour = wants_color(sys.stdout, color=options.color)
    text = _written(report, how=options.format, colour=colour, changed=changed)
    _show(text, colour=colour)
    if options.out:
        say(f"The page is {Path(options.out) / 'grade.html'}.")
    return _code(report, strict=options.strict)


def _settings(options: argparse.Namespace) -> GradeSettings:
    """Return the file's settings, overridden by the command line."""
    from ddoauth_kit.grading.settings import read_settings, settings_from

    url, command = _words(options.words)
    path = Path(options.file)
    if url and not path.exists():
        settings = settings_from({"start": {"url": url}}, folder=Path())
    else:
        settings = read_settings(path)
        if url:
            settings = replace(settings, start=settings_from({"start": {"url": url}}).start)
    server = settings.server
    if command:
        server = replace(server, command=command)
    if options.set:
        server = replace(server, env={**server.env, **_variables(options.set)})
    return replace(settings, server=server)


def _words(words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Split the words after the options into an address and a command."""
    url = words[0] if words and words[0].startswith(("http://", "https://")) else ""
    return url, tuple(words[1:] if url else words)


def _login(options: argparse.Namespace) -> ActSettings | None:
    """Return the login that the options describe, checked like one in the settings file."""
    from ddoauth_kit.grading.settings import SettingsError, settings_from

    form = _named(options.login_field, option="--login-field", example="account={account}")
    if not options.login:
        if form:
            raise SettingsError("bad_settings", "--login-field needs --login URL. Add it.")
        return None
    login = {"url": options.login, "form": form}
    return settings_from({"start": {"log": "-"}, "login": login}).login


def _named(pairs: Sequence[str], *, option: str, example: str) -> dict[str, str]:
    from ddoauth_kit.grading.settings import SettingsError

    for pair in pairs:
        if "=" not in pair or not pair.partition("=")[0]:
            what = f"{option} {shlex.quote(pair)} is not NAME=VALUE. Write {option} {example}."
            raise SettingsError("bad_settings", what)
    return dict(pair.partition("=")[::2] for pair in pairs)


def _variables(pairs: Sequence[str]) -> dict[str, str]:
    from ddoauth_kit.grading.settings import settings_from

    env = _named(pairs, option="--set", example="PORT=3000")
    # The file's rules apply here, too: an argument list must not contain a secret.
    return dict(settings_from({"start": {"log": "-"}, "server": {"env": env}}).server.env)


def _joined(url: str | None) -> SandboxAddress | None:
    if url is None:
        return None
    from ddoauth_kit.grading.joined_sandbox import find_sandbox

    return find_sandbox(url)


def _show(text: str, *, colour: bool) -> None:
    """Print the report directly, because `document` would show the colour codes as text."""
    if colour:
        sys.stdout.write(f"{text}\n")
    else:
        document(text)


def _written(
    report: GradeReport, *, how: str, colour: bool, changed: Sequence[VerdictChange]
) -> str:
    from ddoauth_kit.grading.reports.junit import grade_junit
    from ddoauth_kit.grading.reports.texts import grade_markdown, grade_text
    from ddoauth_kit.grading.reports.written import grade_json

    if how == "json":
        return grade_json(report).rstrip("\n")
    if how == "junit":
        return grade_junit(report).rstrip("\n")
    if how == "markdown":
        return grade_markdown(report, changed=changed).rstrip("\n")
    return grade_text(report, colour=colour, changed=changed)


def _code(report: GradeReport, *, strict: bool) -> int:
    from ddoauth_kit.grading.results import Grade

    failing = {Grade.BROKEN, Grade.INCOMPLETE} if strict else {Grade.BROKEN}
    return FOUND if report.grade in failing else SUCCESS

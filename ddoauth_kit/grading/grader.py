"""Grade a server: start the sandbox, fronts and process, connect once and run the scenarios."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ddoauth_kit.errors.near_names import nearest
from ddoauth_kit.grading.bench import Bench
from ddoauth_kit.grading.customer import CustomerBrowser, trust_of
from ddoauth_kit.grading.front.authority import Authority
from ddoauth_kit.grading.front.environment import front_environment, parent_proxy
from ddoauth_kit.grading.front.front_error import FrontError
from ddoauth_kit.grading.front.hosts import HostTable
from ddoauth_kit.grading.front.isolated_run import inside_prepared
from ddoauth_kit.grading.front.proxy import Front
from ddoauth_kit.grading.front.trust_files import TrustFiles
from ddoauth_kit.grading.preflight import preflight
from ddoauth_kit.grading.requirements import REQUIREMENTS
from ddoauth_kit.grading.results import CheckResult, GradeReport, Verdict
from ddoauth_kit.grading.running import Running
from ddoauth_kit.grading.sandbox_control import SandboxControl
from ddoauth_kit.grading.settings import SettingsError, resolved
from ddoauth_kit.grading.subject import Subject, SubjectStart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Self

    from ddoauth_kit.grading.front.records import FrontRecord
    from ddoauth_kit.grading.preflight import GoodRun
    from ddoauth_kit.grading.scenarios.finding import Finding
    from ddoauth_kit.grading.settings import ActSettings, GradeSettings
    from ddoauth_kit.sandbox import Sandbox

_LIMITS: Final = (
    "The server itself responded with 429, and the grader waited for it {} times. Raise the "
    "server's rate limit while you grade it: checks of acts do not wait."
)
# The hosts to which the sandbox's faults redirect.
FOREIGN: Final = ("datadog.example", "api.datadog.example", "elsewhere.example")
_LIST: Final = (
    "[list] was not used: after a successful connection, it contains neither the organization's id "
    "nor its name."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxAddress:
    """The address of a running sandbox, for a server that was started by hand.

    `key` gives access to its control interface.
    """

    url: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeMeans:
    """How to grade a server.

    With `browser`, Chromium opens its pages and runs their scripts. With `isolated`, this process,
    the server and the sandbox run in their own namespace; `forward` lists the machine's ports that
    the server may reach from there.
    """

    browser: bool = False
    isolated: bool = False
    forward: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Client:
    client_id: str
    client_secret: str
    redirect_uri: str
    scopes: tuple[str, ...]

    @classmethod
    def unknown(cls, settings: GradeSettings) -> Self:
        """Describe the known facts about the client of a server that is already running."""
        uris = settings.client.redirect_uris
        own = _nearest_uri(settings, uris) if uris else ""
        return cls(client_id="", client_secret="", redirect_uri=own, scopes=settings.client.scopes)


def grade(  # noqa: PLR0913 - the options of the command
    settings: GradeSettings,
    *,
    only: Sequence[str] = (),
    sites: Sequence[str] | None = None,
    say: Callable[[str], None] = lambda _: None,
    sandbox: SandboxAddress | None = None,
    means: GradeMeans | None = None,
) -> GradeReport:
    """Grade the server that the settings describe; `only` limits the checks.

    Raises:
        SettingsError: the first connection fails; `unknown_check` for `only`.
        FrontError: the front or the server's process cannot start.
    """
    began = time.monotonic()
    wanted = _wanted(only, settings)
    chosen = tuple(sites or settings.sites)
    with bench_for(settings, sites=chosen, sandbox=sandbox, means=means) as bench:
        running = Running(bench=bench, wanted=wanted, say=say)
        say(_announcement(running.connects_ahead()))
        good = preflight(bench)
        if "list" in bench.acts and not bench.list_names_orgs:
            running.notes.append(_LIST)
        findings = _all(running, good)
        if bench.waits:
            running.notes.append(_LIMITS.format(bench.waits))
        results = _results(findings, wanted=wanted, site=chosen[0])
        return GradeReport(
            results=results,
            sites=chosen,
            connects=bench.connects,
            seconds=time.monotonic() - began,
            tolerated=good.tolerated,
            left_out=dict(settings.skip) if not only else {},
            notes=tuple(running.notes),
        )


@contextmanager
def bench_for(
    settings: GradeSettings,
    *,
    sites: tuple[str, ...],
    sandbox: SandboxAddress | None = None,
    means: GradeMeans | None = None,
) -> Iterator[Bench]:
    """Start everything that a grading run needs, the server last, and stop it all at the end."""
    by = means or GradeMeans()
    with ExitStack() as stack:
        authority, command = Authority(), settings.server.command
        inside: Mapping[str, str] | None = None
        if by.isolated:
            # Until then, the namespace has no loopback, even for the sandbox.
            prepared = inside_prepared(
                authority, command=command, forward=by.forward, foreign=FOREIGN
            )
            whole, inside = stack.enter_context(prepared)
            settings = replace(settings, server=replace(settings.server, command=tuple(whole)))
        if sandbox is None:
            own, key = _own_sandbox(settings)
            stack.enter_context(own)
            control = SandboxControl(f"{own.base_url}/control", key=key)
            client = _registered(settings, own, control)
            base_url = own.base_url
        else:
            control = SandboxControl(f"{sandbox.url.rstrip('/')}/control", key=sandbox.key)
            client, base_url = _Client.unknown(settings), sandbox.url.rstrip("/")
        hosts = HostTable.of_sandbox(base_url)
        before = dict(os.environ)
        browsers = _front(hosts, authority, [], settings=settings, before=before)
        stack.enter_context(browsers.listen_as_proxy())
        records: list[FrontRecord] = []
        front, variables = None, before
        if sandbox is None:
            front = _front(hosts, authority, records, settings=settings, before=before)
            stack.enter_context(front.listen_as_hosts() if inside else front.listen_as_proxy())
            ways = inside or _proxy_ways(stack, authority, front, before=before)
            variables = {**ways, **_filled(settings.server.env, client)}
        bench = Bench(
            control=control,
            subject=_subject(settings, variables, client, by_hand=sandbox is not None),
            entry=settings.start,
            connected=settings.connected,
            client_id=client.client_id,
            redirect_uri=client.redirect_uri,
            scopes=client.scopes,
            sites=sites,
            hosts=hosts,
            proxy=browsers.url,
            trust=trust_of(authority.certificate),
            make_browser=_browsers(stack, proxy=browsers.url) if by.browser else CustomerBrowser,
            front=front,
            records=records,
            login=_with_secrets(settings.login, client),
            other_login=_with_secrets(settings.other_login, client),
            acts={name: _filled_act(act, client) for name, act in settings.acts.items()},
            words=settings.pages,
            seconds=settings.patience,
            durable=settings.durable,
            folder=settings.folder,
            command=command,
            environment=variables,
        )
        stack.callback(bench.subject.close)
        bench.subject.start()
        yield bench


def _browsers(stack: ExitStack, *, proxy: str) -> Callable[..., CustomerBrowser]:
    """Start Chromium, and return a function that creates customers who use it."""
    from ddoauth_kit.grading.script_browser import Chromium, ScriptBrowser

    return partial(ScriptBrowser, stack.enter_context(closing(Chromium(proxy=proxy))))


def _own_sandbox(settings: GradeSettings) -> tuple[Sandbox, str]:
    from ddoauth_kit.sandbox import Sandbox, SandboxError

    key = secrets.token_urlsafe(32)
    file = settings.folder / settings.client.file if settings.client.file else None
    try:
        made = Sandbox(
            client_file=file,
            scopes=settings.client.scopes or None,
            real_time=True,
            operator_key=key,
        )
    except (SandboxError, OSError) as error:
        raise SettingsError(
            "bad_client", f"`client` can't be read: {error}. Correct it in the settings."
        ) from None
    return made, key


def _registered(settings: GradeSettings, sandbox: Sandbox, control: SandboxControl) -> _Client:
    client = sandbox.client
    uris = settings.client.redirect_uris or client.redirect_uris
    if settings.client.redirect_uris:
        control.amend_client(client.client_id, redirect_uris=uris)
    return _Client(
        client_id=client.client_id,
        client_secret=client.client_secret,
        redirect_uri=_nearest_uri(settings, uris),
        scopes=client.scopes,
    )


def _nearest_uri(settings: GradeSettings, uris: Sequence[str]) -> str:
    """Return the tested server's redirect URI; if there are several, the one at its own address."""
    start = settings.start
    place = urlsplit(start.url or start.page or start.json).netloc
    own = [uri for uri in uris if urlsplit(uri).netloc == place]
    if not uris:
        raise SettingsError("bad_client", "The client has no redirect URI. Add it to [client].")
    return (own or list(uris))[0]


def _front(
    hosts: HostTable,
    authority: Authority,
    records: list[FrontRecord],
    *,
    settings: GradeSettings,
    before: Mapping[str, str],
) -> Front:
    return Front(
        hosts,
        authority,
        record=records.append,
        allow=settings.allow,
        parent_proxy=parent_proxy(before),
    )


def _proxy_ways(
    stack: ExitStack, authority: Authority, front: Front, *, before: Mapping[str, str]
) -> Mapping[str, str]:
    """Return the variables that make a process use the front."""
    trust = stack.enter_context(TrustFiles(authority, environment=before))
    return front_environment(before, proxy_url=front.url, trust=trust).variables


def _subject(
    settings: GradeSettings, variables: Mapping[str, str], client: _Client, *, by_hand: bool
) -> Subject:
    if not settings.server.command and not by_hand:
        raise SettingsError(
            "no_command",
            "Nothing says how to start your server. Add its command after --, such as "
            "`-- npm start`, or as `command` under [server] in the settings. Grade a server that "
            "already runs with --sandbox URL.",
        )
    start, server = settings.start, settings.server
    return Subject(
        SubjectStart(
            command=() if by_hand else server.command,
            environment=variables,
            place=start.url or start.page or start.json or client.redirect_uri,
            folder=settings.folder if settings.folder != Path() else None,
            ready=server.ready,
            log=settings.folder / server.log if server.log else None,
        )
    )


def _filled(values: Mapping[str, str], client: _Client) -> dict[str, str]:
    known = {"client_id": client.client_id, "client_secret": client.client_secret}
    return {
        name: resolved(value, values=known, environ=os.environ) for name, value in values.items()
    }


def _filled_act(act: ActSettings, client: _Client) -> ActSettings:
    fixed = _filled({"cookie": act.cookie, "header": act.header}, client)
    form = _filled(act.form, client)
    return replace(act, form=form, cookie=fixed["cookie"], header=fixed["header"])


def _with_secrets(act: ActSettings | None, client: _Client) -> ActSettings | None:
    return None if act is None else _filled_act(act, client)


def _wanted(only: Sequence[str], settings: GradeSettings) -> tuple[str, ...]:
    for name in only:
        if name not in REQUIREMENTS:
            meant = nearest(name, list(REQUIREMENTS))
            raise SettingsError("unknown_check", f"There is no check {name!r}.{meant}")
    return tuple(only) or tuple(name for name in REQUIREMENTS if name not in settings.skip)


def _announcement(connects: int) -> str:
    return (
        f"This makes about {connects} connections, each with a new sandbox organization. They "
        "leave rows, emails and webhooks in your server's own systems."
    )


def _all(running: Running, good: GoodRun) -> list[Finding]:
    if good.failure:
        running.say(f"The good run failed: {good.failure}")
        running.notes.append(f"The good run failed, so nothing else was tested: {good.failure}")
        return running.after_failure(good.findings)
    for line in good.tolerated:
        running.say(f"tolerated: {line}")
    return running.run(first=good.findings)


def _results(
    findings: Sequence[Finding], *, wanted: Sequence[str], site: str
) -> tuple[CheckResult, ...]:
    """Match the findings with their requirements, in the catalogue's order."""
    by_id = {finding.id: finding for finding in findings}
    return tuple(
        _result(name, by_id.get(name), site=site) for name in REQUIREMENTS if name in {*wanted}
    )


def _result(name: str, finding: Finding | None, *, site: str) -> CheckResult:
    requirement = REQUIREMENTS[name]
    if finding is None:
        return CheckResult(
            requirement=requirement,
            verdict=Verdict.NOT_TESTED,
            expected=requirement.sentence,
            actual="Not tried.",
            reason="The good run failed, so this scenario did not run.",
            site=site,
        )
    return CheckResult(
        requirement=requirement,
        verdict=finding.verdict,
        expected=finding.expected or requirement.sentence,
        actual=finding.actual,
        evidence=finding.evidence,
        excerpt=finding.excerpt,
        reason=finding.reason,
        site=finding.site or site,
    )


__all__ = ["FrontError", "GradeMeans", "SandboxAddress", "bench_for", "grade"]

"""Share the sandbox, fronts, server, client and settings among all scenarios of a grading run."""

from __future__ import annotations

import re
import secrets
import subprocess
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ddoauth_kit.grading.cookie_jar import is_loopback
from ddoauth_kit.grading.customer import SECONDS, CustomerBrowser
from ddoauth_kit.grading.settings import LONGEST_PATIENCE
from ddoauth_kit.grading.subject import FlowNotFoundError, begin_flow
from ddoauth_kit.sites import DATADOG_SITES

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ddoauth_kit.grading.customer import SeenPage
    from ddoauth_kit.grading.front.hosts import HostTable
    from ddoauth_kit.grading.front.proxy import Front
    from ddoauth_kit.grading.front.records import FrontRecord
    from ddoauth_kit.grading.sandbox_control import CustomerOrg, SandboxControl
    from ddoauth_kit.grading.settings import ActSettings, ConnectedSettings, StartSettings
    from ddoauth_kit.grading.subject import Subject

AUTHORIZE: Final = "/oauth2/v1/authorize"
# A login form may contain it; each browser then gets its own account.
ACCOUNT: Final = "{account}"
ACT_SECONDS: Final = 40.0
_PACE: Final = 10
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class ActOutcome:
    """The result of an act: the status of a request, or the exit code of a command."""

    succeeded: bool
    crashed: bool
    text: str
    failure: str = ""
    seconds: float = 0.0


@dataclass(kw_only=True)
class Bench:
    """Gives each scenario its own browser and organization, and counts the connections.

    While `beside` is true, scenarios run side by side, and each sees only its own organization.
    `waits` counts how often the grader waited because of the server's own rate limit.
    `list_names_orgs` is false if a successful connection showed that the address in [list] doesn't
    name organizations. `seconds` is how long a page may take, and `token_life` is the lifetime of
    an access token that must expire soon. Both grow if a successful connection shows that the
    server or its machine is slow. `pace` is the longest time that a successful connection took to
    show its page.
    """

    control: SandboxControl
    subject: Subject
    entry: StartSettings
    connected: ConnectedSettings
    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    sites: tuple[str, ...]
    hosts: HostTable
    proxy: str
    trust: ssl.SSLContext
    make_browser: Callable[..., CustomerBrowser] = CustomerBrowser
    front: Front | None = None
    records: list[FrontRecord] = field(default_factory=list)
    login: ActSettings | None = None
    other_login: ActSettings | None = None
    acts: Mapping[str, ActSettings] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    seconds: float = SECONDS
    pace: float = 0.0
    token_life: int = 1
    durable: bool = False
    folder: Path | None = None
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    list_names_orgs: bool = True
    connects: int = 0
    waits: int = 0
    beside: bool = False
    org_ids: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _numbers: int = 0
    _accounts_from: str = field(default_factory=lambda: secrets.token_hex(3))

    @property
    def site(self) -> str:
        """Return the site that most scenarios use: the first graded site."""
        return self.sites[0]

    def browser(self, *, seconds: float | None = None, login: bool = True) -> CustomerBrowser:
        """Return a fresh browser, logged in if the server has a login."""
        return self._browser(self.login if login else None, seconds=seconds)

    def other_browser(self) -> CustomerBrowser:
        """Return another person's browser, with the other account if the settings name one."""
        return self._browser(self.other_login or self.login)

    def _browser(
        self, login: ActSettings | None, *, seconds: float | None = None
    ) -> CustomerBrowser:
        headers = dict([_header(login)]) if login is not None and login.header else None
        options: dict[str, Any] = {
            "proxy": self.proxy,
            "trust": self.trust,
            "seconds": seconds or self.seconds,
            "headers": headers,
            "limited": self._count_wait,
        }
        browser = self.make_browser(**options)
        if login is not None and login.cookie:
            browser.jar.take(f"{login.cookie}; Path=/", url=self.address)
        if login is not None and (login.url or login.command):
            self._log_in(login, browser)
        return browser

    def _log_in(self, login: ActSettings, browser: CustomerBrowser) -> None:
        """Log a fresh browser in.

        Raises:
            FlowNotFoundError: `login_failed`.
        """
        done = self.perform(login, browser)
        if done.succeeded:
            return
        where = login.url.partition("?")[0] or " ".join(login.command)
        page = browser.pages[-1] if browser.pages else None
        how = done.failure or (f"status {page.status}" if page and login.url else "a failure")
        raise FlowNotFoundError(
            "login_failed",
            f"The login at {where} ended with {how}. Check [login] and the variables it names.",
            page,
        )

    @property
    def address(self) -> str:
        """Return the server's address: the start of the flow, or else its redirect URI."""
        return self.entry.url or self.entry.page or self.entry.json or self.redirect_uri

    @property
    def has_sessions(self) -> bool:
        """Return whether two browsers can act as two people, which a fixed cookie would prevent."""
        fixed = self.login is not None and bool(self.login.cookie or self.login.header)
        return not fixed or self.other_login is not None

    def org(
        self,
        site: str | None = None,
        *,
        vanity: str | None = None,
        permissions: Sequence[str] | None = None,
    ) -> CustomerOrg:
        """Create an organization for one scenario; its user has all permissions by default."""
        number = self._count()
        made = self.control.new_org(
            site or self.site, name=f"Customer {number}", vanity=vanity, permissions=permissions
        )
        self.org_ids.append(made.id)
        return made

    def _count(self) -> int:
        with self._lock:
            self._numbers += 1
            return self._numbers

    def _count_wait(self) -> None:
        with self._lock:
            self.waits += 1

    def keep_pace(self, seconds: float) -> None:
        """Allow a page ten times as long as a successful connection, but at least `patience`."""
        with self._lock:
            self.pace = max(self.pace, seconds)
            self.seconds = max(self.seconds, min(_PACE * self.pace, LONGEST_PATIENCE))

    def lengthen_life(self, seconds: int) -> None:
        """Set the minimum lifetime of tokens for scenarios in which they must expire."""
        with self._lock:
            self.token_life = max(self.token_life, seconds)

    def count_connect(self) -> None:
        """Count one attempt that returned to the server."""
        with self._lock:
            self.connects += 1

    def is_datadog(self, url: str) -> bool:
        """Return whether an address is one of Datadog's consent pages."""
        host = self.hosts.find(urlsplit(url).hostname or "")
        return host is not None and host.role == "app"

    def is_redirect(self, url: str) -> bool:
        """Return whether an address has the host of the server or of its redirect URI."""
        if self.redirect_uri and url.partition("?")[0] == self.redirect_uri.partition("?")[0]:
            return True
        return not self.is_datadog(url)

    def begin(self, browser: CustomerBrowser, *, tile: Mapping[str, str]) -> str:
        """Start the flow in this browser, and return the resulting authorization request."""
        return begin_flow(
            self.entry,
            browser,
            is_datadog=self.is_datadog,
            tile=tile,
            written=self.subject.written,
        )

    def shows_connected(self, page: SeenPage, browser: CustomerBrowser) -> bool:
        """Return whether the server counts this browser as connected."""
        mark = self.connected
        if mark.status_url:
            status = browser.open(mark.status_url, initiator=mark.status_url)
            return mark.text in status.body if mark.text else 0 < status.status < 400  # noqa: PLR2004
        if page.failure or page.status >= _SERVER_ERROR:
            return False
        if mark.address and not page.url.startswith(mark.address):
            return False
        return mark.text in page.html.text or mark.text in page.body

    def lists(self, org: CustomerOrg, browser: CustomerBrowser) -> bool:
        """Return whether the server lists this organization as connected, by its id or its name.

        Return false if the settings lack [list], or if a successful connection showed that the list
        contains neither.
        """
        if "list" not in self.acts or not self.list_names_orgs:
            return False
        text = self.perform(self.acts["list"], browser).text
        return org.id in text or re.search(rf"{re.escape(org.name)}\b", text) is not None

    def tile(self, site: str, *, vanity_url: str | None = None) -> dict[str, str]:
        """Return the parameters that this site's tile at Datadog adds to an onboarding URL."""
        named = DATADOG_SITES.named(site)
        return {"site": vanity_url or named.public.app_url, "domain": named.domain}

    def perform(self, act: ActSettings, browser: CustomerBrowser) -> ActOutcome:
        """Make the server do something, through a request from this browser or a command."""
        if act.command:
            return self._run(act.command)
        page = self._send_form(act, browser) if act.form else browser.request(act.method, act.url)
        ok = not page.failure and 200 <= page.status < 400  # noqa: PLR2004 - classes of statuses
        crashed = page.failure in {"broken", "unreachable"} or page.status == _SERVER_ERROR
        return ActOutcome(ok, crashed, page.body, page.failure, page.seconds)

    def _send_form(self, act: ActSettings, browser: CustomerBrowser) -> SeenPage:
        """Submit the form at the address with its hidden fields, or else post the fields."""
        account = f"{self._accounts_from}{self._count()}"
        fields = {name: text.replace(ACCOUNT, account) for name, text in act.form.items()}
        shown = browser.open(act.url)
        for form in shown.html.forms:
            if {*fields} <= {name for name, _ in form.fields}:
                button = form.buttons[0] if form.buttons else None
                return browser.send(form, page=shown.url, button=button, changes=fields)
        return browser.post(act.url, list(fields.items()), initiator=act.url)

    def _run(self, command: Sequence[str]) -> ActOutcome:
        try:
            done = subprocess.run(  # noqa: S603 - the settings name it
                command,
                env=dict(self.environment) or None,
                cwd=self.folder,
                capture_output=True,
                timeout=ACT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return ActOutcome(succeeded=False, crashed=False, text="", failure="timeout")
        except OSError as error:
            return ActOutcome(False, True, "", f"not started ({error.strerror})")  # noqa: FBT003
        text = (done.stdout + done.stderr).decode(errors="replace")
        return ActOutcome(done.returncode == 0, done.returncode < 0, text)

    def left_for(self, *, since: int) -> tuple[FrontRecord, ...]:
        """Return the server's requests to other hosts than Datadog's, after this many records."""
        return tuple(
            record
            for record in self.records[since:]
            if record.site is None and not is_loopback(record.host)
        )


def _header(login: ActSettings) -> tuple[str, str]:
    name, _, value = login.header.partition(":")
    return name.strip(), value.strip()

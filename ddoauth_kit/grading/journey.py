"""Take one customer through one attempt: start, consent at Datadog, return to the server."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ddoauth_kit.grading.subject import FlowNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from ddoauth_kit.grading.bench import Bench
    from ddoauth_kit.grading.customer import CustomerBrowser, SeenPage
    from ddoauth_kit.grading.sandbox_control import CustomerOrg, SandboxEvent

_BROKEN_OFF: Final = frozenset({"broken", "unreachable"})
_DYING: Final = 2.0
_TICK: Final = 0.05
APPROVE: Final = ("decision", "approve")
DENY: Final = ("decision", "deny")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What the server did with a redirect: its page, and the requests that it made.

    `connected` tells whether the server counts the browser as connected; `listed` tells whether its
    list of connections names the organization. `written` is the server's output. `words` maps
    checks to the text that [pages] expects.
    """

    page: SeenPage
    events: tuple[SandboxEvent, ...]
    connected: bool
    alive: bool
    written: str
    listed: bool = False
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def exchanges(self) -> tuple[SandboxEvent, ...]:
        """Return the token requests for a code."""
        return tuple(event for event in self.events if event.is_exchange)

    @property
    def issued(self) -> bool:
        """Return whether Datadog issued tokens."""
        return any(event.succeeded for event in self.exchanges)


class Journey:
    """One attempt, with its own browser and organization.

    Raises:
        FlowNotFoundError: the attempt did not reach the consent page, or did not return from it.
    """

    def __init__(
        self,
        bench: Bench,
        *,
        site: str | None = None,
        browser: CustomerBrowser | None = None,
        org: CustomerOrg | None = None,
        vanity: str | None = None,
    ) -> None:
        self._bench = bench
        self.site = site or bench.site
        self.browser = browser or bench.browser()
        self.org = org or bench.org(self.site, vanity=vanity)
        self.began = bench.control.last()
        self.records_began = len(bench.records)
        self.request = ""
        self.location = ""

    def fault(self, spec: str) -> Self:
        """Make something fail, but only for this journey's organization."""
        self._bench.control.fault(spec, org=self.org.id)
        return self

    def begin(self, *, tile: bool = True) -> Self:
        """Let the server send the browser to Datadog, and store the address as `request`.

        With `tile`, the customer comes from Datadog's tile, which adds `site` and `domain`.
        """
        named = self._bench.tile(self.site, vanity_url=self.org.site_url or None)
        self.request = self._bench.begin(self.browser, tile=named if tile else {})
        return self

    @property
    def asked(self) -> dict[str, str]:
        """Return the parameters of the authorization request."""
        return dict(parse_qsl(urlsplit(self.request).query, keep_blank_values=True))

    def consent(self, answer: tuple[str, str] = APPROVE, *, region: str | None = None) -> Self:
        """Respond to Datadog's page, and store the redirect as `location` without following it."""
        bench, browser = self._bench, self.browser
        place = urlsplit(self.request)
        browser.open(f"{place.scheme}://{place.netloc}{bench.control.sign_in_path(self.org.id)}")
        page = browser.open(self.request, initiator=bench.address, until=bench.is_redirect)
        if page.stopped_at:
            self.location = page.stopped_at
            return self
        forms = [f for f in page.html.forms if any(name == "decision" for name, _ in f.buttons)]
        if not forms:
            raise FlowNotFoundError("consent_refused", _refused(page), page)
        changes = {} if region is None else {"region": region}
        sent = browser.send(
            forms[0], page=page.url, button=answer, changes=changes, until=bench.is_redirect
        )
        if not sent.stopped_at:
            raise FlowNotFoundError("consent_refused", _refused(sent), sent)
        self.location = sent.stopped_at
        return self

    def arrive(
        self, location: str | None = None, *, browser: CustomerBrowser | None = None
    ) -> Arrival:
        """Follow a redirect in a browser, by default the journey's own, and wait for the page."""
        bench = self._bench
        who = browser or self.browser
        before, mark = bench.control.last(), bench.subject.mark
        bench.count_connect()
        page = who.open(location or self.location, initiator=self.request)
        return Arrival(
            page=page,
            events=self._mine(bench.control.events(after=before)),
            connected=bench.shows_connected(page, who),
            alive=_lives(bench, page),
            written=bench.subject.written(since=mark),
            listed=bench.lists(self.org, who),
            words=bench.words,
        )

    def connect(self) -> Arrival:
        """Run the whole attempt."""
        return self.begin().consent().arrive()

    def events(self) -> tuple[SandboxEvent, ...]:
        """Return the requests that the sandbox has handled since this journey began."""
        return self._mine(self._bench.control.events(after=self.began))

    def _mine(self, events: tuple[SandboxEvent, ...]) -> tuple[SandboxEvent, ...]:
        if not self._bench.beside:
            return events
        return tuple(event for event in events if event.org == self.org.id)


def _lives(bench: Bench, page: SeenPage) -> bool:
    """Return whether the process is alive; a dying process first gets a moment to exit."""
    until = time.monotonic() + (_DYING if page.failure in _BROKEN_OFF else 0.0)
    while bench.subject.alive and time.monotonic() < until:
        time.sleep(_TICK)
    return bench.subject.alive


def changed(location: str, changes: Mapping[str, str | None]) -> str:
    """Return the redirect with some parameters changed; the value None removes a parameter."""
    parts = urlsplit(location)
    pairs = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in changes
    ]
    pairs += [(name, value) for name, value in changes.items() if value is not None]
    return urlunsplit(parts._replace(query=urlencode(pairs)))


def parameters(location: str) -> dict[str, str]:
    """Return the parameters of a redirect."""
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))


def _refused(page: SeenPage) -> str:
    words = page.html.text[:200] or page.failure
    return f"Datadog's page refused the authorization request ({page.status}): {words}"

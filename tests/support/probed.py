"""Prepare to probe a sandbox as a lab does, with every part accessible."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from ddoauth_kit import create_api_key
from ddoauth_kit.http.sender import AsyncHttp
from ddoauth_kit.oauth.grant import Grant, grant_slot
from ddoauth_kit.probing.catalogue import catalogue
from ddoauth_kit.probing.probe import Writes
from ddoauth_kit.probing.probe_run import Probing
from ddoauth_kit.probing.prober import ProbeTarget
from ddoauth_kit.store import MemoryStore
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent
from support.loopback import Answer
from support.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ddoauth_kit import TokenSet
    from support.loopback import Arrived, RecordingServer

ALL = tuple(catalogue().scopes)
CONTRASTS = ("events_read", "metrics_read")


class Probed(Scene):
    """A sandbox, a client bound to it, and everything that probing needs."""

    def grant(self, site: str = "us1", *scopes: str) -> TokenSet:
        """Go through consent on a site, for all scopes or for some."""
        domain = self.oauth.sites.named(site).domain
        request = self.oauth.begin(domain=domain, scopes=scopes or None, session="s")
        return self.oauth.exchange(self.oauth.receive(visit_consent(request), session="s"))

    def kept(self, tokens: TokenSet) -> Grant:
        """Return the keeper of tokens, with its own store."""
        grant = Grant(self.oauth, store=MemoryStore(), slot=grant_slot(tokens))
        grant.keep(tokens)
        return grant

    @property
    def refreshed(self) -> int:
        """Return the number of refreshes that the sandbox has seen."""
        return sum("refresh_token" in entry.fields for entry in self.sandbox.journal)

    def target(
        self, site: str = "us1", *, scopes: Iterable[str] = ALL, **changes: Any
    ) -> ProbeTarget:
        """Return a target with a grant of all scopes, and two token sets to compare with."""
        tokens = changes.pop("tokens", None) or self.grant(site)
        values = {
            "site": tokens.site,
            "scopes": tuple(scopes),
            "grant": self.kept(tokens),
        }
        if "contrasts" not in changes:
            values["contrasts"] = tuple(self.grant(site, scope) for scope in CONTRASTS)
        return ProbeTarget(**{**values, **changes})

    def key(self, tokens: TokenSet) -> Any:
        """Create the one API key of a token's organization."""
        return create_api_key(self.http, tokens=tokens)

    def probing(self, *targets: ProbeTarget, **choices: Any) -> Probing:
        """Return a harmless probing run that waits by the sandbox's clock."""
        return Probing(
            targets,
            **{
                "writes": Writes.HARMLESS,
                "now": self.sandbox.clock.now(),
                "open_http": partial(AsyncHttp, sleep=self.sleep),
                **choices,
            },
        )

    async def sleep(self, seconds: float) -> None:
        """Let time pass in the sandbox instead of waiting."""
        self.sandbox.clock.advance(seconds)

    def sent(self, path: str) -> int:
        """Return the number of requests for a path that the sandbox has seen."""
        return sum(entry.path == path for entry in self.sandbox.journal)


def probing_threads() -> set[str]:
    """Return the threads that probing may have left."""
    names = (thread.name for thread in threading.enumerate())
    return {name for name in names if name.startswith(("probing", "asyncio"))}


def answer_some(serve: Callable[..., RecordingServer], count: int) -> RecordingServer:
    """Respond to this many calls at once, and to no other."""
    left = [count]

    def respond(_arrived: Arrived) -> Answer:
        left[0] -= 1
        return Answer("[]", until=None if left[0] >= 0 else server.closing)

    server = serve(respond=respond)
    return server

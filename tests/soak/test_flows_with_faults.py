"""With every fault at some percent a flow succeeds or ends in a named error, and loses nothing."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.builders import with_locals
from support.scene import Scene
from support.waiting import until

from ddoauth_kit.api.api_keys import api_key_slot, create_kept_api_key
from ddoauth_kit.api.refusals import refuse_failure
from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.http.sender import Http
from ddoauth_kit.oauth.grant import Grant, grant_slot
from ddoauth_kit.oauth.tokens import current_user_request
from ddoauth_kit.sandbox import FAULTS, Sandbox
from ddoauth_kit.sandbox.server import transport_faults as spoil
from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.store import FileStore
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# At five percent, a few of 200 flows succeed, and once in a hundred times none of them.
OFTEN = {200: 0.03, 10_000: 0.05}
THREADS = 4
PATIENCE = 60.0
MINTED = re.compile(r"sandbox-(?:secret|code|access|refresh|key)-[0-9a-f]{8,}")


class Flows:
    """Run flows, each on a site of its thread's, and count how they end."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.store = FileStore(folder)
        self.ends: Counter[str] = Counter()
        self.longest = 0.0
        self.keys = 0
        self.lost: list[str] = []
        self.leaks: list[str] = []
        self._lock = threading.Lock()

    def run(self, sites: list[str], count: int) -> None:
        """Run so many flows over these sites, with one client as a server has it."""
        with Http(sleep=lambda _: None, timeout=30.0) as http:
            scene = Scene(self.sandbox, http)
            for number in range(count):
                begun = time.perf_counter()
                end = self._flow(scene, sites[number % len(sites)])
                with self._lock:
                    self.ends[end] += 1
                    self.longest = max(self.longest, time.perf_counter() - begun)
            self._look(repr(http.transcript), *(str(each) for each in http.transcript))

    def _flow(self, scene: Scene, site: str) -> str:
        try:
            self._steps(scene, site)
        except DdoauthError as error:
            self._look(str(error), with_locals(error))
            return error.code
        finally:
            self._customer_revokes(site)
        return "success"

    def _steps(self, scene: Scene, site: str) -> None:
        request = scene.oauth.begin(domain=DATADOG_SITES.named(site).domain, session="s")
        tokens = scene.oauth.complete(visit_consent(request), session="s")
        grant = Grant(scene.oauth, store=self.store, slot=grant_slot(tokens))
        grant.keep(replace(tokens, expires_at=scene.sandbox.clock.now()))
        tokens = grant.tokens()
        self._key(scene, grant)
        refuse_failure(grant.send(current_user_request))
        grant.end()

    def _key(self, scene: Scene, grant: Grant) -> None:
        tokens = grant.tokens()
        api_key = create_kept_api_key(scene.http, tokens=tokens, store=self.store)
        held = self.store.get(api_key_slot(tokens))
        with self._lock:
            self.keys += 1
            if held != api_key.key:
                self.lost.append(str(api_key))
        self.store.forget(api_key_slot(tokens))

    def _customer_revokes(self, site: str) -> None:
        """Apply the fix from lesson 04, so that the next flow can always create a key."""
        for key in self.sandbox.api_keys(site):
            self.sandbox.revoke_api_key(key.id)

    def _look(self, *texts: str) -> None:
        found = [match[0] for text in texts for match in MINTED.finditer(text)]
        with self._lock:
            self.leaks += found


@pytest.fixture
def sandbox(count: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Serve with every fault there is, and shorten the slow ones, which would take hours."""
    monkeypatch.setattr(spoil, "SLOW_SECONDS", 0.02)
    monkeypatch.setattr(spoil, "HANG_SECONDS", 0.02)
    with Sandbox(
        profile="rfc",
        rotate=True,
        faults=[f"{name}:{OFTEN[count]}" for name in FAULTS],
        real_time=True,
    ) as running:
        yield running


@pytest.mark.checklist("C9")
@pytest.mark.checklist("C13")
@pytest.mark.parametrize("count", [200, pytest.param(10_000, marks=pytest.mark.soak)])
def test_every_flow_has_a_named_end(
    sandbox: Sandbox,
    tmp_path: Path,
    count: int,
    caplog: pytest.LogCaptureFixture,
    record_property: Callable[[str, object], None],
) -> None:
    """No flow hangs or leaks a secret or a descriptor, and each reported key is stored."""
    caplog.set_level(logging.DEBUG, logger="ddoauth_kit")
    flows = Flows(sandbox, tmp_path / "kept")
    before = len(list(Path("/proc/self/fd").iterdir()))
    names = list(DATADOG_SITES.names)
    with ThreadPoolExecutor(THREADS) as pool:
        share = [names[number::THREADS] for number in range(THREADS)]
        for done in [pool.submit(flows.run, sites, count // THREADS) for sites in share]:
            done.result()
    assert sum(flows.ends.values()) == count
    assert flows.ends["success"] > 0
    assert flows.longest < PATIENCE
    assert flows.lost == []
    assert flows.leaks == []
    assert not MINTED.search(caplog.text)
    # The server's side of a connection closes a moment after the client's.
    until(lambda: len(list(Path("/proc/self/fd").iterdir())) <= before + THREADS)
    ends = ", ".join(f"{code} {n}" for code, n in flows.ends.most_common())
    record_property(
        "figure",
        f"{count} flows with {len(FAULTS)} faults at {OFTEN[count]:.0%} each: {ends}; "
        f"{flows.keys} keys made and kept, none lost; longest flow {flows.longest:.1f} s",
    )

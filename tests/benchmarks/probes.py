"""Compare probing all scopes on all nine sites with a bare loop and with Datadog's own client.

The sandbox runs in a process of its own and waits 50 ms before each answer. The bare loop and the
official client send the very requests that the kit sends. CPU is that of the client's process.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
from datadog_api_client import ApiClient, Configuration, ThreadedApiClient
from datadog_api_client.exceptions import ApiException
from sandbox_process import authorized, oauth_client, sandbox_process
from timing import summary, table

from ddoauth_kit import DATADOG_SITES, create_api_key
from ddoauth_kit.http.sender import AsyncHttp
from ddoauth_kit.oauth.grant import Grant, grant_slot
from ddoauth_kit.probing import probe_run as probing
from ddoauth_kit.probing.catalogue import catalogue
from ddoauth_kit.probing.probe import Writes
from ddoauth_kit.probing.prober import ProbeTarget
from ddoauth_kit.store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit import OAuthClient, TokenSet
    from ddoauth_kit.http.message import Request
    from ddoauth_kit.http.sending import Outcome

LATENCY = 0.05
AT_ONCE = 10
ROUNDS = 3
COPIES = (1, 2, 4)
CLIENTS = 10


class Recording(AsyncHttp):
    """Send as always, and keep each request, so that others can send the same."""

    requests: list[Request]

    async def _send_once(self, request: Request) -> Outcome:
        self.requests.append(request)
        return await super()._send_once(request)


def _target(client: OAuthClient, site: str) -> ProbeTarget:
    tokens = authorized(client, site)
    return ProbeTarget(
        site=tokens.site,
        scopes=tuple(catalogue().scopes),
        grant=kept(client, tokens),
        contrasts=tuple(authorized(client, site, [s]) for s in ("events_read", "metrics_read")),
        api_key=create_api_key(client.http, tokens=tokens),
    )


def kept(client: OAuthClient, tokens: TokenSet) -> Grant:
    """Return the keeper of tokens, in memory."""
    grant = Grant(client, store=MemoryStore(), slot=grant_slot(tokens))
    grant.keep(tokens)
    return grant


def _kit(targets: list[ProbeTarget], open_http: Callable[[], AsyncHttp] = AsyncHttp) -> int:
    run = probing.Probing(targets, writes=Writes.HARMLESS, open_http=open_http)
    return len(asyncio.run(run.run()).results)


def _recorded(targets: list[ProbeTarget]) -> list[Request]:
    """Return the requests of one run of the kit."""
    Recording.requests = []
    _kit(targets, Recording)
    return Recording.requests


async def _bare(requests: list[Request]) -> None:
    """Send the requests with one httpx client a site, ten at once on each."""
    limits = httpx.Limits(max_connections=AT_ONCE)
    by_site = [[r for r in requests if r.site.name == name] for name in DATADOG_SITES.names]
    clients = [httpx.AsyncClient(limits=limits) for _ in by_site]

    async def work(client: httpx.AsyncClient, waiting: list[Request]) -> None:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(request: Request) -> None:
            async with gate:
                answer = await client.request(
                    request.method,
                    request.url,
                    headers=request.revealed_headers(),
                    content=request.content(),
                )
                _ = answer.text

        await asyncio.gather(*(one(request) for request in waiting))

    await asyncio.gather(*map(work, clients, by_site))
    for client in clients:
        await client.aclose()


def _official(requests: list[Request], *, threaded: bool) -> None:
    """Send the requests with the official client, one client a token as its README shows."""
    kind = ThreadedApiClient if threaded else ApiClient
    clients: dict[tuple[str, str], ApiClient] = {}
    results = []
    for request in requests:
        headers = dict(request.revealed_headers())
        token = headers.get("authorization", "").removeprefix("Bearer ")
        key = (request.site.api_url, token)
        if key not in clients:
            configuration = Configuration(host=request.site.api_url, access_token=token or None)
            configuration.api_key.clear()
            clients[key] = kind(configuration)
        url = request.url
        path = url.removeprefix(request.site.api_url)
        call = partial(
            clients[key].call_api,
            path if path != url else urlsplit(url).path,
            request.method,
            header_params=headers,
            body=request.body,
            response_type=None,
            host=request.site.api_url if path != url else url.removesuffix(urlsplit(url).path),
            return_http_data_only=True,
        )
        results.append(_called(call))
    for result in results:
        if hasattr(result, "get"):
            with suppress(ApiException):
                result.get()
    for client in clients.values():
        client.close()


def _called(call: Callable[[], object]) -> object:
    try:
        return call()
    except ApiException as error:
        return error.status


def _timed(subject: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    subject()
    return time.perf_counter() - wall, time.process_time() - cpu


def _compare(targets: list[ProbeTarget]) -> None:
    requests = _recorded(targets)
    longest = max(Counter(request.site.name for request in requests).values())
    subjects: dict[str, tuple[int, Callable[[], object]]] = {
        "ddoauth_kit": (ROUNDS, partial(_kit, targets)),
        "bare httpx": (ROUNDS, lambda: asyncio.run(_bare(requests))),
        "official client, threaded": (1, partial(_official, requests, threaded=True)),
        "official client, one at a time": (1, partial(_official, requests, threaded=False)),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in subjects}
    for turn in range(ROUNDS):
        for name, (rounds, subject) in subjects.items():
            if turn < rounds:
                taken[name].append(_timed(subject))
    floor = longest / AT_ONCE * LATENCY
    print(f"{len(requests)} requests for {len(targets) * len(targets[0].scopes)} probes")  # noqa: T201
    rows = [("floor (longest site)", f"{floor:.2f}", "", "")]
    for name, times in taken.items():
        wall, cpu = zip(*times, strict=True)
        rate = len(requests) / sorted(wall)[len(wall) // 2]
        figures = (summary(list(values), digits=2) for values in (wall, cpu))
        rows.append((name, *figures, f"{rate:.0f}"))
    print(table(("client", "wall s", "CPU s", "requests/s"), rows))  # noqa: T201


def _grow(targets: list[ProbeTarget], description: dict[str, Any]) -> None:
    """Print wall time and peak memory for more and more probes, and for ten clients at once."""
    rows = []
    for copies in COPIES:
        scopes = tuple(chain.from_iterable([targets[0].scopes] * copies))
        wide = [replace(target, scopes=scopes) for target in targets]
        rows.append(_grown(f"{len(scopes) * len(wide)}, one client", wide))
    clients = [oauth_client(description) for _ in range(CLIENTS)]
    many = [
        replace(target, grant=kept(client, authorized(client, target.site.name)))
        for client in clients
        for target in targets
    ]
    rows.append(_grown(f"{sum(len(t.scopes) for t in many)}, {CLIENTS} clients", many))
    for client in clients:
        client.http.close()
    print(table(("probes", "wall s", "CPU s", "peak RSS MB"), rows))  # noqa: T201


def _grown(name: str, targets: list[ProbeTarget]) -> tuple[str, ...]:
    """Return a row; the peak is that of the process so far, so the largest comes last."""
    wall, cpu = _timed(partial(_kit, targets))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return name, f"{wall:.2f}", f"{cpu:.2f}", f"{peak:.0f}"


def main() -> None:
    """Print the comparison, and how time and memory grow."""
    with sandbox_process("--latency", str(LATENCY)) as description:
        client = oauth_client(description)
        targets = [_target(client, site) for site in DATADOG_SITES.names]
        _compare(targets)
        _grow(targets, description)
        client.http.close()


if __name__ == "__main__":
    main()

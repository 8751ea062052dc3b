"""Test one scope: make its call, compare it if necessary, and say what the response proves."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.probing.data_in import try_data_in
from ddoauth_kit.probing.probe import (
    Approach,
    CallProbe,
    NoProbe,
    RoundTripProbe,
    TelemetryProbe,
    Writes,
    listing_request,
    probe_request,
)
from ddoauth_kit.probing.probe_choice import area_of, choose_probe, flow_of
from ddoauth_kit.probing.request_values import filled_path, is_id
from ddoauth_kit.probing.round_trips import ROUND_TRIPS, try_round_trip
from ddoauth_kit.probing.verdict import (
    NO_CONTRAST,
    ProbeResult,
    Verdict,
    judge,
    needs_contrast,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ddoauth_kit.api.api_keys import ApiKey
    from ddoauth_kit.http.message import Request, Response
    from ddoauth_kit.http.sender import AsyncHttp
    from ddoauth_kit.oauth.grant import Grant
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.probing.catalogue import ScopeSet
    from ddoauth_kit.probing.probe_report import Baseline
    from ddoauth_kit.sites import Site


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """Everything needed to probe one site.

    Without a `grant`, `reason` says why there is none. `contrasts` contains token sets for the same
    site with fewer scopes, because the same call with a token that lacks the scope shows what a 404
    means. `api_key` is the partner's existing key.
    """

    site: Site
    scopes: tuple[str, ...]
    grant: Grant | None
    contrasts: tuple[TokenSet, ...] = ()
    api_key: ApiKey | None = None
    reason: str = ""

    def contrast_for(self, probe: CallProbe) -> TokenSet | None:
        """Return a token set whose scopes don't open this probe's call."""
        usable = [
            tokens
            for tokens in self.contrasts
            if probe.scope not in tokens.scopes
            and not any(names <= set(tokens.scopes.granted) for names in probe.alternatives)
        ]
        return usable[0] if usable else None


class Prober:
    """Test scopes one by one on a site, and keep the grant alive.

    If `baseline` says that the token is dead, nothing is sent.
    """

    def __init__(  # noqa: PLR0913 - each is a fact of its own
        self,
        http: AsyncHttp,
        target: ProbeTarget,
        *,
        grant: Grant,
        baseline: Baseline,
        writes: Writes,
        now: datetime,
    ) -> None:
        self._http = http
        self._target = target
        self._grant = grant
        self._baseline = baseline
        self._granted = frozenset[str]()
        self._writes = writes
        self._now = now

    @property
    def granted(self) -> ScopeSet:
        """Return the scopes of the latest tokens, even if the tokens have expired."""
        if latest := self._grant.latest:
            self._granted = frozenset(latest.scopes.granted)
        return self._granted

    async def try_scope(self, scope: str) -> ProbeResult:
        """Return the result for one scope; a failure is a result, too."""
        granted = self.granted
        probe = choose_probe(scope, granted=granted, writes=self._writes, now=self._now)
        row = ProbeResult(
            site=self._target.site.name,
            scope=scope,
            area=probe.area,
            flow=probe.flow,
            verdict=Verdict.FAILED,
        )
        if isinstance(probe, NoProbe):
            held_back = probe.approach is Approach.HELD_BACK
            verdict = Verdict.NOT_TRIED if held_back else Verdict.NO_OPERATION
            return replace(row, verdict=verdict, evidence=probe.reason)
        if not isinstance(probe, TelemetryProbe):
            row = replace(
                row,
                method=probe.operation.method,
                path=probe.operation.path,
                explained_by=probe.explained_by(granted),
            )
        if not self._baseline.alive:
            return replace(row, evidence=self._baseline.evidence)
        try:
            return await self._tried(probe, row)
        except DdoauthError as error:
            status = error.exchange.status if error.exchange else None
            return replace(row, status=status, evidence=error.what)

    async def _tried(
        self, probe: CallProbe | RoundTripProbe | TelemetryProbe, row: ProbeResult
    ) -> ProbeResult:
        match probe:
            case TelemetryProbe():
                await self._grant.atokens()  # if the grant has ended, the key proves nothing
                sends = self._writes is not Writes.NONE
                key = self._target.api_key
                return await try_data_in(self._http, row, api_key=key, now=self._now, sends=sends)
            case RoundTripProbe():
                trip = ROUND_TRIPS[probe.scope]
                return await try_round_trip(self._call, row, trip=trip, granted=self.granted)
            case CallProbe():
                return await self._called(probe, row)

    async def _call(self, build: Callable[[TokenSet], Request]) -> Response:
        return await self._grant.asend(self._http, build)

    async def _called(self, probe: CallProbe, row: ProbeResult) -> ProbeResult:
        probe = await self._with_id(probe)
        response = await self._call(lambda tokens: probe_request(probe, tokens=tokens))
        contrast, lacking = None, ""
        if needs_contrast(probe, response):
            contrast, lacking = await self._contrast(probe)
        granted = self.granted
        verdict, evidence = judge(
            probe, response, granted=granted, contrast=contrast, lacking=lacking
        )
        return replace(
            row,
            verdict=verdict,
            evidence=evidence,
            status=response.status,
            seconds=response.record.seconds,
            explained_by=probe.explained_by(granted),
        )

    async def _with_id(self, probe: CallProbe) -> CallProbe:
        """Use an existing item's id in a `listed` probe, or an unknown id if the list is empty."""
        source = probe.listing
        if source is None:
            return probe
        listing = await self._call(
            lambda tokens: listing_request(probe.scope, source, tokens=tokens)
        )
        found = _first_id(listing, name=next(iter(probe.operation.path_ids)))
        if found is None:
            return replace(probe, approach=Approach.ABSENT, listing=None)
        return replace(probe, path=filled_path(probe.operation.path, value=found))

    async def _contrast(self, probe: CallProbe) -> tuple[Response | None, str]:
        """Return the response to the same call without the scope, or say why it is missing."""
        tokens = self._target.contrast_for(probe)
        if tokens is None:
            return None, NO_CONTRAST
        try:
            return await self._http.send(probe_request(probe, tokens=tokens)), ""
        except DdoauthError as error:
            return None, f"the same call without the scope failed: {error.what}"


def failed(scope: str, *, site: Site, evidence: str) -> ProbeResult:
    """Return the result for a scope that could not be tested."""
    return ProbeResult(
        site=site.name,
        scope=scope,
        area=area_of(scope),
        flow=flow_of(scope),
        verdict=Verdict.FAILED,
        evidence=evidence,
    )


def _first_id(listing: Response, *, name: str) -> str | None:
    """Return the id of the first item in a listing, whatever the id is called there."""
    if not listing.succeeded:
        return None
    try:
        item = _first_item(json.loads(listing.text))
    except (ValueError, RecursionError):
        return None
    values = [item.get(each) for each in ("id", name, name.removesuffix("_id"))]
    return next((str(value) for value in values if is_id(value)), None)


def _first_item(answer: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON has no narrower type
    """Return the first item of `data`, or else of the first list with items."""
    if isinstance(answer, dict):
        lists = [answer["data"]] if "data" in answer else list(answer.values())
    else:
        lists = [answer]
    items = [item for each in lists if isinstance(each, list) for item in each[:1]]
    return next((item for item in items if isinstance(item, dict)), {})

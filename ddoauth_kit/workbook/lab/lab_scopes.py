"""Look up, probe and recommend scopes, for a lab's cells and panels."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from ddoauth_kit.errors import DdoauthError, InputError
from ddoauth_kit.http.sender import AsyncHttp
from ddoauth_kit.probing.catalogue import catalogue
from ddoauth_kit.probing.probe import Writes
from ddoauth_kit.probing.probe_run import Probing
from ddoauth_kit.probing.prober import ProbeTarget
from ddoauth_kit.workbook.lab.backend import Mode
from ddoauth_kit.workbook.lab.blocking_probes import run_blocking
from ddoauth_kit.workbook.lab.scope_advice import (
    calls_of,
    missing_scopes,
    scope_use,
    smallest_scopes,
    unused_scopes,
)
from ddoauth_kit.workbook.show.cards import Skipped
from ddoauth_kit.workbook.show.probe_progress import progress_for
from ddoauth_kit.workbook.show.result_table import ResultTable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from ddoauth_kit.api.api_keys import ApiKey
    from ddoauth_kit.http.transcript import Transcript
    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
    from ddoauth_kit.oauth.client import OAuthClient
    from ddoauth_kit.oauth.grant import Grant
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.probing.catalogue import Operation
    from ddoauth_kit.probing.probe_run import ProbeProgress
    from ddoauth_kit.registration import ClientRegistration
    from ddoauth_kit.sites import Site
    from ddoauth_kit.workbook.lab.backend import Backend
    from ddoauth_kit.workbook.lab.scope_advice import ScopeNeeds, ScopeUse
    from ddoauth_kit.workbook.verdicts import ProbeTables

PATIENCE: Final = 60.0
IMPATIENCE: Final = 10.0
CONTRASTS = 2


class ProbedLab(Protocol):
    """The part of a lab that this file needs."""

    backend: Backend
    site: Site
    oauth: OAuthClient

    @property
    def registration(self) -> ClientRegistration:
        """Return the registration whose scopes are used."""

    @property
    def transcript(self) -> Transcript:
        """Return the exchanges so far."""

    def on(self, site: str) -> ProbedLab:
        """Return a lab for another site."""

    def connect(self) -> TokenSet:
        """Return tokens from a refresh or a new authorization."""

    def grant(self, tokens: TokenSet) -> Grant:
        """Return the `Grant` for some tokens."""

    def authorization_request(self, scopes: Iterable[str] | None = None) -> AuthorizationRequest:
        """Return a request for some of the scopes."""

    def api_key(self, tokens: TokenSet) -> ApiKey | Skipped:
        """Return the organization's key, or create one if there is none."""

    def kept_api_key(self) -> ApiKey | None:
        """Return the stored key."""


class LabScopes:
    """Works with scopes, for one lab and for the other sites of its registration."""

    def __init__(self, lab: ProbedLab) -> None:
        self._lab = lab

    def opened_by(self, scope: str) -> ResultTable:
        """Show which operations a scope opens.

        Columns: `request`, `operation`, `area`, `also needs`, `or instead`, `preview`.

        Raises:
            InputError: `unknown_scope`.
        """
        if scope not in catalogue().scopes:
            raise InputError("unknown_scope", f"The catalogue has no scope {scope!r}.")
        return opened_table(scope)

    def smallest(self, *calls: str) -> ResultTable:
        """Show the fewest scopes for some calls, or for this lab's successful calls.

        Columns: `call`, `scopes`, `note`; the last row is the whole set.

        Raises:
            InputError: `unknown_call`.
        """
        return needs_table(smallest_scopes(calls or calls_of(self._lab.transcript)))

    def missing(
        self, call: str, *, granted: Iterable[str] | None = None
    ) -> tuple[tuple[str, ...], ...]:
        """Return sets of scopes, each of which would open a refused call, smallest first.

        `granted` contains the token's scopes, by default all of the registration's scopes.

        Raises:
            InputError: `unknown_call`.
        """
        held = self._lab.registration.scopes if granted is None else granted
        return tuple(tuple(sorted(scopes)) for scopes in missing_scopes(call, granted=held))

    def use(self, tokens: TokenSet) -> ResultTable:
        """Compare requested, granted and used scopes, based on this lab's calls so far.

        Columns: `scope`, `requested`, `granted`, `used`.
        """
        return use_table(scope_use(tokens.scopes, exchanges=self._lab.transcript))

    def unused(self) -> tuple[str, ...]:
        """Return the scopes that no call in this lab needed, for `check_folder`; ignore probes.

        The result is only useful if the lab makes the same calls as the integration.
        """
        return unused_scopes(self._lab.registration.scopes, exchanges=self._lab.transcript)

    def probe(
        self,
        *scopes: str,
        sites: str | Sequence[str] = "",
        writes: str = "",
        contrasts: Mapping[str, Sequence[TokenSet]] | None = None,
    ) -> ProbeTables:
        """Probe scopes on sites, and return the results as tables.

        By default, this probes all of the registration's scopes on this lab's site. `sites` is a
        list of names, a string of names separated by spaces, or `all`. `writes` is `none`,
        `harmless` or `round-trip`; by default harmless in the sandbox and none with real Datadog.
        `contrasts` are token sets with fewer scopes, by site; the sandbox makes its own. A site
        without a token results in failed rows, not in an error.

        Raises:
            InputError: `unknown_site` or `unknown_writes`.
        """
        from ddoauth_kit.workbook.verdicts import ProbeTables

        names = self._sites(sites)
        watch = progress_for(len(scopes or self._lab.registration.scopes), sites=len(names))
        with watch as shown:
            probing = self.probing(
                *scopes, sites=names, writes=writes, contrasts=contrasts, watch=shown
            )
            return ProbeTables(run_blocking(probing))

    def probing(
        self,
        *scopes: str,
        sites: str | Sequence[str] = "",
        writes: str = "",
        contrasts: Mapping[str, Sequence[TokenSet]] | None = None,
        watch: Callable[[ProbeProgress], None] | None = None,
    ) -> Probing:
        """Return a prepared `probe` that has not run yet: await its `run()`, or call `cancel()`.

        Raises:
            InputError: `unknown_site` or `unknown_writes`.
        """
        lab = self._lab
        targets = [
            probe_target(lab, name, scopes=scopes, contrasts=(contrasts or {}).get(name, ()))
            for name in self._sites(sites)
        ]
        return Probing(
            targets,
            writes=self._writes(writes),
            now=lab.oauth.clock(),
            watch=watch,
            open_http=partial(
                AsyncHttp,
                transcript=lab.transcript,
                sleep=_sleep_for(lab),
                # A sandbox on a busy machine is slow, and no other cause is possible.
                timeout=PATIENCE if lab.backend.mode is Mode.SANDBOX else IMPATIENCE,
            ),
        )

    def _sites(self, sites: str | Sequence[str]) -> tuple[str, ...]:
        table = self._lab.oauth.sites
        if sites == "all":
            return table.names
        wanted = (sites.split() or [""]) if isinstance(sites, str) else sites
        return tuple(table.named(name or self._lab.site.name).name for name in wanted)

    def _writes(self, writes: str) -> Writes:
        live = self._lab.backend.mode is Mode.LIVE
        if not writes:
            return Writes.NONE if live else Writes.HARMLESS
        if writes not in set(Writes):
            raise InputError("unknown_writes", f"{writes!r} is not valid for `writes`.")
        if live and not self._lab.backend.writes:
            return Writes.NONE
        return Writes(writes)


def _sleep_for(lab: ProbedLab) -> Callable[[float], Awaitable[None]]:
    """Wait as the lab does: by advancing the sandbox's clock or in real time."""
    if lab.backend.mode is Mode.LIVE:
        return asyncio.sleep

    async def advance(seconds: float) -> None:
        lab.backend.pause(seconds)

    return advance


def opened_table(scope: str) -> ResultTable:
    """Return one row for each operation that a scope opens.

    Columns: `request`, `operation`, `area`, `also needs`, `or instead`, `preview`.
    """
    opened = catalogue().opened_by(scope)
    return ResultTable("opened_by", [_opened(operation, scope) for operation in opened])


def needs_table(needs: ScopeNeeds) -> ResultTable:
    """Return one row for each call, and the smallest set of scopes for all of them.

    Columns: `call`, `scopes`, `note`.
    """
    rows = [
        {"call": str(each.call), "scopes": _joined(sorted(each.scopes)), "note": each.note}
        for each in needs.calls
    ]
    count = len(needs.scopes)
    whole = {"call": "all of them", "scopes": _joined(needs.scopes), "note": f"{count} in all"}
    return ResultTable("smallest_scopes", [*rows, whole])


def use_table(use: ScopeUse) -> ResultTable:
    """Return one row for each scope that was requested or granted.

    Columns: `scope`, `requested`, `granted`, `used`.
    """
    names = dict.fromkeys((*use.requested, *use.granted))
    return ResultTable(
        "scope_use",
        [
            {
                "scope": name,
                "requested": _yes(name in use.requested),
                "granted": _yes(name in use.granted),
                "used": _yes(name in use.used),
            }
            for name in names
        ],
    )


def _opened(operation: Operation, scope: str) -> dict[str, str]:
    companions = min(operation.companions(scope), key=len)
    instead = [_joined(sorted(names), " and ") for names in operation.alternatives(scope)]
    return {
        "request": operation.address,
        "operation": operation.id,
        "area": operation.area,
        "also needs": _joined(sorted(companions)),
        "or instead": _joined(instead, " or "),
        "preview": _yes(operation.preview),
    }


def _joined(names: Iterable[str], by: str = " ") -> str:
    return by.join(names)


def _yes(value: bool) -> str:  # noqa: FBT001 - a cell of a table
    return "yes" if value else "no"


def probe_target(
    lab: ProbedLab, site: str, *, scopes: Sequence[str] = (), contrasts: Sequence[TokenSet] = ()
) -> ProbeTarget:
    """Return a target for probing a site; without a token, the target gives the reason.

    In the sandbox, it authorizes twice more, for one scope each, and creates the organization's API
    key if there is none, as lesson 04 does. With real Datadog, it does neither.
    """
    wanted = tuple(dict.fromkeys(scopes or lab.registration.scopes))
    try:
        there = lab.on(site)
        tokens = there.connect()
        if there.backend.mode is Mode.SANDBOX:
            contrasts = contrasts or _fewer_scopes(there)
        return ProbeTarget(
            site=there.site,
            scopes=wanted,
            grant=there.grant(tokens),
            contrasts=tuple(contrasts),
            api_key=_api_key(there, tokens),
        )
    except DdoauthError as error:
        where = lab.oauth.sites.named(site)
        return ProbeTarget(site=where, scopes=wanted, grant=None, reason=error.evidence)


def _fewer_scopes(lab: ProbedLab) -> tuple[TokenSet, ...]:
    """Authorize for two scopes separately, so that each token lacks the other's scope."""
    some = lab.registration.scopes[:CONTRASTS]
    if len(some) < CONTRASTS:
        return ()
    return tuple(_granted_only(lab, scope) for scope in some)


def _granted_only(lab: ProbedLab, scope: str) -> TokenSet:
    request = lab.authorization_request([scope])
    return lab.oauth.exchange(lab.backend.authorized(request))


def _api_key(lab: ProbedLab, tokens: TokenSet) -> ApiKey | None:
    if lab.backend.mode is Mode.SANDBOX and "api_keys_write" in tokens.scopes:
        key = lab.api_key(tokens)
        return None if isinstance(key, Skipped) else key
    return lab.kept_api_key()

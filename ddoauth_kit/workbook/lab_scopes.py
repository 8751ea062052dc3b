"""Look up, probe and advise on scopes, as a lab's cells and panels do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from ddoauth_kit.api.catalogue import catalogue
from ddoauth_kit.api.probes import Writes
from ddoauth_kit.api.probing import Probing
from ddoauth_kit.api.scope_advice import (
    calls_of,
    missing_scopes,
    scope_use,
    smallest_scopes,
    unused_scopes,
)
from ddoauth_kit.errors import InputError
from ddoauth_kit.workbook.parts import Mode
from ddoauth_kit.workbook.probe_targets import probe_target
from ddoauth_kit.workbook.progress import progress_for
from ddoauth_kit.workbook.scope_tables import needs_table, opened_table, use_table

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from ddoauth_kit.api.probing import Progress
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.workbook.steps import Lab
    from ddoauth_kit.workbook.tables import ResultTable
    from ddoauth_kit.workbook.verdicts import ProbeTables

PATIENCE: Final = 60.0
IMPATIENCE: Final = 10.0


class LabScopes:
    """Do what concerns scopes, for one lab and for the other sites of its registration."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def opened_by(self, scope: str) -> ResultTable:
        """Show what a scope opens.

        Columns: `request`, `operation`, `area`, `also needs`, `or instead`, `preview`.

        Raises:
            InputError: `unknown_scope`.
        """
        if scope not in catalogue().scopes:
            raise InputError("unknown_scope", f"The catalogue has no scope {scope!r}.")
        return opened_table(scope)

    def smallest(self, *calls: str) -> ResultTable:
        """Show the fewest scopes for some calls, or for those that this lab made with success.

        Columns: `call`, `scopes`, `note`; the last row is the whole set.

        Raises:
            InputError: `unknown_call`.
        """
        return needs_table(smallest_scopes(calls or calls_of(self._lab.transcript)))

    def missing(
        self, call: str, *, granted: Iterable[str] | None = None
    ) -> tuple[tuple[str, ...], ...]:
        """Return the sets of scopes of which one would open a refused call, smallest first.

        `granted` are the scopes that the token has, by default all of the registration's.

        Raises:
            InputError: `unknown_call`.
        """
        held = self._lab.registration.scopes if granted is None else granted
        return tuple(tuple(sorted(scopes)) for scopes in missing_scopes(call, granted=held))

    def use(self, tokens: TokenSet) -> ResultTable:
        """Compare requested, granted and used scopes, by what this lab called so far.

        Columns: `scope`, `requested`, `granted`, `used`.
        """
        return use_table(scope_use(tokens.scopes, exchanges=self._lab.transcript))

    def unused(self) -> tuple[str, ...]:
        """Return the scopes that no call of this lab needed, for `check_folder`; probes are none.

        It is worth as much as the lab did what the integration does.
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

        All scopes of the registration by default, on this lab's site; `sites` is a list of names,
        or `all`. `writes` is `none`, `harmless` or `round-trip`; by default harmless in the
        sandbox and none with real Datadog. `contrasts` are token sets with fewer scopes, by site;
        the sandbox makes its own. A site without a token makes failed rows, not an error.

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
            return ProbeTables(probing.run_blocking())

    def probing(
        self,
        *scopes: str,
        sites: str | Sequence[str] = "",
        writes: str = "",
        contrasts: Mapping[str, Sequence[TokenSet]] | None = None,
        watch: Callable[[Progress], None] | None = None,
    ) -> Probing:
        """Return the same as `probe` before it runs: await its `run()`, or call `cancel()`.

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
            transcript=lab.transcript,
            sleep=_sleep_for(lab),
            watch=watch,
            # A sandbox on a busy machine is slow, and nothing else is behind it.
            timeout=PATIENCE if lab.parts.mode is Mode.SANDBOX else IMPATIENCE,
        )

    def _sites(self, sites: str | Sequence[str]) -> tuple[str, ...]:
        table = self._lab.oauth.sites
        if sites == "all":
            return table.names
        wanted = [sites] if isinstance(sites, str) else sites
        return tuple(table.named(name or self._lab.site.name).name for name in wanted)

    def _writes(self, writes: str) -> Writes:
        live = self._lab.parts.mode is Mode.LIVE
        if not writes:
            return Writes.NONE if live else Writes.HARMLESS
        if writes not in set(Writes):
            raise InputError("unknown_writes", f"{writes!r} says not how far probes may go.")
        if live and not self._lab.parts.writes:
            return Writes.NONE
        return Writes(writes)


def _sleep_for(lab: Lab) -> Callable[[float], Awaitable[None]]:
    """Wait as the lab does: the sandbox's clock is advanced, real time passes by itself."""
    if lab.parts.mode is Mode.LIVE:
        return asyncio.sleep

    async def advance(seconds: float) -> None:
        lab.parts.pause(seconds)

    return advance

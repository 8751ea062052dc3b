"""Check that the client's scopes are known, necessary and successfully probed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.printable import quoted_path
from ddoauth_kit.publishing.findings import finding, quoted
from ddoauth_kit.publishing.integration_files import TextFile, read_text
from ddoauth_kit.publishing.json_document import Document
from ddoauth_kit.scopes import known_scopes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ddoauth_kit.publishing.findings import RuleFinding
    from ddoauth_kit.publishing.integration import Integration

BAD: Final = ("refused", "failed")
NOT_TRIED: Final = "not_tried"


@dataclass(frozen=True, slots=True)
class SavedProbe:
    """The result of probing one scope on one site."""

    site: str
    scope: str
    verdict: str


def read_probes(path: str | Path) -> tuple[SavedProbe, ...]:
    """Read the output of `ddoauth probe --format json`.

    Raises:
        InputError: `bad_probes_file`.
    """
    file = read_text(Path(path).parent.resolve(), Path(path).name)
    if not isinstance(file, TextFile):
        raise _bad(path, "cannot be read" if file is None else file.why)
    try:
        rows = json.loads(file.text)
    except (ValueError, RecursionError):
        raise _bad(path, "is not JSON") from None
    if not isinstance(rows, list):
        raise _bad(path, "is not a list")
    return tuple(_probe(row, path, number) for number, row in enumerate(rows, start=1))


def scope_findings(
    integration: Integration, *, probes: Sequence[SavedProbe] | None, unused: Collection[str]
) -> Iterator[RuleFinding]:
    """Yield the problems with the scopes; if `probes` is None, probe results are not checked.

    `unused` contains the scopes that none of the client's requests used.
    """
    client = integration.client
    scopes = client.get("integration", "scopes") if isinstance(client, Document) else None
    if not isinstance(client, Document) or not isinstance(scopes, list):
        return
    if not scopes:
        what = "The client does not request any scopes."
        fix = "Choose the scopes in the Developer Platform; you need api_keys_write to send data."
        at = client.place("integration", "scopes")
        yield finding("oauth-scopes-empty", at=at, what=what, fix=fix)
    numbers = {scope: i for i, scope in enumerate(scopes) if isinstance(scope, str)}
    for scope, i in numbers.items():
        at = client.place("integration", "scopes", i)
        for rule, what, fix in _faults(scope, probes, unused):
            yield finding(rule, at=at, what=what, fix=fix)


def _faults(
    scope: str, probes: Sequence[SavedProbe] | None, unused: Collection[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield the rule, problem and fix."""
    name = quoted(scope)
    if scope not in known_scopes():
        fix = "Look for a typo; Datadog has more scopes than it documents."
        yield "oauth-scope-unknown", f"The scope {name} is not a known scope.", fix
    if scope in unused:
        fix = "Ask for the fewest scopes; you can add more with a later submission."
        yield "oauth-scope-unused", f"The scope {name} was never used.", fix
    if probes is not None:
        yield from _probed(name, [probe for probe in probes if probe.scope == scope])


def _probed(name: str, probes: list[SavedProbe]) -> Iterator[tuple[str, str, str]]:
    bad = [f"{probe.site}: {probe.verdict}" for probe in probes if probe.verdict in BAD]
    if bad:
        what = f"The probe of {name} did not succeed ({quoted(', '.join(bad))[1:-1]})."
        fix = "Look at the probe's evidence; leave out the scope if you don't need it."
        yield "oauth-scope-refused", what, fix
    elif all(probe.verdict == NOT_TRIED for probe in probes):
        yield "oauth-scope-unprobed", f"The scope {name} was never probed.", "Probe it."


def _probe(row: object, path: str | Path, number: int) -> SavedProbe:
    if isinstance(row, dict):
        site, scope, verdict = (row.get(name) for name in ("site", "scope", "verdict"))
        if isinstance(site, str) and isinstance(scope, str) and isinstance(verdict, str):
            return SavedProbe(site, scope, verdict)
    raise _bad(path, f"has no strings `site`, `scope` and `verdict` in entry {number}")


def _bad(path: str | Path, what: str) -> InputError:
    return InputError("bad_probes_file", f"The file with probe results {quoted_path(path)} {what}.")

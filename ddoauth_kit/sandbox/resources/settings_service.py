"""One service for all settings that a path reads and writes as a whole, without an id."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ddoauth_kit.sandbox.clock import START, iso
from ddoauth_kit.sandbox.facts.described_answers import documents
from ddoauth_kit.sandbox.facts.described_schemas import inner, operation_schemas
from ddoauth_kit.sandbox.resources.answer_parts import first_at, with_item, written
from ddoauth_kit.sandbox.resources.described_refusals import checked_body
from ddoauth_kit.sandbox.resources.described_resource import Composer
from ddoauth_kit.sandbox.state.mint import Mint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.sandbox.facts.described_schemas import DescribedSettings
    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.resources.create_read_update_delete import Change, Handler
    from ddoauth_kit.sandbox.state.created_resources import Item, Shelf
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

# The key under which a shelf stores the settings of one path.
_KEY = "settings"


@dataclass(frozen=True)
class SettingsService:
    """Read, change and reset one path's settings, which start with the described values."""

    settings: DescribedSettings

    def handlers(self) -> Iterator[tuple[tuple[str, str], Handler]]:
        """Yield the handlers with their methods and paths."""
        yield ("GET", self.settings.path), self.read
        for name in self.settings.writes:
            yield (name.partition(" ")[0], self.settings.path), partial(self.write, name=name)
        if f"DELETE {self.settings.path}" in documents():
            yield ("DELETE", self.settings.path), self.forget

    def read(self, twin: Twin, incoming: Incoming, org: Org) -> Answer:
        """Show the settings."""
        return self._answer(f"GET {self.settings.path}", self._current(twin, incoming, org))

    def write(self, twin: Twin, incoming: Incoming, org: Org, *, name: str) -> Change:
        """Check a change, and return the function that stores it."""
        body = checked_body(incoming, name) if incoming.body else {}
        given = first_at(body, self.settings.way)
        given = given if isinstance(given, dict) else {}

        def make() -> Answer:
            old = self._current(twin, incoming, org)
            settable = inner(operation_schemas(name).body or {"t": "a"}, self.settings.way)
            label = self.settings.path
            composer = Composer(twin.mint, twin.clock.now(), label=label, is_change=True)
            item = {**old, **composer.compose(self._shown(), settable, given, old)}
            shelf = self._shelf(twin, incoming, org)
            shelf.add({"settings": item, "written": iso(twin.clock.now())})
            return self._answer(name, item)

        return make

    def forget(self, twin: Twin, incoming: Incoming, org: Org) -> Change:
        """Return the function that restores the described settings."""
        name = f"DELETE {self.settings.path}"

        def make() -> Answer:
            shelf = self._shelf(twin, incoming, org)
            shelf.remove([_KEY] if shelf.find(_KEY) else [])
            return written(name, documents()[name], documents()[name].get("body"))

        return make

    def _shelf(self, twin: Twin, incoming: Incoming, org: Org) -> Shelf:
        return twin.kept.shelf(
            f"settings {incoming.path}", org=org, key=lambda _: _KEY, samples=lambda: ()
        )

    def _current(self, twin: Twin, incoming: Incoming, org: Org) -> Item:
        kept = self._shelf(twin, incoming, org).find(_KEY)
        if kept is not None:
            found: Item = kept["settings"]
            return found
        body = documents()[f"GET {self.settings.path}"].get("body")
        example = first_at(body, self.settings.way)
        composer = Composer(Mint(seed=self.settings.path), START, label=self.settings.path)
        shown = example if isinstance(example, dict) else {}
        filled: Item = composer.filled(self._shown(), copy.deepcopy(shown), depth=1)
        if self.settings.path.endswith("}") and isinstance(filled.get("id"), str):
            filled["id"] = unquote(incoming.path.rpartition("/")[2])
        return filled

    def _shown(self) -> dict[str, object]:
        schema = operation_schemas(f"GET {self.settings.path}").answer
        return inner(schema or {"t": "a"}, self.settings.way)

    def _answer(self, name: str, item: Item) -> Answer:
        entry = documents()[name]
        schema = operation_schemas(name).answer or {}
        return written(name, entry, with_item(entry.get("body"), schema, self.settings.way, item))

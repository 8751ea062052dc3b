"""Create a resource from a body, in the format of the described response."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from ddoauth_kit.sandbox.clock import START, iso
from ddoauth_kit.sandbox.facts.described_schemas import fields, resolved
from ddoauth_kit.sandbox.resources.described_body import allows
from ddoauth_kit.sandbox.state.mint import Mint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ddoauth_kit.sandbox.facts.described_schemas import Schema
    from ddoauth_kit.sandbox.state.created_resources import Item

Json = Any
Place = Literal["level", "plain", "deeper"]
# At these places, a change keeps what it does not name; anything deeper is replaced.
_LEVELS = frozenset({"attributes", "relationships"})
_MOMENT = re.compile(r"(^|_)(created|modified|updated)(_?at|_?time|_date)?$", re.IGNORECASE)
_CHANGED = re.compile(r"(^|_)(modified|updated)(_?at|_?time|_date)?$", re.IGNORECASE)
_LEFT_OUT = frozenset({"errors", "warnings", "included", "links", "next"})
# The types of optional properties that recordings seldom show: lists among attributes and
# relationships, and also objects in a resource that has neither and at deeper levels.
_RARE: dict[Place, str] = {"level": "l", "plain": "lo", "deeper": "lo"}
_MILLISECONDS = 10**11
# The depth to which optional values are made up, too.
_DEEPEST = 3
_PLAIN: dict[str, object] = {"i": 0, "n": 0.0, "b": False}
_TEXTS = {"date": "2026-01-01", "email": "ada@example.com", "uri": "https://example.com/sandbox"}
_ANY: Schema = {"t": "a"}

# What happens to a property that was not sent.
Unsent = Literal["server's", "default", "example's", "false", "empty", "left out"]


@dataclass(frozen=True, slots=True)
class _Step:
    """A schema's rules for one property, for all resources created from it."""

    name: str
    schema: Schema
    settable: Schema
    unsent: Unsent
    default: Json
    is_needed: bool
    is_moment: bool
    made_up: Json


@dataclass(frozen=True)
class Composer:
    """Composes resources as of a given time; a change keeps values that were not sent."""

    mint: Mint
    moment: datetime
    label: str
    is_change: bool = False
    fills_lists: bool = False

    def compose(self, shown: Schema, settable: Schema, given: Item, example: Item) -> Item:
        """Return the resource: `given` as sent, plus the server's own values as in `example`.

        `shown` is the schema of the resource in the response, and `settable` its schema in the
        body.
        """
        place: Place = "level" if "attributes" in shown.get("p", {}) else "plain"
        return self._object(shown, settable, given, example, place=place)

    def filled(self, schema: Schema, example: Json, *, depth: int = 0) -> Json:
        """Return an example, lazily completed with everything else in its schema."""
        schema = _variant(schema, example)
        if isinstance(example, list):
            items = resolved(schema.get("l"))
            if not example and self.fills_lists:
                return [self._leaf(items, name="", depth=_DEEPEST - 1)]
            return [self.filled(items, part, depth=depth) for part in example]
        if not isinstance(example, dict) or depth > _DEEPEST:
            return example
        made = dict(example)
        for name, part in schema.get("p", {}).items():
            if name in _LEFT_OUT:
                continue
            if name in example:
                made[name] = self.filled(resolved(part), example[name], depth=depth + 1)
            elif depth:
                made[name] = self._leaf(resolved(part), name=name, depth=depth)
        return made

    def completed(self, schema: Schema, item: Json, example: Json, *, depth: int = 0) -> Json:
        """Return the part of a resource that a response shows: only the properties in its schema.

        Missing required properties come from the example or are made up.
        """
        schema = _variant(schema, item)
        properties = fields(schema)
        if not isinstance(item, dict) or not properties or depth > len(_LEVELS):
            return item
        known = example if isinstance(example, dict) else {}
        shown = {}
        for name, part in item.items():
            if isinstance(part, dict) and name in properties:
                inner, old = properties[name], known.get(name)
                shown[name] = self.completed(inner, part, old, depth=depth + 1)
            elif name in properties or "m" in schema:
                shown[name] = part
        for name in schema.get("r", ()):
            if name not in shown:
                made = self._leaf(properties.get(name, _ANY), name=name, depth=depth)
                shown[name] = known.get(name, made)
        return shown

    def _object(
        self,
        shown: Schema,
        settable: Schema,
        given: Item,
        example: Item,
        *,
        place: Place,
    ) -> Item:
        shown, settable = _variant(shown, given), _variant(settable, given)
        made: Item = {}
        for step in _plan(shown, settable, place, is_change=self.is_change):
            name, unsent = step.name, step.unsent
            if name in given:
                made[name] = self._value(
                    step.schema, step.settable, given[name], example.get(name), name=name
                )
            elif unsent == "server's":
                self._add_own(made, step, example)
            elif unsent == "default":
                made[name] = step.default
            elif name not in example:
                if unsent == "false" and place == "plain":
                    made[name] = False
            elif unsent == "example's":
                made[name] = example[name]
            elif unsent != "left out":
                made[name] = False if unsent == "false" else []
        if not shown.get("p") or "m" in shown:
            made.update({name: part for name, part in given.items() if name not in made})
        return made

    def _add_own(self, made: Item, step: _Step, example: Item) -> None:
        """Add what the server itself sets: times, ids, and the values of its example."""
        name, schema = step.name, step.schema
        if name in example and step.is_moment and not isinstance(example[name], dict):
            made[name] = self._now(schema, example[name])
        elif not self.is_change and schema.get("0"):
            made[name] = None
        elif name in example:
            made[name] = self._whole(schema, example[name])
        elif not self.is_change and step.is_needed:
            known = step.made_up
            made[name] = self.made_up(schema, name) if known is None else _copied(known)

    def made_up(self, schema: Schema, name: str) -> Json:
        """Make up the value that the server would have for a property."""
        return self._leaf(schema, name=name, depth=1)

    def _whole(self, schema: Schema, example: Json) -> Json:
        """Return an example whose list items have everything that the schema describes."""
        if self.is_change or not isinstance(example, list):
            return example
        items = resolved(schema.get("l"))
        return [self.filled(items, part, depth=1) for part in example]

    def _value(
        self, shown: Schema, settable: Schema, given: Json, example: Json, *, name: str
    ) -> Json:
        if isinstance(given, dict):
            old = example if isinstance(example, dict) else {}
            if name in _LEVELS:
                return self._object(shown, settable, given, old, place="level")
            made = self._object(shown, settable, given, old, place="deeper")
            return _without_unsent(made, settable, given)
        if isinstance(given, list) and given:
            shown, settable = _variant(shown, given), _variant(settable, given)
            items, own = resolved(shown.get("l")), resolved(settable.get("l"))
            return [self._value(items, own, part, None, name=name) for part in given]
        kinds = shown.get("e")
        return kinds[0] if name == "type" and kinds and given not in kinds else given

    def _now(self, schema: Schema, example: object) -> object:
        if isinstance(example, bool) or example is None:
            return example
        if isinstance(example, (int, float)):
            seconds = self.moment.timestamp()
            return int(seconds * 1000) if example > _MILLISECONDS else int(seconds)
        return self._iso if schema.get("f") == "date-time" else example

    @cached_property
    def _iso(self) -> str:
        return iso(self.moment)

    def _leaf(self, schema: Schema, *, name: str, depth: int = 0) -> Json:
        """Make up a value that the server would set, or null if the schema allows it."""
        for sign in ("d", "x"):
            if sign in schema:
                return schema[sign]
        if "e" in schema:
            return schema["e"][0]
        if schema.get("0"):
            return None
        if schema["t"] == "v":
            return self._leaf(resolved(schema["v"][0]), name=name, depth=depth)
        return self._plain(schema, name=name, depth=depth)

    def _plain(self, schema: Schema, *, name: str, depth: int) -> Json:
        if schema["t"] == "o":
            return self._made_up(schema, depth=depth)
        if schema["t"] == "l":
            items = resolved(schema.get("l"))
            least = schema.get("k", int(self.fills_lists and depth < _DEEPEST))
            return [self._leaf(items, name=name, depth=depth + 1)] * least
        if schema["t"] == "s":
            return self._text(schema, name=name)
        return _PLAIN.get(schema["t"])

    def _made_up(self, schema: Schema, *, depth: int) -> Item:
        properties = fields(schema)
        wanted = schema.get("r", ()) if depth >= _DEEPEST else properties
        return {
            name: self._leaf(properties.get(name, _ANY), name=name, depth=depth + 1)
            for name in wanted
            if depth < _DEEPEST * 2
        }

    def _text(self, schema: Schema, *, name: str) -> str:
        form = schema.get("f", "")
        if form == "date-time":
            return self._iso
        if form == "uuid" or name == "id":
            return self.mint.next_uuid(self.label)
        return _TEXTS.get(form, "")


def _without_unsent(made: Item, settable: Schema, given: Item) -> Item:
    """Remove nested values that could have been sent but were not, as in recordings."""
    own = _variant(settable, given)
    hidden = {
        name
        for name, part in fields(own).items()
        if name not in given and name not in own.get("r", ()) and "d" not in part
    }
    return {name: part for name, part in made.items() if name not in hidden}


def _plan(shown: Schema, settable: Schema, place: Place, *, is_change: bool) -> list[_Step]:
    """Return the rules for each property of a resource, which are computed once."""
    plans = shown.setdefault("plans", {})
    key = (id(settable), place, is_change)
    if key not in plans:
        # The schema is stored with its plan, so that no other schema gets its id.
        plans[key] = (settable, list(_steps(shown, settable, place, is_change=is_change)))
    steps: list[_Step] = plans[key][1]
    return steps


def _steps(shown: Schema, settable: Schema, place: Place, *, is_change: bool) -> Iterator[_Step]:
    own, moments = fields(settable), _CHANGED if is_change else _MOMENT
    keeps = is_change and place != "deeper"
    for name, schema in fields(shown).items():
        is_required, sent = name in shown.get("r", ()), own.get(name, _ANY)
        is_servers = keeps or name == "relationships" or name not in own or bool(sent.get("w"))
        yield _Step(
            name=name,
            schema=schema,
            settable=sent,
            unsent="server's" if is_servers else _unsent(schema, sent, is_required=is_required),
            default=schema.get("d", sent.get("d")),
            is_needed=is_required or schema["t"] not in _RARE[place],
            is_moment=moments.search(name) is not None,
            made_up=_lasting(schema, name) if is_servers else None,
        )


def _lasting(schema: Schema, name: str) -> Json:
    """Return the made-up values that all resources share; they don't contain ids or times."""
    first, second = (
        Composer(Mint(seed=day.isoformat()), day, label="").made_up(schema, name)
        for day in (START, START + timedelta(days=1))
    )
    return first if first == second else None


def _copied(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _copied(part) for name, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list) else value


def _unsent(schema: Schema, settable: Schema, *, is_required: bool) -> Unsent:
    if "d" in schema or "d" in settable or "0" in schema:
        return "default"
    if schema["t"] == "b":
        return "false"
    if schema["t"] == "l" and not schema.get("k"):
        return "empty"
    return "example's" if is_required else "left out"


def _variant(schema: Schema, given: object) -> Schema:
    """Return the variant for a value: one that allows it, or else the closest one."""
    while schema["t"] == "v":
        variants = [resolved(variant) for variant in schema["v"]]
        good = [variant for variant in variants if allows(variant, given)]
        schema = max(good or variants, key=lambda variant: _common(variant, given))
    return schema


def _common(variant: Schema, given: object) -> int:
    if not isinstance(given, dict):
        return 0
    return len(given.keys() & variant.get("p", {}).keys())

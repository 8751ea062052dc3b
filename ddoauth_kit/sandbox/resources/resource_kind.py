"""The specifics of one kind of resource, so that one implementation serves all kinds.

A `ResourceKind` defines what bodies may contain, how to compose a resource from a body, and the
format of the service's responses. `serving` does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.clock import START, iso
from ddoauth_kit.sandbox.http.messages import NO_CONTENT, Answer, json_answer
from ddoauth_kit.sandbox.http.payload import json_body
from ddoauth_kit.sandbox.http.refusals import api_refusal
from ddoauth_kit.sandbox.resources.body_fields import InvalidBodyError, checked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from ddoauth_kit.sandbox.http.messages import Incoming
    from ddoauth_kit.sandbox.http.refusals import Refusal
    from ddoauth_kit.sandbox.resources.body_fields import Fields
    from ddoauth_kit.sandbox.resources.paging import PageOfItems, Paging
    from ddoauth_kit.sandbox.state.created_resources import Item, Shelf
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin


@dataclass(frozen=True)
class Draft:
    """A checked body that will become a resource; `old` is the resource that it changes, if any."""

    twin: Twin
    org: Org
    given: Item
    links: Item = field(default_factory=dict)
    old: Item | None = None
    moment: datetime = START
    sample: int | None = None

    @property
    def now(self) -> str:
        """Return the time of the request."""
        return iso(self.moment)

    def uuid(self, kind: str) -> str:
        """Return a new id; a sample gets the same id in every sandbox with the same seed."""
        if self.sample is None:
            return self.twin.mint.next_uuid(kind)
        return self.twin.mint.uuid(f"{kind}:{self.org.id}:{self.sample}")

    def number(self, kind: str) -> int:
        """Return a new integer id."""
        if self.sample is None:
            return self.twin.mint.next_number(kind)
        return self.twin.mint.number(f"{kind}:{self.org.id}:{self.sample}")

    def dashed(self, kind: str) -> str:
        """Return a new id with three groups of three characters."""
        mark = self.uuid(kind).replace("-", "")
        return f"{mark[:3]}-{mark[3:6]}-{mark[6:9]}"


def by_id(item: Item) -> str:
    """Return the id under which most resources are stored."""
    return str(item["id"])


def plain_list(page: PageOfItems) -> Any:  # noqa: ANN401 - JSON is anything
    """Return a listing that contains only its items."""
    return page.items


def unknown_as(words: str) -> Callable[[str], Refusal]:
    """Create the refusal for an unknown id; `{0}` in the text stands for the id."""
    return lambda wanted: api_refusal("resource-unknown", 404, words.format(wanted))


def complain_as_text(words: str) -> Refusal:
    """Refuse a body in the format of the older services."""
    return api_refusal("resource-invalid", 400, words)


def as_it_is(item: Item) -> Item:
    """Show a plain resource unchanged."""
    return item


def nothing_more(_draft: Draft) -> None:
    """Verify nothing beyond the fields."""


def no_content(_wanted: str) -> Answer:
    """Answer a deletion without a body, as the newer services do."""
    return Answer(NO_CONTENT)


@dataclass(frozen=True)
class ResourceKind:
    """The specifics of one kind of resource."""

    kind: str
    fields: Fields
    required: Collection[str]
    compose: Callable[[Draft], Item]
    unknown: Callable[[str], Refusal]
    samples: tuple[Item, ...] = ()
    read: Callable[[ResourceKind, Any], tuple[Item, Item]] = lambda resource, body: (
        checked(body, resource.fields, required=resource.required),
        {},
    )
    verify: Callable[[Draft], None] = nothing_more
    complain: Callable[[str], Refusal] = complain_as_text
    key: Callable[[Item], str] = by_id
    find: Callable[[Shelf, str], Item | None] = lambda shelf, wanted: shelf.find(wanted)
    show: Callable[[Item], Any] = as_it_is
    listing: Callable[[PageOfItems], Any] = plain_list
    filters: Mapping[str, Callable[[Item, str], bool]] = field(default_factory=dict)
    paging: Paging | None = None
    created: int = 200
    deleted: Callable[[str], Answer] = no_content
    before_delete: Callable[[Twin, Org, Item], None] = lambda *_: None
    content_type: str = "application/json"

    def shelf(self, twin: Twin, org: Org) -> Shelf:
        """Return the org's resources of this kind."""
        return twin.kept.shelf(
            self.kind,
            org=org,
            key=self.key,
            samples=lambda: [
                self.compose(Draft(twin, org, given, sample=n))
                for n, given in enumerate(self.samples)
            ],
        )

    def get(self, twin: Twin, org: Org, wanted: str) -> Item:
        """Return one resource, or refuse its id."""
        item = self.find(self.shelf(twin, org), wanted)
        if item is None:
            raise self.unknown(wanted)
        return item

    def draft(self, twin: Twin, incoming: Incoming, org: Org, *, old: Item | None) -> Draft:
        """Read and check a body, without changing anything yet."""
        body = json_body(incoming)
        try:
            given, links = self.read(self, body)
            draft = Draft(twin, org, given, links, old, twin.clock.now())
            self.verify(draft)
        except InvalidBodyError as error:
            raise self.complain(str(error)) from None
        return draft

    def answer(self, status: int, item: Item) -> Answer:
        """Answer with one resource."""
        answer = json_answer(status, self.show(item))
        return Answer(answer.status, answer.body, self.content_type)

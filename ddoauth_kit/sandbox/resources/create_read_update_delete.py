"""Create, list, read, change and delete every kind of resource in the same way.

A handler that writes checks the request and returns the change as a function, so permissions can be
checked before the change is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.http.messages import Answer, json_answer
from ddoauth_kit.sandbox.resources.paging import page_of, path_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ddoauth_kit.sandbox.http.messages import Incoming
    from ddoauth_kit.sandbox.resources.resource_kind import ResourceKind
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

    Change = Callable[[], Answer]
    Handler = Callable[[Twin, Incoming, Org], Answer | Change]


def create(resource: ResourceKind) -> Handler:
    """Create the handler that stores a new resource."""

    def handle(twin: Twin, incoming: Incoming, org: Org) -> Change:
        draft = resource.draft(twin, incoming, org, old=None)

        def make() -> Answer:
            item = resource.shelf(twin, org).add(resource.compose(draft))
            return resource.answer(resource.created, item)

        return make

    return handle


def list_all(resource: ResourceKind) -> Handler:
    """Create the handler that lists stored resources, in pages if the service uses them."""

    def handle(twin: Twin, incoming: Incoming, org: Org) -> Answer:
        items = resource.shelf(twin, org).all()
        for name, keeps in resource.filters.items():
            wanted = incoming.parameters.get(name)
            if wanted:
                items = [item for item in items if keeps(item, wanted)]
        body = resource.listing(page_of(items, incoming.parameters, paging=resource.paging))
        answer = json_answer(200, body)
        return Answer(answer.status, answer.body, resource.content_type)

    return handle


def read(resource: ResourceKind, template: str) -> Handler:
    """Create the handler that shows one resource."""

    def handle(twin: Twin, incoming: Incoming, org: Org) -> Answer:
        [wanted] = path_ids(template, incoming.path).values()
        return resource.answer(200, resource.get(twin, org, wanted))

    return handle


def change(resource: ResourceKind, template: str, *, by: ResourceKind) -> Handler:
    """Create the handler that replaces a resource with the one that `by` composes."""

    def handle(twin: Twin, incoming: Incoming, org: Org) -> Change:
        [wanted] = path_ids(template, incoming.path).values()
        old = resource.get(twin, org, wanted)
        draft = by.draft(twin, incoming, org, old=old)

        def make() -> Answer:
            item = resource.shelf(twin, org).replace(resource.key(old), by.compose(draft))
            return resource.answer(200, item)

        return make

    return handle


def delete(resource: ResourceKind, template: str) -> Handler:
    """Create the handler that deletes one resource."""

    def handle(twin: Twin, incoming: Incoming, org: Org) -> Change:
        [wanted] = path_ids(template, incoming.path).values()
        item = resource.get(twin, org, wanted)

        def make() -> Answer:
            resource.before_delete(twin, org, item)
            resource.shelf(twin, org).remove([resource.key(item)])
            return resource.deleted(wanted)

        return make

    return handle


def handlers_of(
    resource: ResourceKind, path: str, item_path: str, *, changes: ResourceKind, method: str
) -> Mapping[tuple[str, str], Handler]:
    """Return a kind's five handlers; a change may need a different body than a creation."""
    return {
        ("POST", path): create(resource),
        ("GET", path): list_all(resource),
        ("GET", item_path): read(resource, item_path),
        (method, item_path): change(resource, item_path, by=changes),
        ("DELETE", item_path): delete(resource, item_path),
    }

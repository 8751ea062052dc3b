"""One way to create, list, read, change and delete, for every family of resources.

Each handler validates first and changes last: between the two the org's shelf asks
whether the caller may change anything at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.messages import Answer, json_answer
from ddoauth_kit.sandbox.paging import page_of, path_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ddoauth_kit.sandbox.family import Family
    from ddoauth_kit.sandbox.messages import Incoming
    from ddoauth_kit.sandbox.orgs import Org
    from ddoauth_kit.sandbox.state import Twin

    Handler = Callable[[Twin, Incoming, Org], Answer]


def create(family: Family) -> Handler:
    """Make the handler that keeps a new resource."""

    def handle(twin: Twin, incoming: Incoming, org: Org) -> Answer:
        draft = family.draft(twin, incoming, org, old=None)
        item = family.shelf(twin, org).add(lambda: family.compose(draft))
        return family.answer(family.created, item)

    return handle


def list_all(family: Family) -> Handler:
    """Make the handler that lists what is kept, by pages where the service has pages."""

    def handle(twin: Twin, incoming: Incoming, org: Org) -> Answer:
        items = family.shelf(twin, org).all()
        for name, keeps in family.filters.items():
            wanted = incoming.parameters.get(name)
            if wanted:
                items = [item for item in items if keeps(item, wanted)]
        body = family.listing(page_of(items, incoming.parameters, paging=family.paging))
        answer = json_answer(200, body)
        return Answer(answer.status, answer.body, family.content_type)

    return handle


def read(family: Family, template: str) -> Handler:
    """Make the handler that shows one resource."""

    def handle(twin: Twin, incoming: Incoming, org: Org) -> Answer:
        [wanted] = path_ids(template, incoming.path).values()
        return family.answer(200, family.get(twin, org, wanted))

    return handle


def change(family: Family, template: str, *, by: Family) -> Handler:
    """Make the handler that puts a changed resource in its place, composed `by` its own rules."""

    def handle(twin: Twin, incoming: Incoming, org: Org) -> Answer:
        [wanted] = path_ids(template, incoming.path).values()
        old = family.get(twin, org, wanted)
        draft = by.draft(twin, incoming, org, old=old)
        shelf = family.shelf(twin, org)
        item = shelf.replace(family.key(old), lambda: by.compose(draft))
        return family.answer(200, item)

    return handle


def delete(family: Family, template: str) -> Handler:
    """Make the handler that forgets one resource."""

    def handle(twin: Twin, incoming: Incoming, org: Org) -> Answer:
        [wanted] = path_ids(template, incoming.path).values()
        item = family.get(twin, org, wanted)
        family.before_delete(twin, org, item)
        family.shelf(twin, org).remove([family.key(item)])
        return family.deleted(wanted)

    return handle


def handlers_of(
    family: Family, path: str, item_path: str, *, changes: Family, method: str
) -> Mapping[tuple[str, str], Handler]:
    """Return the five handlers of a family, whose changes may take other bodies."""
    return {
        ("POST", path): create(family),
        ("GET", path): list_all(family),
        ("GET", item_path): read(family, item_path),
        (method, item_path): change(family, item_path, by=changes),
        ("DELETE", item_path): delete(family, item_path),
    }

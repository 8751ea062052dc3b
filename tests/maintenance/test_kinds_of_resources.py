"""The table of kinds names every kind once, with a store or the reason for none."""

from __future__ import annotations

from collections import Counter

from ddoauth_kit.maintenance.kinds_of_resources import _OWN_RULES, kinds_of_resources
from ddoauth_kit.sandbox.facts.described_schemas import described_kinds, described_members


def test_every_kind_has_a_row() -> None:
    """Each kind of the description is there once, and most have the generic store."""
    rows = list(kinds_of_resources())
    paths = [row.path for row in rows]
    assert sorted(paths) == sorted({*described_kinds(), *described_members()})
    stores = Counter(row.store for row in rows)
    assert set(stores) == {"generic", "its own", "members", "none"}
    assert stores["generic"] > 180


def test_rows_say_why() -> None:
    """A kind without a store has a reason, and one with the generic store lists its operations."""
    rows = {row.path: row for row in kinds_of_resources()}
    assert rows["/api/v2/roles"].why == "create, list, read, change, delete"
    assert rows["/api/v2/roles/{role_id}/users"].why == "add, list, remove"
    assert rows["/api/v2/api_keys"].store == "none"
    assert rows["/api/v1/monitor"].store == "its own"
    own = {path for path, row in rows.items() if row.store == "its own"}
    assert own == set(_OWN_RULES)
    assert len({rows[path].why for path in own}) == len(own)

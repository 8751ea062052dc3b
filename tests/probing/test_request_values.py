"""Required values are made up from the current time alone, and don't name existing objects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from support.builders import NOW

from ddoauth_kit.probing.catalogue import catalogue
from ddoauth_kit.probing.request_values import (
    ABSENT_NAME,
    ABSENT_UUID,
    absent_path,
    filled_path,
    filled_query,
    search_body,
    searches,
)


@pytest.mark.parametrize(
    ("path", "kinds", "filled"),
    [
        ("/a/{id}", {"id": "int64"}, "/a/0"),
        ("/a/{id}", {"id": "uuid"}, f"/a/{ABSENT_UUID}"),
        ("/a/{team_uuid}", {"team_uuid": "string"}, f"/a/{ABSENT_UUID}"),
        ("/a/{id}/b/{c}", {"id": "string", "c": "int64"}, f"/a/{ABSENT_NAME}/b/0"),
        ("/a/{kind}/{id}", {"kind": "one of user", "id": "string"}, f"/a/user/{ABSENT_NAME}"),
        ("/a/{id}", {}, f"/a/{ABSENT_NAME}"),
        ("/a", {}, "/a"),
    ],
)
def test_absent_ids_have_the_form_of_ids(path: str, kinds: dict[str, str], filled: str) -> None:
    """A number, a UUID, a name, or the first of the kinds that the spec lists."""
    assert absent_path(path, path_ids=kinds) == filled


def test_the_nil_uuid_is_one() -> None:
    """A server that parses it finds a UUID that no thing gets (RFC 9562 section 5.9)."""
    assert UUID(ABSENT_UUID).int == 0


def test_an_id_is_put_in_as_it_is() -> None:
    """No part of an id is taken for a reference to a group."""
    assert filled_path("/a/{id}", value=r"\1\g<0>") == r"/a/\1\g<0>"


def test_a_parameter_that_cannot_be_guessed_leaves_the_call_out() -> None:
    """One unknown parameter is enough; no parameter is fine."""
    assert filled_query({"query": "string", "account": "string"}, now=NOW) is None
    assert filled_query({}, now=NOW) == ()


def test_times_are_in_utc() -> None:
    """Hours and months are those of UTC, whatever the clock of this machine shows."""
    kinds = {"start_hr": "date-time", "start_month": "date-time", "from": "int64"}
    here = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
    there = here.astimezone(timezone(timedelta(hours=-9)))
    pairs = filled_query(kinds, now=there)
    assert pairs == filled_query(kinds, now=here)
    assert dict(pairs) == {
        "start_hr": "2026-02-28T01",
        "start_month": "2026-01",
        "from": str(int(here.timestamp()) - 3600),
    }


@pytest.mark.parametrize("address", searches())
def test_searches_are_operations_and_have_their_fields(address: str) -> None:
    """Each is a POST in the catalogue; its body has the fields that the spec requires."""
    operation = catalogue().by_address[address]
    assert operation.method == "POST"
    body = search_body(address, now=NOW)
    needed = set(operation.body.split()) - {"any", "optional"}
    assert needed <= set(body)
    assert body == search_body(address, now=NOW)
    assert body is not search_body(address, now=NOW)


def test_no_other_post_has_a_body() -> None:
    """Only the listed operations are searches."""
    assert search_body("POST /api/v1/monitor", now=NOW) is None
    assert len(searches()) == 5

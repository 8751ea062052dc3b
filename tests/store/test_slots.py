"""A slot has one name wherever it is stored, and environment variables that may contain it."""

from __future__ import annotations

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st
from support.builders import REFRESH_TOKEN

from ddoauth_kit.secret import Secret
from ddoauth_kit.store import EnvironmentFirst, MemoryStore, Slot
from ddoauth_kit.store.slots import slot_named, variables

PLAIN = Slot("refresh_token", "us1", "6dd8ed6c-0000")
ORG = Slot("refresh_token", "us1", "6dd8ed6c-0000", "published", "org-2")
TOKEN = Secret(REFRESH_TOKEN, label="refresh_token")


def test_short_names_stay_short() -> None:
    """A slot without kind of client and organization has the name it always had."""
    assert PLAIN.name == "refresh_token:us1:6dd8ed6c-0000"
    assert str(PLAIN) == "refresh_token of 6dd8ed6c-0000 on us1"
    assert str(ORG) == "refresh_token of published 6dd8ed6c-0000 on us1 in org-2"


@pytest.mark.checklist("N4")
@generated(st.builds(Slot, *[st.text(min_size=1)] * 3, st.text(), st.text()))
def test_names_are_read_back(slot: Slot) -> None:
    """Whatever a slot consists of, its name is one file name that leads back only to this slot."""
    try:
        name = slot.name
    except UnicodeEncodeError:
        return
    assert "/" not in name
    assert "\0" not in name
    assert slot_named(name) == slot


@pytest.mark.parametrize("name", ["", "a", "a:b", "a:b:c:d:e:f", "api_key:us1:a%3", "slots"])
def test_what_is_no_name(name: str) -> None:
    """Other texts are not slots."""
    assert slot_named(name) is None


def test_the_environment_may_name_client_and_organization() -> None:
    """The most exact variable wins, and one of another client or site counts for nothing."""
    assert variables(ORG) == (
        "DDOAUTH_REFRESH_TOKEN_US1__6DD8ED6C_0000__ORG_2",
        "DDOAUTH_REFRESH_TOKEN_US1__6DD8ED6C_0000",
        "DDOAUTH_REFRESH_TOKEN_US1",
    )
    environ = {
        "DDOAUTH_REFRESH_TOKEN_US1": "any",
        "DDOAUTH_REFRESH_TOKEN_US1__6DD8ED6C_0000": "of-client",
        "DDOAUTH_REFRESH_TOKEN_US1__6DD8ED6C_0000__ORG_2": "of-org",
        "DDOAUTH_REFRESH_TOKEN_US1_FED__6DD8ED6C_0000": "of-other-site",
    }
    store = EnvironmentFirst(MemoryStore(), environ)
    found = [store.get(slot) for slot in (ORG, PLAIN, Slot("refresh_token", "us1", "other"))]
    assert [each.reveal() for each in found if each] == ["of-org", "of-client", "any"]


def test_forgetting_uncovers_the_next_variable() -> None:
    """Each call drops what is in force; after a put no variable of the slot is read."""
    environ = {
        "DDOAUTH_REFRESH_TOKEN_US1": "any",
        "DDOAUTH_REFRESH_TOKEN_US1__6DD8ED6C_0000": "of-client",
    }
    store = EnvironmentFirst(MemoryStore(), environ)
    store.forget(PLAIN)
    assert store.get(PLAIN) == Secret("any", label="refresh_token")
    store.put(PLAIN, TOKEN)
    assert store.get(PLAIN) == TOKEN
    assert store.slots() == (PLAIN,)
    store.forget(PLAIN)
    assert store.get(PLAIN) is None

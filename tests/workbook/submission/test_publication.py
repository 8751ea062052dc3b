"""A private client is published, its secret is stored first, and both clients still work."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.errors import InputError
from ddoauth_kit.store import ChosenStore, MemoryStore
from ddoauth_kit.workbook import Lab, open_lab, open_sandbox_lab
from ddoauth_kit.workbook.submission.publication import DeveloperPage, switch_to, try_organizations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.secret import Secret
    from ddoauth_kit.store import Slot


class _Full(MemoryStore):
    """Refuse to store anything."""

    def put(self, slot: Slot, secret: Secret) -> None:
        """Fail as a full disk does."""
        raise InputError("not_stored", f"{slot} {secret}")


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Open a lab with the private client."""
    with open_sandbox_lab("eu1", private=True) as opened:
        yield opened


def test_a_private_client_is_another_on_each_site(lab: Lab) -> None:
    """Its id is good on one site, and both of two sites give tokens."""
    other = lab.on("us5")
    assert (lab.registration.kind, lab.registration.sites) == ("private", ("eu1",))
    assert other.registration.sites == ("us5",)
    assert lab.registration.client_id != other.registration.client_id
    assert lab.connect().site.name == "eu1"
    assert other.connect().site.name == "us5"


def test_only_the_published_client_works_in_any_organization(lab: Lab) -> None:
    """The second organization refuses the private client and accepts the published one."""
    page = DeveloperPage(lab)
    assert page.test_authorization().times == 1
    assert page.publish().times == 1
    published = switch_to(lab, page.take_over())
    assert list(try_organizations(lab).frame["result"]) == ["tokens", "invalid_client_id"]
    assert list(try_organizations(published).frame["result"]) == ["tokens", "tokens"]


def test_both_registrations_go_on(lab: Lab) -> None:
    """The private grant survives the switch, and each client has its own slot for tokens."""
    private = lab.connect()
    page = DeveloperPage(lab)
    page.publish()
    published = switch_to(lab, page.take_over())
    assert published.on("ap1").connect().site.name == "ap1"
    published.connect()
    assert lab.current_user(lab.refresh(private)).status == 200
    kept = {slot.client_id for slot in lab.store.slots() if slot.kind == "grant"}
    assert kept == {lab.registration.client_id, published.registration.client_id}


def test_the_secret_is_in_the_store_and_not_on_the_card(lab: Lab) -> None:
    """The secret is stored, and neither the text nor the HTML shows it."""
    page = DeveloperPage(lab)
    page.publish()
    taken = page.take_over()
    secret = taken.registration.secret
    assert lab.store.get(taken.slot) == secret
    assert secret.reveal() not in repr(taken) + taken._repr_html_()


def test_a_second_look_finds_nothing(lab: Lab) -> None:
    """Credentials are shown once, and never without a publication."""
    page = DeveloperPage(lab)
    with pytest.raises(InputError) as before:
        page.take_over()
    page.publish()
    page.take_over()
    with pytest.raises(InputError) as after:
        page.take_over()
    assert before.value.code == after.value.code == "credentials_not_shown"


def test_a_store_that_keeps_nothing_uses_nothing_up(lab: Lab) -> None:
    """If the secret could not be stored, the page is not opened, so it can still be shown."""
    page = DeveloperPage(lab)
    page.publish()
    good = lab.backend
    lab.backend = replace(good, store=ChosenStore(_Full()))
    with pytest.raises(InputError) as refused:
        page.take_over()
    lab.backend = good
    assert refused.value.code == "not_stored"
    assert page.take_over().registration.kind == "published"


def test_the_page_is_for_the_private_client() -> None:
    """A published client is not published again."""
    with open_lab() as published, pytest.raises(InputError) as refused:
        DeveloperPage(published)
    assert refused.value.code == "not_the_private_client"

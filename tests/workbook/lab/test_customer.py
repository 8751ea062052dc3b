"""The customer clicks on the sandbox's pages; with real Datadog, a person is told where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.workbook import open_lab, provoke
from ddoauth_kit.workbook.lab.customer import Clicked, Customer
from ddoauth_kit.workbook.show.cards import Skipped, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.loopback import RecordingServer

    from ddoauth_kit.workbook import Lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Open a sandbox lab."""
    with open_lab("us3") as opened:
        yield opened


def _times(clicked: Clicked | Skipped) -> int:
    assert isinstance(clicked, Clicked)
    return clicked.times


def test_revoke_an_api_key(lab: Lab) -> None:
    """The key with that id, and no other, is revoked; clicking again finds nothing."""
    key = lab.create_api_key(lab.connect())
    assert key
    assert _times(lab.customer.revoke_api_key("no-such-key")) == 0
    assert lab.validate_api_key(key) is True
    assert _times(lab.customer.revoke_api_key(key.key_id)) == 1
    assert lab.validate_api_key(key) is False
    assert _times(lab.customer.revoke_api_key(key.key_id)) == 0


def test_disable_an_app(lab: Lab) -> None:
    """Disabling the app ends its grant; another app's button is not touched."""
    tokens = lab.connect()
    assert _times(lab.customer.revoke_authorization("no-such-client")) == 0
    assert lab.current_user(tokens).status == 200
    assert _times(lab.customer.revoke_authorization(tokens.client_id)) == 1
    assert provoke(lab.refresh, tokens).code == "invalid_refresh_token"


def test_uninstall(lab: Lab) -> None:
    """Uninstalling ends the grant and leaves the key."""
    tokens = lab.connect()
    key = lab.create_api_key(tokens)
    assert _times(lab.customer.uninstall("no-such-client")) == 0
    assert _times(lab.customer.uninstall(tokens.client_id)) == 1
    assert provoke(lab.current_user, tokens).code == "unauthorized"
    assert lab.validate_api_key(key) is True


def test_a_click_has_a_card() -> None:
    """A click shows its page, its button and how often."""
    clicked = Clicked("Integrations", "Uninstall", 1)
    assert rows(clicked) == (("page", "Integrations"), ("clicked", "Uninstall"), ("times", "1"))


@pytest.mark.parametrize(
    ("click", "where"),
    [
        (Customer.revoke_api_key, "Organization Settings > API Keys and click Revoke"),
        (
            Customer.revoke_authorization,
            "Organization Settings > Mobile and Third-Party Access and click Revoke",
        ),
        (Customer.uninstall, "Integrations and click Uninstall"),
    ],
)
def test_live_says_what_to_do(
    click: Callable[[Customer, str], object], where: str, serve: Callable[..., RecordingServer]
) -> None:
    """Without a sandbox the person is told page and button, and nothing is requested."""
    server = serve()
    found = click(Customer(server.site, sandbox=False), "some-id")
    assert found == Skipped(f"In Datadog, open {where}.")
    assert server.arrived == []

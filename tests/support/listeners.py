"""Listen for a scene's client, and visit the listener as a customer does."""

from __future__ import annotations

import socket
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ddoauth_kit.oauth.callback.listener import CallbackListener
from support.visitors import Person, waiting

if TYPE_CHECKING:
    from ddoauth_kit import TokenSet
    from support.scene import Scene

    Listener = CallbackListener[TokenSet]

FROM_TILE = urlencode({"domain": "datadoghq.com", "site": "https://app.datadoghq.com"})


@cache
def has_ipv6() -> bool:
    """Return whether `::1` is an address of this machine."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def listen(scene: Scene) -> Listener:
    """Return a listener that exchanges the code."""
    return CallbackListener(scene.oauth, finish=scene.oauth.exchange)


def onboard(listener: Listener, query: str = FROM_TILE) -> str:
    """Return the address that the tile sends a customer to."""
    return f"{listener.onboarding_url}?{query}"


def still_works(listener: Listener) -> None:
    """Prove that the wait was not consumed: the next attempt gets its tokens."""
    with waiting(listener) as outcome:
        page = Person().finish(onboard(listener))
    assert "You may now close this tab." in page.text
    assert outcome[0].access_token

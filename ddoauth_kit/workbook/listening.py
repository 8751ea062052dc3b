"""Open the listener for a lab's client, wherever its browser is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.oauth.callback import CallbackListener
from ddoauth_kit.workbook.jupyter_server import ports_path

if TYPE_CHECKING:
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.workbook.steps import Lab


def listener_of(lab: Lab) -> CallbackListener[TokenSet]:
    """Return the listener for a lab's two URLs; entering it opens the port.

    In live mode it is the registered port. In the sandbox it is a free one, which becomes part of
    the client's registration, and where Jupyter shows ports to browsers, browsers go that way.
    What comes back is exchanged and kept as `lab.exchange` does it.

    Raises:
        InputError: `no_loopback_redirect_uri`, or `port_not_opened` when it is entered.
    """
    register = lab.parts.register
    return CallbackListener(
        lab.oauth,
        finish=lab.exchange,
        register=register,
        proxy_path=ports_path() if register else "",
    )

"""Let a person authorize in a browser and paste the address of the page they end on."""

from __future__ import annotations

import contextlib
import webbrowser
from getpass import getpass
from html import escape
from typing import TYPE_CHECKING

from IPython.display import HTML, display

from ddoauth_kit.errors import InputError

if TYPE_CHECKING:
    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest

# JupyterLab takes a link's looks away inside widgets.
LINK = "text-decoration:underline;color:var(--jp-content-link-color,revert)"
PROMPT = "Authorize in the browser, then paste the address of the page you end on: "


def ask_for_redirect(request: AuthorizationRequest) -> str:
    """Show the authorization URL, wait for the redirect URL, and leave neither in the notebook.

    The link stands in the output only while the question is open; the answer is read like a
    password, so that it is not saved.

    Raises:
        InputError: `no_person`, when the kernel has nobody to ask.
    """
    button = HTML(link(request.url, "Authorize in Datadog"))  # type: ignore[no-untyped-call]
    shown = display(button, display_id=True)  # type: ignore[no-untyped-call]
    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(request.url)
    try:
        return getpass(PROMPT)
    except (EOFError, NotImplementedError) as error:  # the second is what a kernel raises
        raise nobody() from error
    finally:
        if shown is not None:
            shown.update(HTML(link("", request.shown_url)))  # type: ignore[no-untyped-call]


def nobody() -> InputError:
    """Return the error for a kernel that has nobody to ask."""
    return InputError("no_person", "Nobody can be asked for the redirect URL here.")


def link(url: str, text: str) -> str:
    """Return a link that opens a window of its own, or where there is no URL the text alone."""
    shown = escape(text)
    if not url:
        return f"<code>{shown}</code>"
    window = 'target="_blank" rel="noopener noreferrer"'
    return f'<a href="{escape(url)}" {window} style="{LINK}">{shown}</a>'

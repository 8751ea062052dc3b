"""Let a person authorize, through the listener if the browser can return here, or by pasting."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import webbrowser
from contextlib import closing
from getpass import getpass as _standard_getpass
from html import escape
from typing import TYPE_CHECKING, Any, Final

from IPython.core.getipython import get_ipython
from IPython.display import HTML, display

from ddoauth_kit.doctor.way_back import (
    browser_is_here,
    consent_wanted,
    opens_no_window,
)
from ddoauth_kit.errors import AuthorizationError, InputError
from ddoauth_kit.oauth.callback.listener import CallbackListener
from ddoauth_kit.oauth.client import ONE_PERSON
from ddoauth_kit.registration.redirect_uris import leads_here

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
    from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
    from ddoauth_kit.oauth.client import OAuthClient

# Each of these means that the notebook is viewed on another machine.
ELSEWHERE: Final = (
    "SSH_CONNECTION",
    "JUPYTERHUB_SERVICE_PREFIX",
    "CODESPACES",
    "REMOTE_CONTAINERS",
)
WAIT: Final = 300.0
NOT_FROM_A_PANEL: Final = (
    "A background task can't ask for the redirect URL: authorize first, with the authorize panel "
    "or with `lab.connect()` in a cell."
)
WAITING: Final = "Waiting for you to authorize; interrupt the kernel to stop."
# JupyterLab removes the style of links inside widgets.
LINK = "text-decoration:underline;color:var(--jp-content-link-color,revert)"
PROMPT = "Authorize in the browser, then paste the address of the page where you end up: "


def ask_person(request: AuthorizationRequest, *, oauth: OAuthClient) -> AuthorizationResponse:
    """Return the checked response from the listener or a paste, and print who consented.

    The listener is used for a loopback redirect URI and a browser on this machine; if no redirect
    arrives in time, it can still be pasted. `DDOAUTH_CONSENT` can be set to `paste` or `listener`
    to force one of the two. The organization is printed before the code is exchanged.

    Raises:
        AuthorizationError: see `CallbackListener.wait` and `OAuthClient.receive`.
        InputError: `no_person`, if the kernel can't ask anybody.
    """
    answer = _answer(request, oauth)
    response = oauth.receive(answer, session=ONE_PERSON) if isinstance(answer, str) else answer
    print(response.organization)  # noqa: T201 - before anything is kept
    return response


def _answer(request: AuthorizationRequest, oauth: OAuthClient) -> AuthorizationResponse | str:
    if threading.current_thread() is not threading.main_thread():
        raise InputError("no_person", NOT_FROM_A_PANEL)
    if not comes_back_here([request.redirect_uri]):
        return ask_for_redirect(request)
    if not _somebody_is_there():
        raise nobody()
    try:
        listener = _listener(request, oauth).open()
    except InputError as error:
        print(error)  # noqa: T201 - why it has to be pasted
        return ask_for_redirect(request)
    with closing(listener):
        try:
            return _wait(listener, request)
        except AuthorizationError as error:
            if error.code != "no_redirect_in_time":
                raise
            print(error)  # noqa: T201 - what is asked for next
    return ask_for_redirect(request)


def comes_back_here(
    redirect_uris: Iterable[str], *, environ: Mapping[str, str] = os.environ
) -> bool:
    """Return whether a redirect to one of these URIs can reach a listener here."""
    wanted = consent_wanted(environ)
    if wanted == "paste" or not any(map(leads_here, redirect_uris)):
        return False
    return wanted == "listener" or (not any(map(environ.get, ELSEWHERE)) and browser_is_here())


def _listener(
    request: AuthorizationRequest, oauth: OAuthClient
) -> CallbackListener[AuthorizationResponse]:
    return CallbackListener(
        oauth,
        finish=lambda response: response,
        redirect_uri=request.redirect_uri,
        onboarding=False,
    )


def _wait(
    listener: CallbackListener[AuthorizationResponse], request: AuthorizationRequest
) -> AuthorizationResponse:
    """Show the link while it is valid, open it and wait; the link does not stay in the notebook."""
    url = listener.start_url(request)
    with _shown(url, request, below=WAITING):
        webbrowser.open(url)
        return listener.wait(WAIT)


@contextlib.contextmanager
def _shown(url: str, request: AuthorizationRequest, *, below: str = "") -> Iterator[None]:
    """Show a link during the block, in a cell's output or, outside a cell, as text."""
    if not _in_kernel():
        print(f"Authorize in Datadog: {url}\n{below}".rstrip(), file=sys.stderr, flush=True)  # noqa: T201
        yield
        return
    text = link(url, "Authorize in Datadog") + (f"<p>{below}</p>" if below else "")
    shown = display(HTML(text), display_id=True)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown is not None:
            shown.update(HTML(link("", request.shown_url)))  # type: ignore[no-untyped-call]


def _in_kernel() -> bool:
    return getattr(get_ipython(), "kernel", None) is not None


def _somebody_is_there() -> bool:
    """Return whether the running cell comes from a front end that can ask a person."""
    shell: Any = get_ipython()
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return sys.stdin is not None and sys.stdin.isatty()
    return bool(kernel.get_parent().get("content", {}).get("allow_stdin"))


def ask_for_redirect(request: AuthorizationRequest) -> str:
    """Show the authorization URL and read the redirect URL, without storing them in the notebook.

    The output shows the link only while the kit waits for the redirect. The input is read like a
    password, so it is not saved.

    Raises:
        InputError: `no_person`, if the kernel can't ask anybody.
    """
    with _shown(request.url, request):
        if not opens_no_window():
            with contextlib.suppress(webbrowser.Error):
                webbrowser.open(request.url)
        try:
            return getpass(PROMPT)
        except (EOFError, NotImplementedError) as error:  # the second is what a kernel raises
            raise nobody() from error


def getpass(prompt: str) -> str:
    """Ask for a line without showing it.

    Raises:
        EOFError, NotImplementedError: there is nobody to ask.
    """
    if not _in_kernel() and not _somebody_is_there():
        raise EOFError
    return _standard_getpass(prompt)


def nobody() -> InputError:
    """Return the error for a kernel that can't ask anybody."""
    return InputError("no_person", "Nobody can paste the redirect URL here.")


def link(url: str, text: str) -> str:
    """Return a link that opens a new window, or only the text if there is no URL."""
    shown = escape(text)
    if not url:
        return f"<code>{shown}</code>"
    window = 'target="_blank" rel="noopener noreferrer"'
    return f'<a href="{escape(url)}" {window} style="{LINK}">{shown}</a>'

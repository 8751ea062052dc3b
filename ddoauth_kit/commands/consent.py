"""Get a person's consent from a plain terminal, through the listener or a pasted address."""

from __future__ import annotations

import contextlib
import webbrowser
from getpass import getpass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ddoauth_kit.doctor.way_back import opens_no_window
from ddoauth_kit.errors import InputError
from ddoauth_kit.oauth.callback.listener import WAIT, CallbackListener
from ddoauth_kit.oauth.client import ONE_PERSON
from ddoauth_kit.oauth.redirect import pasted_redirect
from ddoauth_kit.printable import counted
from ddoauth_kit.registration.redirect_uris import leads_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
    from ddoauth_kit.oauth.client import OAuthClient
    from ddoauth_kit.oauth.tokens import TokenSet

PROMPT: Final = "Paste the address of the page where you end up (it is not shown): "


def listen_for_consent(  # noqa: PLR0913 - tests replace some of them
    oauth: OAuthClient,
    *,
    domain: str,
    finish: Callable[[AuthorizationResponse], TokenSet],
    say: Callable[[str], None],
    browse: Callable[[str], object] = webbrowser.open,
    seconds: float = WAIT,
) -> TokenSet:
    """Open the authorization page in the browser, wait for the redirect, and return the tokens.

    `finish` receives the checked redirect before the browser sees that the attempt succeeded. The
    listener serves this one attempt and no onboarding URL.

    Raises:
        InputError: `no_loopback_redirect_uri`, or `port_not_opened`.
        AuthorizationError: consent was denied, did not arrive in time, or cannot be trusted.
        TokenError, AnswerError, NetworkError: the code was not exchanged.
    """
    uris = [uri for uri in oauth.registration.redirect_uris if leads_here(uri)]
    if not uris:
        listed = ", ".join(oauth.registration.redirect_uris) or "none"
        what = (
            f"No redirect URI of the {oauth.registration.kind} client leads to this machine; "
            f"registered: {listed}."
        )
        raise InputError("no_loopback_redirect_uri", what)
    with CallbackListener(oauth, finish=finish, redirect_uri=uris[0], onboarding=False) as listener:
        request = oauth.begin(domain=domain, redirect_uri=listener.redirect_uri, session=ONE_PERSON)
        url = listener.start_url(request)
        say(f"Authorize in your browser: {url}")
        minutes = counted(f"{seconds / 60:g}", "minute")
        say(f"Waiting up to {minutes} for you to respond; press Ctrl-C to stop.")
        say("If the page shows an error instead, check the client id, redirect URI and scopes.")
        if not opens_no_window():
            with contextlib.suppress(webbrowser.Error):
                browse(url)
        return listener.wait(seconds)


def paste_consent(
    oauth: OAuthClient,
    *,
    domain: str,
    finish: Callable[[AuthorizationResponse], TokenSet],
    say: Callable[[str], None],
    ask: Callable[[str], str] = getpass,
) -> TokenSet:
    """Print the authorization URL, read the redirect without echo, and return the tokens.

    Raises:
        InputError: `no_person`, if nobody can type.
        AuthorizationError: consent was denied, or the redirect cannot be trusted.
        TokenError, AnswerError, NetworkError: the code was not exchanged.
    """
    request = oauth.begin(domain=domain, session=ONE_PERSON)
    host = urlsplit(request.redirect_uri).hostname
    say(
        f"The code also reaches the server at {host}: it may use the code before you do, or log "
        "it. Paste only if that server is yours."
    )
    say(f"Authorize in your browser: {request.url}")
    try:
        redirect = ask(PROMPT)
    except EOFError:
        raise InputError("no_person", "There is nobody here to paste the redirect URL.") from None
    return finish(oauth.receive(pasted_redirect(redirect), session=ONE_PERSON))

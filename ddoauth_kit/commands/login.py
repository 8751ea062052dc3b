"""The command `ddoauth login`: get a stored grant from a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.terminal import SUCCESS, checked_client, document, say
from ddoauth_kit.errors import InputError
from ddoauth_kit.sites import DATADOG_SITES

if TYPE_CHECKING:
    import argparse

    from ddoauth_kit.commands.parser import Parser
    from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
    from ddoauth_kit.oauth.client import OAuthClient
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.store import ChosenStore

EXAMPLES: Final = (
    "ddoauth login",
    "ddoauth login --site eu1 --client assets/oauth_clients.json",
    "ddoauth login --paste",
)


def configure(login: Parser) -> None:
    """Describe the command and add its options."""
    login.describe(
        "Authorize your client in your browser, and store the grant. After that, `ddoauth probe "
        "--mode live` and the lessons work without a person. The client comes from the form in "
        "lesson 09, or from DDOAUTH_CLIENT_ID, DDOAUTH_CLIENT_SECRET, DDOAUTH_REDIRECT_URIS and "
        "DDOAUTH_SCOPES. If DDOAUTH_SANDBOX is the address of a sandbox, the sandbox takes the "
        "place of Datadog: `ddoauth sandbox` prints the lines to type.",
        examples=EXAMPLES,
    )
    login.set_defaults(command=run_login)
    login.add_argument(
        "--site", default="us1", help=f"one of {', '.join(DATADOG_SITES.names)} (us1)"
    )
    login.add_argument("--client", metavar="FILE", help="an integration's oauth_clients.json")
    login.add_argument(
        "--paste",
        action="store_true",
        help="paste the address where you end up, if no redirect URI leads to this machine",
    )


def run_login(options: argparse.Namespace) -> int:
    """Get consent, exchange the code, and store the grant."""
    from ddoauth_kit.oauth.consent.terminal import listen_for_consent, paste_consent
    from ddoauth_kit.store import open_store

    _refuse_without_a_person()
    oauth = live_client(options.site, client=checked_client(options.client))
    chosen = open_store()
    site = oauth.sites.named(options.site)

    def finish(response: AuthorizationResponse) -> TokenSet:
        return _stored(response, oauth=oauth, chosen=chosen)

    consent = paste_consent if options.paste else listen_for_consent
    with oauth.http:
        tokens = consent(oauth, domain=site.domain, finish=finish, say=say)
    document(_summary(tokens, chosen=chosen))
    return SUCCESS


def live_client(site: str, *, client: str) -> OAuthClient:
    """Return the client that live mode uses on a site, at Datadog or in a named sandbox.

    Raises:
        InputError: no registration was found, or it does not fit the sandbox.
    """
    from ddoauth_kit.oauth.client import OAuthClient
    from ddoauth_kit.registration.against_sandbox import sites_to_use
    from ddoauth_kit.registration.live import live_registration

    registration = live_registration(DATADOG_SITES.named(site).name, client=client)
    return OAuthClient(registration, sites=sites_to_use(registration))


def _refuse_without_a_person() -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        what = "`ddoauth login` needs a terminal, because a person has to authorize."
        raise InputError("no_person", what)


def _stored(
    response: AuthorizationResponse, *, oauth: OAuthClient, chosen: ChosenStore
) -> TokenSet:
    """Show the organization, exchange, and store before the browser's page reports the result."""
    from ddoauth_kit.oauth.consent.terminal import organization
    from ddoauth_kit.oauth.grant import keep_grant

    say(organization(response))
    tokens = oauth.exchange(response)
    keep_grant(oauth, tokens, store=chosen.store)
    return tokens


def _summary(tokens: TokenSet, *, chosen: ChosenStore) -> str:
    named = " ".join(filter(None, (tokens.dd_org_name, tokens.dd_oid))) or "(not named)"
    lines = {
        "organization": named,
        "site": f"{tokens.site.name} ({tokens.site.domain})",
        "scopes": " ".join(tokens.scopes.granted) or "(none)",
        "grant in": chosen.store.where + (f" ({chosen.reason})" if chosen.reason else ""),
        "next": f"ddoauth probe --mode live --site {tokens.site.name}",
    }
    return "\n".join(f"{name:<13} {text}" for name, text in lines.items())

"""The command `ddoauth login`: get and store a grant from a terminal."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ddoauth_kit.commands.known_values import scopes, sites
from ddoauth_kit.commands.terminal import (
    SUCCESS,
    checked_client,
    chosen_scopes,
    document,
    say,
)
from ddoauth_kit.errors import InputError
from ddoauth_kit.printable import counted
from ddoauth_kit.sites import DATADOG_SITES

if TYPE_CHECKING:
    import argparse

    from ddoauth_kit.commands.parser import Parser
    from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
    from ddoauth_kit.oauth.client import OAuthClient
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.sites import Site
    from ddoauth_kit.store import ChosenStore

_MOST_NAMED: Final = 12
EXAMPLES: Final = (
    "ddoauth login",
    "ddoauth login --site eu1 --client assets/oauth_clients.json",
    "ddoauth login --scope metrics_read monitors_read",
)


def configure(login: Parser) -> None:
    """Describe the command and add its options."""
    login.describe(
        "Authorize your client in your browser, and store the grant. After that, `ddoauth probe "
        "--mode live` and the lessons from 04 on work without a person; lessons 01 to 03 "
        "authorize again in JupyterLab. The client comes from the form in lesson 09, or from "
        "DDOAUTH_CLIENT_ID, DDOAUTH_CLIENT_SECRET, DDOAUTH_REDIRECT_URIS and DDOAUTH_SCOPES. If "
        "DDOAUTH_SANDBOX is the address of a sandbox, the sandbox takes the place of Datadog: "
        "`ddoauth sandbox` prints all the lines to type.",
        examples=EXAMPLES,
    )
    login.set_defaults(command=run_login)
    login.add_argument(
        "--site", default="us1", help=f"one of {', '.join(DATADOG_SITES.names)} (us1)", values=sites
    )
    login.add_argument("--client", metavar="FILE", help="an integration's oauth_clients.json")
    login.add_argument(
        "--scope",
        action="extend",
        nargs="+",
        default=[],
        metavar="NAME",
        help="scopes to ask for, separated by spaces or commas (those of DDOAUTH_SCOPES or of the "
        "client file; without them, the site offers all of the client's)",
        values=scopes,
    )
    login.add_argument(
        "--paste",
        action="store_true",
        help="paste the address where you end up, if no redirect URI leads to this machine",
    )


def run_login(options: argparse.Namespace) -> int:
    """Get consent, exchange the code, and store the grant."""
    from ddoauth_kit.commands.consent import listen_for_consent, paste_consent
    from ddoauth_kit.doctor.reachability import require_answer
    from ddoauth_kit.store import open_store

    scopes = chosen_scopes(options.scope)
    oauth = live_client(options.site, client=checked_client(options.client), scopes=scopes)
    for warning in oauth.registration.warnings:
        say(f"warning: {warning}")
    _refuse_without_a_person()
    chosen = open_store()
    site = oauth.sites.named(options.site)

    def finish(response: AuthorizationResponse) -> TokenSet:
        return _stored(response, oauth=oauth, chosen=chosen)

    consent = paste_consent if options.paste else listen_for_consent
    with oauth.http:
        if site.endpoints:
            say(f"This login goes to {_sandbox(site)}, not to Datadog.")
        require_answer(oauth.http, site)  # otherwise the person would consent in vain
        say(_asked(oauth.registration.scopes))
        tokens = consent(oauth, domain=site.domain, finish=finish, say=say)
    document(_summary(tokens, chosen=chosen))
    return SUCCESS


def live_client(site: str, *, client: str, scopes: tuple[str, ...] = ()) -> OAuthClient:
    """Return the client that live mode uses on a site, either at Datadog or at a named sandbox.

    `scopes` replace those in the settings.

    Raises:
        InputError: no registration was found, or it does not fit the sandbox.
    """
    from ddoauth_kit.oauth.client import OAuthClient
    from ddoauth_kit.registration.against_sandbox import sites_to_use
    from ddoauth_kit.registration.live import live_registration

    registration = live_registration(DATADOG_SITES.named(site).name, client=client)
    if scopes:
        registration = replace(registration, scopes=scopes)
    return OAuthClient(registration, sites=sites_to_use(registration))


def _refuse_without_a_person() -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        what = "`ddoauth login` needs a terminal, because a person has to authorize."
        raise InputError("no_person", what)


def _stored(
    response: AuthorizationResponse, *, oauth: OAuthClient, chosen: ChosenStore
) -> TokenSet:
    """Show the organization, exchange the code, and store the grant before the page says so."""
    from ddoauth_kit.oauth.grant import keep_grant

    say(response.organization)
    tokens = oauth.exchange(response)
    keep_grant(oauth, tokens, store=chosen.store)
    return tokens


def _asked(scopes: tuple[str, ...]) -> str:
    """Say what the person will be asked to grant, and how to choose something else."""
    if not scopes:
        return (
            "No scopes are named, so the site offers all of the client's scopes. To choose, add "
            "`--scope NAME`, or set DDOAUTH_SCOPES."
        )
    if len(scopes) > _MOST_NAMED:
        return f"Asking for {len(scopes)} scopes of the client. To choose, add `--scope NAME`."
    return f"Asking for {counted(len(scopes), 'scope')}: {' '.join(scopes)}"


def _is_lost(chosen: ChosenStore) -> bool:
    """Return whether the grant is lost when this process ends; `ddoauth doctor` says why."""
    from ddoauth_kit.store import MemoryStore

    return isinstance(chosen.store, MemoryStore)


def _sandbox(site: Site) -> str:
    return f"the sandbox at http://{urlsplit(site.api_url).netloc}"


def _summary(tokens: TokenSet, *, chosen: ChosenStore) -> str:
    named = " ".join(filter(None, (tokens.dd_org_name, tokens.dd_oid))) or "(not named)"
    where = f", at {_sandbox(tokens.site)}" if tokens.site.endpoints else ""
    lines = {
        "organization": named,
        "site": f"{tokens.site.name} ({tokens.site.domain}){where}",
        "scopes": " ".join(tokens.scopes.granted) or "(none)",
        "grant in": chosen.store.where + (f" ({chosen.reason})" if _is_lost(chosen) else ""),
        "next": f"ddoauth probe --mode live --site {tokens.site.name}",
    }
    return "\n".join(f"{name:<13} {text}" for name, text in lines.items())

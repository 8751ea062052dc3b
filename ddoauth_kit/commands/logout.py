"""The command `ddoauth logout`: revoke the grant that `ddoauth login` stored, and delete it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ddoauth_kit.commands.known_values import sites
from ddoauth_kit.commands.login import live_client
from ddoauth_kit.commands.terminal import FOUND, SUCCESS, checked_client, say
from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.sites import DATADOG_SITES

if TYPE_CHECKING:
    import argparse

    from ddoauth_kit.commands.parser import Parser
    from ddoauth_kit.oauth.grant import Grant

EXAMPLES: Final = ("ddoauth logout", "ddoauth logout --site eu1")


def configure(logout: Parser) -> None:
    """Describe the command and add its options."""
    logout.describe(
        "Revoke the grants of the environment's client on a site, and delete them from the "
        "store. API keys stay valid. If DDOAUTH_SANDBOX is the address of a sandbox, the sandbox "
        "takes the place of Datadog. Exit 1 if nothing is stored, or if Datadog did not confirm "
        "the revocation.",
        examples=EXAMPLES,
    )
    logout.set_defaults(command=run_logout)
    logout.add_argument(
        "--site", default="us1", help=f"one of {', '.join(DATADOG_SITES.names)} (us1)", values=sites
    )
    logout.add_argument("--client", metavar="FILE", help="an integration's oauth_clients.json")


def run_logout(options: argparse.Namespace) -> int:
    """End each of the client's stored grants on the site."""
    from ddoauth_kit.oauth.grant import kept_grants
    from ddoauth_kit.store import open_store

    oauth = live_client(options.site, client=checked_client(options.client))
    site = oauth.sites.named(options.site)
    grants = kept_grants(oauth, store=open_store().store, site=site.name)
    if not grants:
        say(f"no grant of this client is stored for {site.name}")
    with oauth.http:
        confirmed = [_ended(grant) for grant in grants]
    return SUCCESS if grants and all(confirmed) else FOUND


def _ended(grant: Grant) -> bool:
    """End one grant; delete it here even if Datadog does not confirm the revocation."""
    where = f"the grant of organization {grant.slot.org or '(not named)'} on {grant.slot.site}"
    try:
        grant.end()
    except DdoauthError as error:
        say(
            f"forgotten here, but not confirmed: {where}: "
            f"{error.told(f'ddoauth explain {error.code}')}"
        )
        return False
    say(f"revoked and forgotten: {where}")
    return True

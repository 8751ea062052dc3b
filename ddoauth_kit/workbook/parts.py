"""Hold what a lab is made of, and whether it is real."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.errors import DdoauthError
    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
    from ddoauth_kit.oauth.client import OAuthClient
    from ddoauth_kit.sites import Site
    from ddoauth_kit.store import ChosenStore
    from ddoauth_kit.workbook.cards import Skipped
    from ddoauth_kit.workbook.customer import Customer


class Mode(StrEnum):
    """Name what the lab talks to."""

    SANDBOX = "sandbox"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Parts:
    """Hold what a lab is made of.

    `consent` turns an authorization request into the redirect that answers it, `drill` runs a
    named drill, `pause` lets seconds pass, `close` ends what was opened. `elsewhere` returns the
    same parts for another site.
    """

    mode: Mode
    site: Site
    oauth: OAuthClient
    store: ChosenStore
    customer: Customer
    consent: Callable[[AuthorizationRequest], str]
    drill: Callable[[str], DdoauthError | Skipped]
    pause: Callable[[float], None]
    close: Callable[[], None]
    writes: bool
    elsewhere: Callable[[str], Parts]

"""Say of tokens in a panel whether their refresh token is anywhere else."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.workbook.steps import Lab

UNKEPT: Final = (
    "The store does not have this refresh token: save `panel.tokens.refresh_token.reveal()` of "
    "this panel in your secret manager, or the customer has to authorize again."
)


def unkept(lab: Lab, tokens: TokenSet) -> str:
    """Return a paragraph if the refresh token is in the panel alone, else nothing."""
    if not tokens.refresh_token or lab.grants.holds(tokens):
        return ""
    return f"<p>{escape(UNKEPT)}</p>"

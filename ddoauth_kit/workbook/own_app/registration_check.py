"""Show the problems with a registration, and the stored values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ddoauth_kit.registration.redirect_uris import why_no_redirect_uri
from ddoauth_kit.workbook.own_app.saved_registration import SavedRegistration, problems_of
from ddoauth_kit.workbook.show.cards import Rows, rows
from ddoauth_kit.workbook.show.result_table import ResultTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.registration import ClientRegistration

_NO_URI: Final = ("redirect URIs", "is empty.")


@rows.register
def _(value: SavedRegistration) -> Rows:
    return (
        ("client id", value.client_id),
        ("works on", value.site),
        ("client file", value.file),
        ("client secret", value.secret),
        ("next", value.use),
    )


def check_registration(
    registration: ClientRegistration, *, refused_uris: Iterable[str] = ()
) -> ResultTable:
    """Return a table of wrong or unusual values, or an empty one.

    `refused_uris` are redirect URIs that a `ClientRegistration` can't hold. Columns: `field`,
    `problem`, `stops` (yes if the registration cannot be stored).
    """
    refused = [
        ("redirect URI", f"{uri[:120]}: {why_no_redirect_uri(uri)}", True) for uri in refused_uris
    ]
    # The field is not empty, and the sentences about its contents are enough.
    others = [each for each in problems_of(registration) if not refused or each[:2] != _NO_URI]
    table = [
        {"field": field, "problem": problem, "stops": "yes" if stops else "no"}
        for field, problem, stops in [*refused, *others]
    ]
    return ResultTable("registration check", table)

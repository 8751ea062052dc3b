"""The scripted visitor does what a customer's browser does."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from ddoauth_kit.errors import AuthorizationError
from ddoauth_kit.workbook import open_lab
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent


def test_approve_and_deny() -> None:
    """Approving brings a code to the redirect URI, denying brings RFC 6749's error."""
    with open_lab("ap1") as lab:
        request = lab.authorization_request()
        approved = parse_qs(urlsplit(visit_consent(request)).query)
        denied = parse_qs(urlsplit(visit_consent(request, decision="deny")).query)
    assert approved["code"]
    assert approved["domain"] == ["ap1.datadoghq.com"]
    assert denied["error"] == ["access_denied"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"client_id": "nobody"}, "invalid_client_id"),
        ({"redirect_uri": "https://other.example/"}, "mismatching_redirect_uri"),
    ],
)
def test_error_pages(change: dict[str, str], code: str) -> None:
    """A page that redirects nowhere becomes an error that names Datadog's words."""
    with open_lab() as lab:
        request = replace(lab.authorization_request(), **change)
        with pytest.raises(AuthorizationError) as caught:
            visit_consent(request)
    assert caught.value.code == code
    assert "invalid_request - " in str(caught.value)

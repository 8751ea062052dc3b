"""Each of Datadog's own texts, and each known trouble, leads to an explanation."""

from __future__ import annotations

import pytest
from support.builders import US1, response

from ddoauth_kit.api.api_keys import read_api_key
from ddoauth_kit.api.refusals import refuse_failure
from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.errors.explainer import explain
from ddoauth_kit.oauth.tokens import read_revocation_response

ANSWERS = [
    (400, '{"errors": ["invalid_grant - Invalid authorization code or code verifier."]}', "token"),
    (401, '{"errors":["Unauthorized"]}', "api"),
    (403, '{"errors":["Forbidden","Failed permission authorization checks"]}', "api"),
    (403, '{"errors":["Missing required permission: \'built_in_features\'"]}', "api"),
    (403, '{"errors":["Forbidden"]}', "api"),
    (403, '{"errors":["API key required"]}', "api"),
    (400, '{"errors":["Event too far in the past"]}', "api"),
    (404, '{"errors":["Monitor not found"]}', "api"),
    (409, '{"errors":["An API key with this name already exists"]}', "key"),
]
READERS = {
    "token": read_revocation_response,
    "api": refuse_failure,
    "key": lambda answer: read_api_key(answer, site=US1),
}
KNOWN_PAINS = [
    ("invalid_grant", "went to a site other than the one"),
    ("tls_error", "Hostname/IP does not match certificate's altnames"),
    ("unknown_site", "a region that is newer than the table"),
    ("invalid_scope", "remove scopes one by one"),
    ("unauthorized", "doesn't show whether the endpoint lacks OAuth support or the scope"),
    ("unauthorized", "If your server does not refresh"),
    ("api_key_exists", "before the integration was uninstalled (which does not remove keys)"),
    ("scope_missing", "creating a monitor needs the token"),
    ("scope_missing", "did not start from the tile"),
    ("invalid_client_id", "signed in to an organization other than"),
    (
        "mismatching_redirect_uri",
        "belongs to the test client while the id belongs to the published one",
    ),
    ("invalid_client", "belongs to the private client instead of the published one"),
    ("api_key_required", "there is no `metrics_write` scope"),
    ("token_refused", "single quotes, so the shell does not expand them"),
    ("rate_limited", "contains the number of seconds until the period ends, not a point in time"),
    ("no_credentials_for_site", "a private one from another site"),
    ("api_refused", "`ddoauth doctor` compares your clock"),
]


@pytest.mark.parametrize(("status", "body", "reader"), ANSWERS)
def test_texts_of_the_server_lead_to_their_entry(status: int, body: str, reader: str) -> None:
    """The error names its code and how to read more, and the entry quotes the server's words."""
    with pytest.raises(DdoauthError) as caught:
        READERS[reader](response(status, body))
    error = caught.value
    assert f'More: explain("{error.code}")' in str(error)
    assert error.said[0].rpartition(" - ")[2] in explain(error).evidence


@pytest.mark.parametrize(("code", "words"), KNOWN_PAINS)
def test_known_pains_have_an_entry(code: str, words: str) -> None:
    """Every known stumbling block appears as a cause, as evidence or as a next step."""
    entry = explain(code)
    assert words in f"{entry.cause} {entry.evidence} {entry.fix}"

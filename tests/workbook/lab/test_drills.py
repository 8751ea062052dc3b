"""Each drill ends in the failure that it is named for, or says that nothing failed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.errors import (
    AuthorizationError,
    DdoauthError,
    InputError,
    NetworkError,
    TokenError,
)
from ddoauth_kit.sandbox.server import transport_faults
from ddoauth_kit.sandbox.state.faults import FAULTS
from ddoauth_kit.workbook import faults_table, open_sandbox_lab, provoke
from ddoauth_kit.workbook.lab.drills import MISTAKES, run_drill
from ddoauth_kit.workbook.lab.lab import drills_table
from ddoauth_kit.workbook.show.cards import Skipped

if TYPE_CHECKING:
    from ddoauth_kit.workbook import Lab

NO_ERROR = ""
EXPECTED = {
    "bad-scope": "invalid_scope",
    "call-after-revocation": "unauthorized",
    "impatient-client": "timeout",
    "key-after-uninstall": NO_ERROR,
    "metric-with-token": "api_key_required",
    "missing-secret": "invalid_client",
    "monitors-with-key": "scope_missing",
    "new-region": "unknown_region",
    "region-without-credentials": "no_credentials_for_site",
    "other-redirect-uri": "invalid_grant",
    "refresh-after-revocation": "invalid_refresh_token",
    "refresh-after-uninstall": "invalid_refresh_token",
    "reused-code": "invalid_grant",
    "second-callback": "wrong_state",
    "second-key": "api_key_exists",
    "token-of-another-site": "unauthorized",
    "wrong-secret": "invalid_client",
    "wrong-site": "invalid_grant",
    "wrong-verifier": "invalid_grant",
}
EXPECTED_OF_FAULTS = {
    "error-with-200": "invalid_grant",
    "hang": "timeout",
    "script-error": "access_denied",
    "token-redirect": "unexpected_redirect",
    "lost-answer": "cut_off",
    "other-error-shape": NO_ERROR,
    "token-endpoint-gone": "token_endpoint_missing",
    "app-disabled": "unauthorized",
    "clock-skew": "unauthorized",
    "duplicate-callback": NO_ERROR,
    "expired-token": "unauthorized",
    "other-site-token": "unauthorized",
    "spent-code": "invalid_grant",
    "cut-off": "cut_off",
    "denied-consent": "access_denied",
    "duplicate-code": "duplicate_parameter",
    "echo-secret": "token_refused",
    "empty-body": "malformed_json",
    "expired-code": "invalid_grant",
    "foreign-domain": "foreign_domain",
    "html-error": "html_answer",
    "inconsistent-site": "inconsistent_site",
    "key-exists": "api_key_exists",
    "malformed-json": "malformed_json",
    "missing-state": "missing_state",
    "narrowed-scopes": NO_ERROR,
    "no-refresh-token": NO_ERROR,
    "rate-limited": "rate_limited",
    "revoked-grant": "unauthorized",
    "server-error": "server_error",
    "slow": NO_ERROR,
    "wrong-domain": "domain_changed",
    "wrong-state": "wrong_state",
}
EXPECTED_AT_API = {
    "api:cut-off": "cut_off",
    "api:empty-body": "malformed_json",
    "api:expired-token": "unauthorized",
    "api:html-error": "html_answer",
    "api:html-error:2": NO_ERROR,
    "api:rate-limited": "rate_limited",
    "api:rate-limited:1": NO_ERROR,
    "api:revoked-grant": "unauthorized",
    "api:server-error": "server_error",
}
drill = partial(run_drill, open_lab=open_sandbox_lab)
drill_in_process = partial(run_drill, open_lab=partial(open_sandbox_lab, in_process=True))


def test_every_fault_is_listed() -> None:
    """The table for lessons names each fault and says what happens."""
    frame = faults_table().frame
    assert list(frame.columns) == ["fault", "what happens"]
    assert list(frame["fault"]) == list(FAULTS)


def test_the_tables_are_complete() -> None:
    """Every mistake and every fault has its expectation here."""
    assert set(EXPECTED) == set(MISTAKES)
    assert set(EXPECTED_OF_FAULTS) == set(FAULTS)


@pytest.mark.parametrize("site", ["us1", "us2-fed"])
@pytest.mark.parametrize(("name", "code"), EXPECTED.items())
def test_a_mistake_leads_to_its_error(name: str, code: str, site: str) -> None:
    """A client mistake returns its error as a value, on the first and the last site."""
    _check(drill(name, site=site), code)


@pytest.mark.parametrize(("name", "code"), EXPECTED_OF_FAULTS.items())
def test_a_fault_leads_to_its_error(name: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox fault returns its error as a value, or the flow continues."""
    monkeypatch.setattr(transport_faults, "SLOW_SECONDS", 0.1)
    open_lab = _open_impatient_lab if name == "hang" else open_sandbox_lab
    _check(run_drill(name, open_lab=open_lab, site="eu1"), code)


def _open_impatient_lab(site: str, *, faults: tuple[str, ...]) -> Lab:
    """Open a lab whose client waits half a second instead of ten."""
    lab = open_sandbox_lab(site, faults=faults)
    lab.oauth.http._timeout = 0.5
    return lab


@pytest.mark.parametrize(("name", "code"), EXPECTED_AT_API.items())
def test_a_fault_meets_the_api(name: str, code: str) -> None:
    """Injected after the tokens are there, a fault stops an API call, or is waited out."""
    found = drill(name, site="eu1")
    _check(found, code)
    if isinstance(found, DdoauthError) and found.exchange:
        assert "/oauth2/" not in found.exchange.url


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *EXPECTED.items(),
        # Ten seconds of patience are long, and `impatient-client` tries the same.
        *(each for each in EXPECTED_OF_FAULTS.items() if each[0] not in {"hang", "slow"}),
        *EXPECTED_AT_API.items(),
    ],
)
def test_a_drill_in_process_has_the_same_error(name: str, code: str) -> None:
    """Without sockets and threads every drill ends as it does with them."""
    _check(drill_in_process(name, site="us1"), code)


def _check(found: DdoauthError | Skipped, code: str) -> None:
    if code == NO_ERROR:
        assert isinstance(found, Skipped)
        assert "did not fail" in found.reason
        assert found.state == "no error"
    else:
        assert isinstance(found, DdoauthError)
        assert found.code == code


@pytest.mark.parametrize("name", ["gremlins", "slow:0", "", "api:gremlins", "api:"])
def test_there_is_no_such_drill(name: str) -> None:
    """A name that is neither a mistake nor a fault is refused with a list of both."""
    error = provoke(drill, name, site="us1")
    assert isinstance(error, InputError)
    assert error.code == "unknown_drill"
    assert "wrong-verifier" in error.what
    assert "denied-consent" in error.what or name.startswith("slow:")


def test_the_table_has_a_row_for_each_drill() -> None:
    """The status and words come from the exchange; without one, the row has what is known."""
    answered = drill("reused-code", site="us1")
    assert isinstance(answered, TokenError)
    silent = AuthorizationError("wrong_state", "It differs.", said=("one", "two"))
    torn = NetworkError("cut_off", "It broke off.")
    drills = [
        ("reused-code", answered),
        ("made-up", silent),
        ("torn", torn),
        ("kind", Skipped("It went well.")),
    ]
    frame = drills_table(drills).frame
    assert frame.to_dict(orient="records") == [
        {
            "drill": "reused-code",
            "status": "400",
            "the server said": "; ".join(answered.said),
            "code": "invalid_grant",
        },
        {
            "drill": "made-up",
            "status": "nothing sent",
            "the server said": "one; two",
            "code": "wrong_state",
        },
        {
            "drill": "torn",
            "status": "no complete response",
            "the server said": "",
            "code": "cut_off",
        },
        {"drill": "kind", "status": "", "the server said": "", "code": "no error"},
    ]

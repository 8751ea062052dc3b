"""The doctor says which token endpoint responds, and sends nothing that could be used up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.builders import registration
from support.loopback import Answer

from ddoauth_kit import DATADOG_SITES
from ddoauth_kit.doctor import Status
from ddoauth_kit.doctor.token_endpoints import check_token_endpoints
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.sites import SiteTable
from ddoauth_kit.workbook.lab.open_lab import sandbox_sites

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.loopback import RecordingServer


@pytest.mark.parametrize("in_use", ["v2", "v1"])
def test_both_answer(in_use: str) -> None:
    """Each refusal of an empty form shows a token endpoint; the one in use is marked."""
    with Sandbox() as sandbox:
        client = registration(token_endpoint=in_use)
        found = list(check_token_endpoints(client, sites=sandbox_sites(sandbox)))
        assert {entry.fields for entry in sandbox.journal} == {()}
    assert [each.status for each in found] == [Status.OK, Status.OK]
    assert [each.check for each in found if "in use" in each.check] == [
        f"token endpoint {in_use} (in use)"
    ]


@pytest.mark.parametrize(("in_use", "status"), [("v2", Status.NOTE), ("v1", Status.PROBLEM)])
def test_one_is_gone(in_use: str, status: Status) -> None:
    """A missing endpoint is a problem for the client that uses it, and names the setting."""
    with Sandbox(v1_token=False) as sandbox:
        client = registration(token_endpoint=in_use)
        found = list(check_token_endpoints(client, sites=sandbox_sites(sandbox)))
    assert [each.status for each in found] == [Status.OK, status]
    assert ("DDOAUTH_TOKEN_ENDPOINT" in found[1].next_step) == (in_use == "v1")


def test_nothing_secret_is_sent(serve: Callable[..., RecordingServer]) -> None:
    """It sends two posts with an empty body and no credential; an odd response proves nothing."""
    server = serve(Answer("hello", 200))
    site = replace(server.site, name="us1")
    client = registration(sites=("us1",))
    found = list(check_token_endpoints(client, sites=SiteTable((site,))))
    assert {each.status for each in found} == {Status.UNKNOWN}
    assert [each.target for each in server.arrived] == ["/api/v2/oauth2/token", "/oauth2/v1/token"]
    assert all(not each.form and "authorization" not in each.headers for each in server.arrived)


def test_a_site_of_no_table() -> None:
    """For a client of an unlisted site, no other site is asked."""
    client = registration(sites=("us9",))
    (found,) = check_token_endpoints(client, sites=DATADOG_SITES)
    assert found.status is Status.UNKNOWN

"""openid-client, a JavaScript library that others wrote, completes the flow in a Node process."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from support.flows import running
from support.npm import needs_npm, with_clients
from support.places import TESTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Partner
    from support.flows import FlowProgram

    from ddoauth_kit.sandbox import Sandbox

V1, V2 = "/oauth2/v1/token", "/api/v2/oauth2/token"
SCOPE = "metrics_read events_read"
SOURCE = TESTS / "data" / "openid_client"

pytestmark = needs_npm


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, shared_folder: Path) -> Iterator[FlowProgram]:
    """Copy the program to where it finds the library that npm installed, and run all flows."""
    folder = with_clients(SOURCE, folder=tmp_path_factory.mktemp("judge"), shared=shared_folder)
    with running(["node", str(folder / "judge.mjs")], os.environ) as program:
        yield program


def judged(
    library: FlowProgram, partner: Partner, token_path: str, **options: Any
) -> dict[str, Any]:
    """Have the library start, consent for it, and return the result."""
    urls = partner.urls
    given = {
        "issuer": urls["app_url"],
        "api_url": urls["api_url"],
        "authorize_url": f"{urls['app_url']}/oauth2/v1/authorize",
        "token_url": f"{urls['api_url']}{token_path}",
        "revoke_url": f"{urls['api_url']}/oauth2/v1/revoke",
        "client_id": partner.client.client_id,
        "client_secret": partner.client.client_secret,
        "redirect_uri": partner.redirect_uri,
        "scope": SCOPE,
        **options,
    }
    url = json.loads(library.say(json.dumps(given)))["url"]
    location = partner.decide(partner.http.get(url)).headers["location"]
    found: dict[str, Any] = json.loads(library.say(location))
    return found


@pytest.mark.parametrize("rotate", [False, True])
@pytest.mark.parametrize("site", ["us1", "eu1", "us2-fed"])
def test_openid_client_completes_the_flow(
    library: FlowProgram,
    make_sandbox: Callable[..., Sandbox],
    make_partner: Callable[..., Partner],
    site: str,
    rotate: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """It authorizes, calls, refreshes and revokes at v2, and knows a refusal by its code."""
    partner = make_partner(make_sandbox(rotate=rotate), site)
    assert judged(library, partner, V2) == {
        "scope": SCOPE,
        "before": 200,
        "rotated": rotate,
        "again": "invalid_grant",
        "after": 401,
    }


@pytest.mark.parametrize("rotate", [False, True])
@pytest.mark.parametrize("site", ["us1", "eu1", "us2-fed"])
def test_openid_client_at_the_older_endpoint(
    library: FlowProgram,
    make_sandbox: Callable[..., Sandbox],
    make_partner: Callable[..., Partner],
    site: str,
    rotate: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """At v1 it works as well, but cannot tell what a refusal in Datadog's shape means."""
    partner = make_partner(make_sandbox(rotate=rotate), site)
    found = judged(library, partner, V1)
    assert (found["before"], found["rotated"], found["after"]) == (200, rotate, 401)
    assert found["again"] == "OAUTH_RESPONSE_IS_NOT_CONFORM"


def test_openid_client_and_reuse(
    library: FlowProgram, make_sandbox: Callable[..., Sandbox], make_partner: Callable[..., Partner]
) -> None:
    """Under rotation the use of an older refresh token ends what the newer one gave."""
    partner = make_partner(make_sandbox(rotate=True))
    found = judged(library, partner, V2, reuse=True)
    assert (found["again"], found["after"]) == ("invalid_grant", 401)


@pytest.mark.parametrize("basic", [False, True])
def test_openid_client_by_basic(
    library: FlowProgram,
    make_sandbox: Callable[..., Sandbox],
    make_partner: Callable[..., Partner],
    basic: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Basic is refused, but works if the switch allows it."""
    partner = make_partner(make_sandbox(basic=basic))
    found = judged(library, partner, V2, basic=True)
    assert ("failed" in found) == (not basic)
    assert found.get("before", 200) == 200

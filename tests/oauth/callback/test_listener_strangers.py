"""A stranger who arrives at the listener can't lock anybody out or start anything."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from support.listeners import FROM_TILE, listen, onboard, still_works
from support.visitors import Person, get, waiting

from ddoauth_kit import DATADOG_SITES
from ddoauth_kit.oauth.callback.attempts import MOST, SESSIONS
from ddoauth_kit.oauth.callback.listener import CallbackListener

if TYPE_CHECKING:
    from support.scene import Scene


@pytest.mark.checklist("C4")
@pytest.mark.checklist("L10")
@pytest.mark.parametrize("flood", [1, MOST + 1, SESSIONS + 1])
def test_a_flood_of_onboardings_locks_nobody_out(scene: Scene, flood: int) -> None:
    """However many strangers start attempts, browsers before and after them get through."""
    for comes_first in (True, False):
        with listen(scene) as listener:
            person = Person()
            redirect = person.decide(onboard(listener)) if comes_first else ""
            assert {get(onboard(listener)).status for _ in range(flood)} == {303}
            redirect = redirect or person.decide(onboard(listener))
            with waiting(listener) as outcome:
                assert person.browser.open(redirect).status == HTTPStatus.OK
        assert outcome[0].access_token
        assert len(scene.oauth.pending) == 0, "what was not answered is forgotten"  # type: ignore[arg-type]


@pytest.mark.checklist("L10")
def test_one_browser_begins_so_often_and_not_more(scene: Scene) -> None:
    """A page that sends its visitor here again and again is stopped, and other browsers are not."""
    with listen(scene) as listener:
        cookie = get(onboard(listener)).headers["set-cookie"].partition(";")[0]
        again = [get(onboard(listener), cookie=cookie).status for _ in range(MOST)]
        assert again == [303] * (MOST - 1) + [429]
        still_works(listener)


ONBOARDINGS = (
    "/onboard",
    "/onboard?",
    "/onboard?domain=datadoghq.com",
    f"/onboard?{FROM_TILE}",
    "/onboard/",
    "/onboarding",
    "/onboarding/start",
    "/%6fnboard",
    "//onboard",
    "/start/",
    "/start/onboard",
)


@pytest.mark.checklist("L9")
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_listener_for_an_own_attempt_serves_no_onboarding(scene: Scene, method: str) -> None:
    """Once the port is open, a stranger can't start anything, with or without a link."""
    listener = CallbackListener(scene.oauth, finish=scene.oauth.exchange, onboarding=False)
    with listener:
        origin = listener.redirect_uri.removesuffix("/oauth/callback")
        before = {path: get(origin + path, method=method) for path in ONBOARDINGS}
        url = listener.begin_url(domain="datadoghq.com")
        after = {path: get(origin + path, method=method) for path in ONBOARDINGS}
        for path, heard in (*before.items(), *after.items()):
            assert heard.status == (404 if method == "GET" else 405), path
            assert not {"location", "set-cookie"} & heard.headers.keys(), path
        with waiting(listener) as outcome:
            Person().finish(url)
    assert outcome[0].site.name == "us1"


@pytest.mark.checklist("L9")
@pytest.mark.parametrize("site", DATADOG_SITES.names)
def test_an_own_attempt_begins_in_one_browser(scene: Scene, site: str) -> None:
    """The link works again in the browser that opened it first, and in no other."""
    domain = DATADOG_SITES.named(site).domain
    with CallbackListener(scene.oauth, finish=scene.oauth.exchange, onboarding=False) as listener:
        url, person = listener.begin_url(domain=domain), Person()
        assert person.follow(url)[1].status == HTTPStatus.OK
        refused = Person().follow(url)[1]
        assert (refused.status, refused.location) == (HTTPStatus.BAD_REQUEST, "")
        with waiting(listener) as outcome:
            person.finish(url)
    assert outcome[0].site.name == site

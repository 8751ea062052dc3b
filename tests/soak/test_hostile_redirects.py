"""Whatever a redirect says, the client secret goes only to a site in the table."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given as generated
from hypothesis import settings
from hypothesis import strategies as st
from support.builders import CLIENT_SECRET, registration
from support.hostile import HOSTILE_DOMAINS, HOSTILE_SITES

from ddoauth_kit import DATADOG_SITES, OAuthClient
from ddoauth_kit.errors import AuthorizationError, InputError, NetworkError
from ddoauth_kit.http.sender import Http

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.http.message import Request, Response

ALLOWED = {f"https://api.{site.domain}/api/v2/oauth2/token" for site in DATADOG_SITES}
REAL = [site.domain for site in DATADOG_SITES]
HOSTS = [*REAL, *(site.app_host for site in DATADOG_SITES), "globex.datadoghq.com"]
JUNK = st.text(alphabet=string.printable + "\0\u3002\uff0e\u0430\u200b", max_size=12)


@st.composite
def _twisted(draw: st.DrawFn) -> str:
    """Return a real host with something put before, behind or into it."""
    host = draw(st.sampled_from(HOSTS))
    where = draw(st.integers(0, len(host)))
    cut = draw(st.integers(0, 3))
    middle = draw(JUNK | st.sampled_from(["@", ".", ":443", "/", "\\", "#", "%00", ".evil.com"]))
    scheme = draw(st.sampled_from(["", "", "https://", "http://", "//", "javascript:"]))
    return scheme + host[:where] + middle + host[where + cut :]


VALUES = st.one_of(
    st.sampled_from(HOSTS),
    st.sampled_from(HOSTS).map("https://{}".format),
    st.sampled_from([*HOSTILE_DOMAINS, *HOSTILE_SITES]),
    _twisted(),
    JUNK,
    st.none(),
)
EXTRA = st.lists(
    st.tuples(st.sampled_from(["code", "state", "domain", "site", "iss", "error", "x"]), JUNK),
    max_size=2,
)


@st.composite
def _attack(draw: st.DrawFn) -> dict[str, object]:
    """Return where an attempt starts, and the form of its redirect."""
    return {
        "start": draw(st.none() | st.sampled_from(REAL)),
        "domain": draw(VALUES),
        "site": draw(VALUES),
        "iss": draw(st.none() | st.sampled_from(HOSTS).map("https://{}".format) | JUNK),
        "extra": draw(EXTRA | st.just([])),
        "raw": draw(st.booleans()),
        "tail": draw(st.sampled_from(["", "#evil.com", "&&", "?domain=evil.com"])),
    }


class NotingHttp(Http):
    """Record where requests would go, without sending any."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def send(self, request: Request) -> Response:
        """Note the URL, secrets included."""
        self.urls.append(request.url)
        raise NetworkError("no_network", "Nothing is sent here.")


def _redirect(request: object, attack: dict[str, object]) -> str:
    pairs = [("code", "canary-code"), ("state", request.state.reveal())]
    pairs += [
        (name, attack[name]) for name in ("domain", "site", "iss") if attack[name] is not None
    ]
    pairs += attack["extra"]
    if attack["raw"]:
        query = "&".join(f"{name}={value}" for name, value in pairs)
    else:
        query = urlencode(pairs, quote_via=quote, errors="replace")
    return f"{request.redirect_uri}?{query}{attack['tail']}"


@pytest.mark.checklist("C1")
@pytest.mark.checklist("C6")
@pytest.mark.parametrize("count", [200, pytest.param(10_000, marks=pytest.mark.soak)])
def test_no_redirect_leads_out_of_the_table(
    count: int, record_property: Callable[[str, object], None]
) -> None:
    """A request goes only to a listed site's token endpoint; from a tile, only to that site's."""
    tried = {"sent": 0, "refused": 0}

    @settings(max_examples=count)
    @generated(_attack())
    def attack_once(attack: dict[str, object]) -> None:
        http = NotingHttp()
        client = OAuthClient(registration(sites=DATADOG_SITES.names), http=http)
        request = client.begin(domain=attack["start"] or "", session="s")
        with pytest.raises((AuthorizationError, NetworkError)) as caught:
            client.complete(_redirect(request, attack), session="s")
        assert CLIENT_SECRET not in str(caught.value)
        sent = isinstance(caught.value, NetworkError)
        tried["sent" if sent else "refused"] += 1
        assert len(http.urls) == sent
        assert set(http.urls) <= ALLOWED
        if attack["start"]:
            assert set(http.urls) <= {f"https://api.{attack['start']}/api/v2/oauth2/token"}

    attack_once()
    assert min(tried.values()) > 0, "some are refused and some are honest, or this proves nothing"
    record_property("figure", f"{sum(tried.values())} generated redirects: {tried}")


@pytest.mark.checklist("C1")
@pytest.mark.parametrize("count", [200, pytest.param(10_000, marks=pytest.mark.soak)])
def test_no_link_to_the_onboarding_url_leads_out_of_the_table(
    count: int, record_property: Callable[[str, object], None]
) -> None:
    """The browser is sent to a listed site, or under a vanity name to one of Datadog's domains."""
    begun = {"url": 0, "refused": 0}
    suffixes = tuple(f".{site.domain}" for site in DATADOG_SITES)

    @settings(max_examples=count)
    @generated(VALUES, VALUES)
    def begin_once(domain: str | None, site: str | None) -> None:
        client = OAuthClient(registration(sites=DATADOG_SITES.names), http=NotingHttp())
        try:
            request = client.begin(domain=domain or "", site_url=site or "", session="s")
        except InputError:
            begun["refused"] += 1
            return
        host, slash, _ = request.url.removeprefix("https://").partition("/oauth2/v1/authorize?")
        assert request.url.startswith("https://")
        assert slash
        assert host in HOSTS or (host.endswith(suffixes) and host.count(".") <= 3)
        assert set(host) <= set(string.ascii_lowercase + string.digits + "-.")
        begun["url"] += 1

    begin_once()
    assert min(begun.values()) > 0
    record_property("figure", f"{sum(begun.values())} generated onboarding links: {begun}")

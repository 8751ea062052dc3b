"""Ids, URLs, searches and stores keep their small promises."""

from __future__ import annotations

import uuid

import pytest

from ddoauth_kit.sandbox.api.search_query import read_cursor, write_cursor
from ddoauth_kit.sandbox.clock import Clock
from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.facts.sites import SITES, foreign_registrable_site, next_site
from ddoauth_kit.sandbox.facts.switches import Lifetime
from ddoauth_kit.sandbox.http.html import Markup, document, el
from ddoauth_kit.sandbox.http.messages import read_pairs, with_query
from ddoauth_kit.sandbox.http.refusals import Target
from ddoauth_kit.sandbox.oauth.token_endpoint import proves
from ddoauth_kit.sandbox.state import sessions
from ddoauth_kit.sandbox.state.clients import Clients, demo_integration
from ddoauth_kit.sandbox.state.grants import GRANTS_KEPT, RETIRED_KEPT, Grant, Grants
from ddoauth_kit.sandbox.state.mint import SECRET_KINDS, Mint
from ddoauth_kit.sandbox.state.orgs import make_orgs

MakeGrant = "Callable[[], Grant]"


@pytest.fixture
def clock() -> Clock:
    """Give a clock at its start."""
    return Clock()


@pytest.fixture
def grants(clock: Clock) -> Grants:
    """Give an empty store of grants."""
    return Grants(mint=Mint(seed="x"), clock=clock)


@pytest.fixture
def make_grant(grants: Grants) -> MakeGrant:
    """Make one more grant of one client in one org."""
    mint = Mint(seed="x")
    client, org = Clients(mint).publish(demo_integration()), make_orgs(mint)["us1"][0]

    def make() -> Grant:
        target = Target("u", None, "d", "s")
        asked = sessions.Pending("id", client, org, "u", "c", ("a",), target, ())
        code = grants.issue_code(asked, scopes=("a",))
        code.spent = True
        return grants.redeem(code)

    return make


def test_challenge_vector() -> None:
    """The example of RFC 7636, appendix B, holds."""
    verifier = "dBjftJeZ4CVP-mBz1zqjF1cLbLCMv_8ZkN0GF9bBeBU"
    assert not proves(verifier, challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert proves(verifier, challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")


def test_mint_makes_what_it_says() -> None:
    """Ids are UUIDs, keys have 32 characters, and everything issued can be listed."""
    mint = Mint(seed="a")
    assert uuid.UUID(mint.uuid("x")).version == 4
    assert mint.uuid("x") == mint.uuid("x") != mint.uuid("y")
    assert mint.next_uuid("x") != mint.next_uuid("x")
    made = [mint.credential(kind) for kind in SECRET_KINDS for _ in range(2)]
    assert mint.issued() == tuple(made)
    assert len(made[-1]) == 32
    with pytest.raises(ValueError, match="'session'"):
        mint.credential("session")


def test_old_grants_make_room(grants: Grants, make_grant: MakeGrant) -> None:
    """A thousand grants of one client and org are kept, and the oldest is ended first."""
    first = make_grant()
    token = grants.issue_access_token(first, lifetime=Lifetime())
    for _ in range(GRANTS_KEPT):
        make_grant()
    assert grants.find_access_token(token.value) is None
    assert grants.find_by_refresh_token(first.refresh_token) is None
    assert len(grants.of_org(first.org)) == GRANTS_KEPT


def test_rotated_tokens_make_room(grants: Grants, make_grant: MakeGrant) -> None:
    """A grant that rotates for years remembers the last hundred tokens."""
    grant = make_grant()
    for _ in range(RETIRED_KEPT + 5):
        grants.renew_refresh_token(grant)
    assert len(grant.retired) == RETIRED_KEPT
    assert len(grants._refresh) == RETIRED_KEPT + 1


def test_expired_entries_are_forgotten(grants: Grants, make_grant: MakeGrant, clock: Clock) -> None:
    """Codes leave after ten minutes and access tokens after an hour."""
    grant = make_grant()
    token = grants.issue_access_token(grant, lifetime=Lifetime())
    clock.advance(3600)
    assert grants.find_access_token(token.value) is None
    assert not grants._codes
    assert not grants._access
    assert not grant.access_tokens


def test_sessions_make_room() -> None:
    """A thousand browsers and twenty open requests of each are kept."""
    store = sessions.Sessions()
    org = make_orgs(Mint(seed="x"))["us1"][0]
    opened = [store.open(org=org) for _ in range(sessions.SESSIONS_KEPT + 1)]
    assert store.find(opened[0].id, site="us1") is None
    assert store.find(opened[-1].id, site="us1") is opened[-1]
    assert store.find(opened[-1].id, site="eu1") is None
    assert store.find(None, site="us1") is None


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://a/", "https://a/?x=1"),
        ("https://a/?b=2", "https://a/?b=2&x=1"),
        ("https://a/?", "https://a/?x=1"),
        ("https://a/?b=2&", "https://a/?b=2&x=1"),
        ("https://a/#/b?c", "https://a/?x=1#/b?c"),
    ],
)
def test_query_is_added_in_its_place(uri: str, expected: str) -> None:
    """A query is added after an existing one and before a fragment."""
    assert with_query(uri, [("x", "1")]) == expected
    assert with_query(uri, []) == uri


def test_pairs_are_read_or_nothing() -> None:
    """Blank values are kept, and bytes that are not text are read as nothing."""
    assert read_pairs(b"a=&b=c+d%2B") == (("a", ""), ("b", "c d+"))
    assert read_pairs(b"\xff") == ()
    assert read_pairs(b"a=b&" * 2000) == ()


def test_html_escapes_everything_else() -> None:
    """Text and attributes are escaped, markup is not escaped twice."""
    assert el("p", "<&>", el("br"), title='"x"') == '<p title="&quot;x&quot;">&lt;&amp;&gt;<br></p>'
    assert isinstance(el("p"), Markup)
    assert "<title>&lt;x&gt; - sandbox</title>" in document("<x>")


def test_cursor_is_opaque_and_reads_back() -> None:
    """A cursor leads back to its offset."""
    assert "7" not in write_cursor(7)
    assert read_cursor(write_cursor(7)) == 7
    assert read_cursor(None) == 0


def test_sites_for_faults_are_others() -> None:
    """A wrong site is another, and a foreign one is under another registrable domain."""
    for site in SITES.values():
        assert next_site(site) != site
        assert foreign_registrable_site(site).registrable_domain != site.registrable_domain


def test_catalogue_reads_scopes_and_operations() -> None:
    """The demo client's scopes open every operation, and each is described and of a kind."""
    granted = frozenset(demo_integration().scopes)
    assert len(granted) == len(catalogue().kinds) > 125
    assert set(catalogue().kinds.values()) == {"read", "write", "run"}
    assert all(operation.is_open_to(granted) for operation in catalogue().operations)
    assert catalogue().describe("metrics_read") != catalogue().describe("made_up")

"""The site table alone decides which hosts exist."""

from __future__ import annotations

import pytest
from hypothesis import assume
from hypothesis import given as generated
from hypothesis import strategies as st
from support.builders import local_site
from support.hostile import HOSTILE_DOMAINS, HOSTILE_SITES, UNLISTED_DOMAINS

from ddoauth_kit import DATADOG_SITES, Site
from ddoauth_kit.errors import InputError
from ddoauth_kit.sites import Host

URLS = {
    "us1": ("https://app.datadoghq.com", "https://api.datadoghq.com"),
    "us3": ("https://us3.datadoghq.com", "https://api.us3.datadoghq.com"),
    "us5": ("https://us5.datadoghq.com", "https://api.us5.datadoghq.com"),
    "eu1": ("https://app.datadoghq.eu", "https://api.datadoghq.eu"),
    "ap1": ("https://ap1.datadoghq.com", "https://api.ap1.datadoghq.com"),
    "ap2": ("https://ap2.datadoghq.com", "https://api.ap2.datadoghq.com"),
    "uk1": ("https://uk1.datadoghq.com", "https://api.uk1.datadoghq.com"),
    "us1-fed": ("https://app.ddog-gov.com", "https://api.ddog-gov.com"),
    "us2-fed": ("https://us2.ddog-gov.com", "https://api.us2.ddog-gov.com"),
}


def test_there_are_nine_sites() -> None:
    """The table lists the nine sites in order."""
    assert DATADOG_SITES.names == tuple(URLS)
    assert len(DATADOG_SITES) == 9


@pytest.mark.parametrize("site", tuple(DATADOG_SITES), ids=str)
def test_hosts_of_a_site(site: Site) -> None:
    """App hosts have `app.` only if Datadog's do; the rest follows from the domain."""
    assert (site.app_url, site.api_url) == URLS[site.name]
    assert site.logs_intake_url == f"https://http-intake.logs.{site.domain}"
    assert site.events_intake_url == f"https://event-management-intake.{site.domain}"
    assert site.issuer == f"{site.app_url}/api/v2/oauth2"


@pytest.mark.parametrize("site", tuple(DATADOG_SITES), ids=str)
@pytest.mark.parametrize("form", ["{}", "https://{}", "https://{}/", "{}/"])
def test_a_site_is_found_by_its_domain(site: Site, form: str) -> None:
    """A domain, bare or as a URL, leads to its own site as `domain` and as `site`."""
    value = form.format(site.domain)
    assert DATADOG_SITES.from_domain(value) is site
    assert DATADOG_SITES.from_site(value) is site
    assert DATADOG_SITES.from_site(site.app_url) is site


@pytest.mark.parametrize("typed", ["EU1", " eu1 ", "datadoghq.eu"])
def test_a_person_may_type_name_or_domain(typed: str) -> None:
    """`named` forgives case and blanks, because a person typed it."""
    assert DATADOG_SITES.named(typed).name == "eu1"


def test_an_unknown_name_lists_the_known_ones() -> None:
    """The error helps: it lists every name and domain."""
    with pytest.raises(InputError, match=r"us1 \(datadoghq\.com\).*us2-fed") as caught:
        DATADOG_SITES.named("us9")
    assert caught.value.code == "unknown_site"


@generated(
    st.sampled_from(list(DATADOG_SITES)),
    st.sampled_from(["", "app.", "api.", "www.", "http-intake.logs."]),
    st.sampled_from(["", "https://", "http://", "//", " HTTPS://", "https://me@"]),
    st.sampled_from(["", "/", "/dashboard/lists?x=1#a", ":443/api/v2", "."]),
    st.booleans(),
)
def test_a_web_address_names_its_site(
    site: Site,
    role: str,
    before: str,
    behind: str,
    capitals: bool,  # noqa: FBT001 - drawn
) -> None:
    """For a copied Datadog address, the error names the site that it belongs to."""
    host = f"{role}{site.domain}"
    typed = f"{before}{host.upper() if capitals else host}{behind}"
    assume(typed.strip().lower() != site.domain)
    with pytest.raises(InputError) as caught:
        DATADOG_SITES.named(typed)
    assert caught.value.what.endswith(f"'{host}' belongs to {site.name}.")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("https://acme.datadoghq.com/x", "a customer's address on us1 or us3 or"),
        ("acme.us5.datadoghq.com", "a customer's address on us5."),
        ("datadoghq.co", "Did you mean datadoghq.com"),
        ("us5.datadog.com", "Did you mean us5.datadoghq.com"),
        ("eu", "Did you mean eu1?"),
        ("https://[", "us2-fed (us2.ddog-gov.com)."),
    ],
)
def test_other_addresses_get_the_closest_hint(typed: str, words: str) -> None:
    """A customer's own host may belong to several sites, and a mistake in a domain is guessed."""
    with pytest.raises(InputError) as caught:
        DATADOG_SITES.named(typed)
    assert words in caught.value.what


@pytest.mark.parametrize("given", ["app.datadoghq.eu:443", "eu", "datadoghq.co"])
def test_a_value_from_outside_gets_no_hint(given: str) -> None:
    """Only what a person typed is guessed at; a redirect's `domain` is not."""
    with pytest.raises(InputError) as caught:
        DATADOG_SITES.from_domain(given)
    assert caught.value.what.endswith("us2-fed (us2.ddog-gov.com).")


@pytest.mark.checklist("C1")
@pytest.mark.parametrize("value", HOSTILE_DOMAINS)
def test_a_hostile_domain_names_no_site(value: str) -> None:
    """Only the exact domain of a row counts; the refusal quotes little, and printable."""
    with pytest.raises(InputError) as caught:
        DATADOG_SITES.from_domain(value)
    assert caught.value.code == "unknown_site"
    assert caught.value.what.isprintable()
    assert len(caught.value.what) < 900


@pytest.mark.checklist("C1")
@pytest.mark.parametrize("value", UNLISTED_DOMAINS)
def test_an_unlisted_region_is_named_as_such(value: str) -> None:
    """A new region is distinguished from a foreign host, until a caller adds it to the table."""
    with pytest.raises(InputError) as caught:
        DATADOG_SITES.from_domain(value)
    assert caught.value.code == "unknown_region"
    domain = value.removeprefix("https://").removesuffix("/")
    table = DATADOG_SITES.with_site(Site("us9", domain, domain, "somewhere"))
    assert table.from_domain(value).name == "us9"


@pytest.mark.checklist("C1")
@pytest.mark.parametrize("value", HOSTILE_SITES)
def test_a_hostile_site_names_no_site(value: str) -> None:
    """A `site` counts only as a row's host, or one label below a row's domain."""
    with pytest.raises(InputError) as caught:
        DATADOG_SITES.from_site(value)
    assert caught.value.code == "unknown_site"


@pytest.mark.checklist("C6")
@pytest.mark.parametrize(
    ("domain", "site_url"),
    [
        ("datadoghq.com", "https://app.datadoghq.com"),
        ("us3.datadoghq.com", "https://us3.datadoghq.com"),
        ("us3.datadoghq.com", "https://globex.datadoghq.com"),
        ("us3.datadoghq.com", "globex.us3.datadoghq.com"),
        ("us2.ddog-gov.com", "https://globex.ddog-gov.com"),
        ("datadoghq.eu", "globex.datadoghq.eu"),
        ("ap2.datadoghq.com", ""),
    ],
)
def test_a_pair_that_belongs_together_is_taken(domain: str, site_url: str) -> None:
    """`domain` decides; a vanity subdomain of the same registrable domain does not contradict."""
    assert DATADOG_SITES.resolve(domain=domain, site_url=site_url).domain == domain


@pytest.mark.checklist("C6")
@pytest.mark.parametrize(
    ("domain", "site_url"),
    [
        ("datadoghq.com", "https://app.datadoghq.eu"),
        ("datadoghq.eu", "https://globex.datadoghq.com"),
        ("ddog-gov.com", "https://app.datadoghq.com"),
        ("datadoghq.com", "https://us3.datadoghq.com"),
        ("us5.datadoghq.com", "https://us3.datadoghq.com"),
        ("us5.datadoghq.com", "https://globex.us3.datadoghq.com"),
        ("datadoghq.com", "globex.us3.datadoghq.com"),
    ],
)
def test_a_pair_that_contradicts_itself_is_refused(domain: str, site_url: str) -> None:
    """If `site` and `domain` name different rows, neither is trusted."""
    with pytest.raises(InputError) as caught:
        DATADOG_SITES.resolve(domain=domain, site_url=site_url)
    assert caught.value.code == "inconsistent_site"


def test_a_shared_vanity_subdomain_is_ambiguous() -> None:
    """The region is never guessed from a vanity subdomain; the error names the candidates."""
    with pytest.raises(InputError, match=r"us1 .*us3 .*us5 .*ap1 ") as caught:
        DATADOG_SITES.from_site("https://globex.datadoghq.com")
    assert caught.value.code == "ambiguous_site"


def test_a_vanity_subdomain_of_one_site_is_clear() -> None:
    """If only one row can be meant, it is found."""
    assert DATADOG_SITES.from_site("https://globex.datadoghq.eu").name == "eu1"
    assert DATADOG_SITES.from_site("https://globex.us5.datadoghq.com").name == "us5"


@pytest.mark.parametrize(
    ("site_url", "url"),
    [
        ("", "https://us3.datadoghq.com"),
        ("https://globex.datadoghq.com", "https://globex.datadoghq.com"),
        ("https://globex.datadoghq.eu", "https://us3.datadoghq.com"),
    ],
)
def test_the_browser_goes_to_the_vanity_subdomain(site_url: str, url: str) -> None:
    """A customer keeps their own sign-in page, if it can be the site's."""
    assert DATADOG_SITES.app_url_for(DATADOG_SITES.named("us3"), site_url) == url


def test_rebinding_moves_requests_and_keeps_what_is_shown() -> None:
    """A bound site sends to its endpoints, prints Datadog's hosts, and is one of those named."""
    endpoints = local_site("http://127.0.0.1:9").endpoints
    table = DATADOG_SITES.at({"eu1": endpoints})
    (site,) = table
    assert table.names == ("eu1",)
    assert site.url(Host.API, "/x") == "http://127.0.0.1:9/x"
    assert site.shown_url(Host.API, "/x") == "https://api.datadoghq.eu/x"
    assert table.app_url_for(site, "https://globex.datadoghq.eu") == "http://127.0.0.1:9"
    assert "127.0.0.1" not in repr(table) + repr(site)


def test_a_caller_may_add_or_replace_a_site() -> None:
    """Only code can add a site, which replaces one of the same name."""
    first, second = local_site("http://127.0.0.1:9"), local_site("http://127.0.0.1:10")
    table = DATADOG_SITES.with_site(first).with_site(second)
    assert len(table) == 10
    assert table.from_domain("lab1.example.com") is second
    assert len(DATADOG_SITES) == 9

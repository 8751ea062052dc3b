"""Test redirects that contain a refusal, are malformed or forged, or come from other regions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.journey import DENY, Journey, changed
from ddoauth_kit.grading.sandbox_control import KEY_PATH
from ddoauth_kit.grading.scenarios.finding import (
    Check,
    Finding,
    Scenario,
    crash_of,
    failed_well,
    worst_of,
)
from ddoauth_kit.grading.subject import FlowNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.grading.bench import Bench
    from ddoauth_kit.grading.front.records import FrontRecord
    from ddoauth_kit.grading.journey import Arrival

SCRIPT: Final = "<script>ddoauth_grade(4711)</script>"
FOREIGN_CLIENT: Final = "00000000-0000-4000-8000-000000004711"
_SECRET_FIELDS: Final = frozenset({"client_secret", "code", "code_verifier", "refresh_token"})
_TENTH: Final = "us9.datadoghq.com"
_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500


def denied(bench: Bench) -> list[Finding]:
    """Have the customer deny the request."""
    check = Check(
        "denied", ("A denied consent leads to a page that says so; the server keeps running.")
    )
    arrival = Journey(bench).begin().consent(DENY).arrive()
    return [failed_well(check, arrival, what="a denied consent")]


def stranger(bench: Bench) -> list[Finding]:
    """Open the callback without any parameters, as a crawler does."""
    check = Check("stranger", "A bare callback gets a 4xx page; the server keeps running.")
    journey = Journey(bench)
    browser = bench.other_browser()
    arrival = journey.arrive(bench.redirect_uri, browser=browser)
    found = failed_well(check, arrival, what="a bare callback")
    broke_down = arrival.alive and arrival.page.status >= _SERVER_ERROR
    if broke_down and not arrival.connected:
        text = f"A bare callback gets a {arrival.page.status}."
        return [check.risk(text, events=arrival.events, page=arrival.page)]
    return [found]


def error_escaped(bench: Bench) -> list[Finding]:
    """Send a refusal whose text contains a script, once with the right state and once without."""
    check = Check("error-escaped", "The page escapes the words of a refusal.")
    journey = Journey(bench).begin().consent(DENY)
    words = {"error": f"access_denied{SCRIPT}", "error_description": f"No{SCRIPT}"}
    plain = {"error_description": f"No{SCRIPT}"}
    tries = (
        changed(journey.location, plain),
        changed(journey.location, words),
        changed(journey.location, {**words, "state": f"x{SCRIPT}"}),
    )
    for location in tries:
        arrival = journey.arrive(location)
        kind = arrival.page.headers.get("content-type", "text/html")
        if SCRIPT in arrival.page.body and "html" in kind:
            text = "The page contains the redirect's script as markup."
            return [check.broken(text, page=arrival.page)]
    return [check.met("No page contains the redirect's script as markup.")]


def duplicate_code(bench: Bench) -> list[Finding]:
    """Send the code twice in one redirect."""
    check = Check("duplicate-code", "The server refuses a redirect with a repeated parameter.")
    journey = Journey(bench).fault("duplicate-code:1").begin().consent()
    arrival = journey.arrive()
    if arrival.exchanges:
        text = "The server exchanged a code that occurred twice (RFC 6749, 3.1)."
        return [check.risk(text, events=arrival.exchanges)]
    return [check.met("The server exchanged nothing.", events=arrival.events)]


def pair_consistent(bench: Bench) -> list[Finding]:
    """Send a site and a domain that contradict each other."""
    check = Check("pair-consistent", "The server refuses a site that can't belong to the domain.")
    journey = Journey(bench).fault("inconsistent-site:1").begin().consent()
    arrival = journey.arrive()
    if arrival.exchanges:
        text = "The server exchanged the code although site and domain do not match."
        return [check.risk(text, events=arrival.exchanges)]
    return [check.met("The server exchanged nothing.", events=arrival.events)]


def domain_allowed(bench: Bench) -> list[Finding]:
    """Send a redirect whose domain does not belong to Datadog."""
    check = Check("domain-allowed", "Nothing is sent to a domain that is not Datadog's.")
    if bench.front is None:
        return [check.not_tested("Only the other sandbox's front can see foreign hosts.")]
    journey = Journey(bench).fault("foreign-domain:1").begin().consent()
    arrival = journey.arrive()
    strays = bench.left_for(since=journey.records_began)
    leaked = [record for record in strays if _sent(record)]
    lines = tuple(_line(record) for record in leaked or strays)
    if leaked:
        text = f"The server sent {', '.join(sorted(_sent(leaked[0])))} to {leaked[0].host}."
        return [_with(check.broken(text, events=arrival.events), lines)]
    asked = [record for record in strays if "example" in record.host]
    if asked:
        return [
            _with(
                check.risk(f"The server sent a request to {asked[0].host}, but without a secret."),
                lines,
            )
        ]
    if arrival.exchanges:
        text = "The server ignores `domain` and exchanged the code at a host that it chose itself."
        return [check.risk(text, events=arrival.exchanges, reason="It is safe only with one site.")]
    return [check.met("The server refused the domain; nothing was sent.", events=arrival.events)]


def wrong_domain(bench: Bench) -> list[Finding]:
    """Send a redirect with one of Datadog's domains, but not the customer's."""
    check = Check("wrong-domain-named", "At most one exchange at the wrong site, and a page.")
    journey = Journey(bench).fault("wrong-domain:1").begin().consent()
    arrival = journey.arrive()
    if arrival.issued:
        text = "The server ignores `domain`, so a wrong one changes nothing."
        return [check.met(text, events=arrival.exchanges)]
    if len(arrival.exchanges) > 1:
        text = f"The server sent {len(arrival.exchanges)} token requests for one code."
        return [check.risk(text, events=arrival.exchanges)]
    return [failed_well(check, arrival, what="a wrong domain")]


def domain_used(bench: Bench) -> list[Finding]:
    """Have a customer who did not start from the tile change the region on Datadog's page."""
    check = Check("domain-used", "The token request goes to the domain that the redirect names.")
    others = [site for site in bench.sites if site != bench.site]
    if not others:
        return [check.not_tested("The client is registered on one site only: add `sites`.")]
    there = others[0] if "eu1" not in others else "eu1"
    journey = Journey(bench).begin(tile=False).consent(region=there)
    arrival = journey.arrive()
    if not arrival.exchanges:
        text = f"A customer who chose {there} on Datadog's page was refused."
        return [check.risk(text, events=arrival.events, page=arrival.page)]
    sites = [event.site for event in arrival.exchanges]
    if sites[0] != there:
        text = f"The customer is on {there}, and the token request went to {sites[0]}."
        return [check.broken(text, events=arrival.exchanges)]
    return [check.met(f"The token request went to {there}.", events=arrival.exchanges)]


def vanity(bench: Bench) -> list[Finding]:
    """Connect a customer whose `site` is a vanity subdomain."""
    check = Check("vanity", "Token and API requests go to api.<domain>, never to `site`.")
    own = f"globex-{bench.site}"
    journey = Journey(bench, vanity=own)
    arrival = journey.connect()
    asked = [event for event in arrival.events if event.role == "app" and event.is_token_request]
    wrong = [event for event in asked if own in (event.host or own)]
    strays = [r for r in bench.left_for(since=journey.records_began) if own in r.host]
    if wrong or strays:
        return [check.broken("The server sent a request to the customer's own host.", events=wrong)]
    if not arrival.issued:
        text = "A customer with a host name of their own was not connected."
        return [check.broken(text, events=arrival.events, page=arrival.page)]
    return [check.met("The customer was connected at the API host.", events=arrival.exchanges)]


def nine_sites(bench: Bench) -> list[Finding]:
    """Connect a customer on each graded site, and one in a region that does not exist yet."""
    found = [_site(bench, site) for site in bench.sites]
    found.append(_tenth(bench))
    bad = [each for each in found if each.verdict.value in {"broken", "risk"}]
    if bad:
        return [worst_of(found)]
    check = Check(
        "nine-sites",
        ("Each registered site works; an unknown one gets an explanation, not a crash."),
    )
    count = len(bench.sites)
    reason = "" if count > 1 else "One site was graded. Name more in `sites`."
    names = ", ".join(bench.sites)
    return [check.met(f"Customers of {names} were connected.", reason=reason)]


def _site(bench: Bench, site: str) -> Finding:
    check = Check("nine-sites", "Each registered site works.", site=site)
    journey = Journey(bench, site=site)
    try:
        journey.begin()
        elsewhere = bench.hosts.find(_host(journey.request))
        region = site if elsewhere is None or elsewhere.site != site else None
        if region is not None:
            journey = Journey(bench).begin()
        arrival = journey.consent(region=region).arrive()
    except FlowNotFoundError as error:
        return check.broken(f"A customer of {site} cannot connect. {error.line}")
    if not arrival.issued or not arrival.connected:
        text = f"A customer of {site} was not connected."
        return check.broken(text, events=arrival.events, page=arrival.page)
    return check.met(f"A customer of {site} was connected.", events=arrival.exchanges)


def _tenth(bench: Bench) -> Finding:
    check = Check("nine-sites", "A site that opens in the future works, or gets an explanation.")
    journey = Journey(bench).begin().consent()
    new = {"domain": _TENTH, "site": f"https://{_TENTH}"}
    arrival = journey.arrive(changed(journey.location, new))
    crash = crash_of(arrival)
    if not arrival.alive:
        return check.broken("The server's process ended at a site that it does not know.")
    if crash:
        text = f"At {_TENTH}, a site that the server does not know, {crash}."
        return check.risk(text, events=arrival.events, page=arrival.page)
    return check.met("A site that the server does not know got a page.", events=arrival.events)


def client_id_own(bench: Bench) -> list[Finding]:
    """Send another client's client_id in the redirect."""
    check = Check("client-id-own", "The server never takes its client_id from a redirect.")
    journey = Journey(bench).begin().consent()
    arrival = journey.arrive(changed(journey.location, {"client_id": FOREIGN_CLIENT}))
    foreign = [e for e in arrival.exchanges if e.values.get("client_id") == FOREIGN_CLIENT]
    if foreign:
        text = "The token request carries the client_id of the redirect."
        return [check.risk(text, events=foreign)]
    if arrival.exchanges:
        return [
            check.met(
                ("The token request carries the server's own client_id."), events=arrival.exchanges
            )
        ]
    return [check.met("The server refused the redirect.", events=arrival.events)]


def scope_narrowed(bench: Bench) -> list[Finding]:
    """Grant one fewer scope than the server requested."""
    check = Check(
        "scope-narrowed", ("The server compares the granted scopes with the requested ones.")
    )
    usual = Journey(bench).connect()
    journey = Journey(bench).fault("narrowed-scopes:1").begin()
    if len(journey.asked.get("scope", "").replace(",", " ").split()) == 1:
        return [
            check.not_seen("The server asks for only one scope, so the grant can't have fewer.")
        ]
    arrival = journey.consent().arrive()
    if not arrival.issued:
        return [check.not_seen("The server made no token request.")]
    word = bench.words.get("scope-narrowed", "")
    said = word in arrival.page.body if word else _differs(usual, arrival)
    if said:
        return [check.met("The page differs from the usual one.", events=arrival.events)]
    text = "The page is the usual one, as if all scopes were granted."
    return [check.risk(text, events=arrival.exchanges, page=arrival.page)]


def _differs(usual: Arrival, arrival: Arrival) -> bool:
    """Return whether the pages differ by more than numbers and names."""
    if arrival.connected != usual.connected or arrival.page.status != usual.page.status:
        return True
    words, before = arrival.page.html.text.split(), usual.page.html.text.split()
    return abs(len(words) - len(before)) > 1 or "scope" in arrival.page.html.text.lower()


def key_once(bench: Bench) -> list[Finding]:
    """Connect the same customer a second time, from another browser."""
    check = Check("key-once", "The server requests its API key once and stores it first.")
    first = Journey(bench)
    first.connect()
    again = Journey(bench, org=first.org)
    again.connect()
    keys = [e for e in first.events() if e.path == KEY_PATH and e.method == "POST"]
    if not keys:
        return [check.not_seen("The server creates no API key.")]
    made = [event for event in keys if event.succeeded]
    if len(keys) > 1:
        text = f"The server requested its key {len(keys)} times; Datadog created {len(made)}."
        return [check.risk(text, events=keys)]
    return [check.met("Two connections led to one key request.", events=keys)]


def key_exists(bench: Bench) -> list[Finding]:
    """Respond to the request for a key with 409, as if an earlier key had been lost."""
    check = Check("key-409", "The server says that a key exists, and what to do.")
    arrival = Journey(bench).fault("key-exists").connect()
    keys = [e for e in arrival.events if e.path == KEY_PATH and e.method == "POST"]
    if not keys:
        return [check.not_seen("The server creates no API key.")]
    if arrival.connected:
        text = "The page says connected, but the server has no key to send data with."
        verdict = check.broken if "send" in bench.acts else check.risk
        return [verdict(text, events=keys, page=arrival.page)]
    if len(keys) > 1:
        return [check.risk(f"The server requested its key {len(keys)} times.", events=keys)]
    # The grant is valid and may be listed; only the key is missing.
    return [failed_well(check, replace(arrival, listed=False), what="a key that exists")]


def login_required(bench: Bench) -> list[Finding]:
    """Run the flow without logging in to the server."""
    check = Check("login-required", "Onboarding and callback are behind the server's own login.")
    if bench.login is None:
        return [check.not_tested("[login] is missing.")]
    journey = Journey(bench, browser=bench.browser(login=False))
    try:
        journey.begin()
    except FlowNotFoundError:
        return [check.met("Without a login the flow does not begin.")]
    arrival = journey.consent().arrive()
    if arrival.issued:
        return [check.risk("A browser without a login was connected.", events=arrival.events)]
    return [check.met("Without a login the callback exchanges nothing.", events=arrival.events)]


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].partition("?")[0]


def _sent(record: FrontRecord) -> set[str]:
    """Return the names of the secret fields and authentication headers sent."""
    fields = {*record.body_fields, *record.query_fields} & _SECRET_FIELDS
    return fields | {f"the header {name}" for name in record.credential_headers}


def _line(record: FrontRecord) -> str:
    return f"{record.method} {record.host}{record.path} {record.reason}".strip()


def _with(finding: Finding, lines: Iterable[str]) -> Finding:
    return replace(finding, evidence=(*lines, *finding.evidence))


_NOTHING: Final = tuple(
    Scenario(name=name, checks=(check,), run=run, expects_nothing=True)
    for name, check, run in (
        ("a denied consent", "denied", denied),
        ("a bare callback", "stranger", stranger),
        ("a script in the refusal", "error-escaped", error_escaped),
        ("a code that occurs twice", "duplicate-code", duplicate_code),
        ("site and domain do not match", "pair-consistent", pair_consistent),
        ("a foreign domain", "domain-allowed", domain_allowed),
        ("a wrong domain", "wrong-domain-named", wrong_domain),
    )
)
SCENARIOS: Final = (
    *_NOTHING,
    Scenario(name="another region", checks=("domain-used",), run=domain_used),
    Scenario(name="a customer's own host", checks=("vanity",), run=vanity),
    Scenario(name="each site", checks=("nine-sites",), run=nine_sites, connects=10),
    Scenario(name="a foreign client_id", checks=("client-id-own",), run=client_id_own),
    Scenario(name="fewer scopes", checks=("scope-narrowed",), run=scope_narrowed, connects=2),
    Scenario(name="a second login", checks=("key-once",), run=key_once, connects=2),
    Scenario(name="a key that exists", checks=("key-409",), run=key_exists),
    Scenario(name="no login", checks=("login-required",), run=login_required, needs=("login",)),
)

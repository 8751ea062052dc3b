"""Let tokens really expire, and watch when and how the server refreshes them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.journey import Journey
from ddoauth_kit.grading.scenarios.acts import Acting
from ddoauth_kit.grading.scenarios.finding import Check, Finding, Scenario, worst_of

if TYPE_CHECKING:
    from ddoauth_kit.grading.bench import Bench
    from ddoauth_kit.grading.sandbox_control import SandboxEvent

MARGINS: Final = (5, 90, 400)
_LONGEST_LIFE: Final = 16
_HOUR: Final = 3600
_MANY: Final = 8
_LOOP: Final = 5
# The request whose response was lost, and one more.
_ATTEMPTS: Final = 2


class Expiring(Acting):
    """A customer whose first access token expires soon, and whose next one lasts an hour.

    The first token must be valid until the customer is connected. If one second is too short for
    that, another customer gets a longer-lived token. With `claims`, the token is valid for an hour,
    but its `expires_in` is this many seconds.
    """

    def __init__(
        self,
        bench: Bench,
        *,
        rotate: bool = False,
        site: str | None = None,
        claims: int | None = None,
    ) -> None:
        self._bench = bench
        self._tokens = set()
        self.life = bench.token_life
        while True:
            self.journey = Journey(bench, site=site)
            if rotate:
                bench.control.switch(org=self.org, rotate=True)
            lives = _HOUR if claims else self.life
            bench.control.access_token_life(lives, org=self.org, claims=claims)
            arrival = self.journey.connect()
            if arrival.connected or claims or self.life >= _LONGEST_LIFE:
                break
            self.life *= 2
            bench.lengthen_life(self.life)
        self._check(arrival)
        self.issued_at = arrival.exchanges[-1].at
        bench.control.access_token_life(_HOUR, org=self.org)

    def next_life(self, seconds: int) -> None:
        """Set the lifetime of tokens issued from now on."""
        self._bench.control.access_token_life(seconds, org=self.org)

    def expire(self) -> None:
        """Wait until the most recently issued token has expired."""
        time.sleep(self.life + 0.3)

    @property
    def trigger(self) -> str:
        """Return the act that uses the access token."""
        return trigger(self._bench)


def trigger(bench: Bench) -> str:
    """Return the act that uses the access token: `call` or, if that isn't configured, `refresh`."""
    return "call" if "call" in bench.acts else "refresh"


def refreshes_of(events: tuple[SandboxEvent, ...]) -> tuple[SandboxEvent, ...]:
    """Return only the refresh requests."""
    return tuple(event for event in events if event.is_refresh)


def margin(bench: Bench) -> tuple[int, int]:
    """Return the range of seconds before expiry in which a call triggers a refresh."""
    below = 0
    for seconds in MARGINS:
        acting = Expiring(bench, claims=seconds)
        found = refreshes_of(acting.act(acting.trigger)[1])
        if not found:
            return below, seconds
        # After the expiry, the refresh is not early: the call came too late to show anything.
        if found[0].at - acting.issued_at < seconds:
            below = seconds
    return below, _HOUR


def when_needed(bench: Bench) -> list[Finding]:
    """Call twice after the token has expired."""
    check = Check(
        "refresh-when-needed", ("One refresh per expiry, and none while the token is valid.")
    )
    low, high = margin(bench)
    acting = Expiring(bench)
    acting.expire()
    outcome, first = acting.act(acting.trigger)
    _, second = acting.act(acting.trigger)
    counts = len(refreshes_of(first)), len(refreshes_of(second))
    told = f"The server refreshes {low} to {high} s before expiry."
    if not counts[0]:
        return [check.risk("No refresh followed an expiry.", events=first)]
    if counts != (1, 0):
        text = f"{counts[0]} refreshes at the expiry, {counts[1]} after it."
        return [check.risk(text, events=(*first, *second), reason=told)]
    if not outcome.succeeded:
        return [check.risk("The act failed after the refresh.", events=first, reason=told)]
    return [check.met("One refresh at the expiry, none after it.", events=first, reason=told)]


def single_flight(bench: Bench) -> list[Finding]:
    """Make eight calls at once after a token expires, first without rotation, then with it."""
    check = Check("single-flight", "Concurrent calls share one refresh.")
    found = [_together(bench, check, rotate=rotate) for rotate in (False, True)]
    return [worst_of(found)]


def _together(bench: Bench, check: Check, *, rotate: bool) -> Finding:
    acting = Expiring(bench, rotate=rotate)
    acting.expire()
    before = bench.control.last()
    with ThreadPoolExecutor(_MANY) as pool:
        calls = [pool.submit(_one_call, bench, acting) for _ in range(_MANY)]
        done = [call.result() for call in calls]
    events = acting.own(bench.control.events(after=before))
    refreshes = refreshes_of(events)
    rotation = " with rotation" if rotate else ""
    if not refreshes:
        return check.not_seen("No refresh followed an expiry.")
    later, _ = acting.act(acting.trigger)
    if rotate and (not all(done) or not later.succeeded):
        failed = f"{done.count(False)} of {_MANY} calls{rotation} failed"
        text = f"{failed}; refreshes that followed the expiry: {len(refreshes)}."
        return (check.broken if len(refreshes) > 1 else check.risk)(text, events=refreshes)
    if len(refreshes) > 1:
        text = f"{_MANY} calls{rotation} led to {len(refreshes)} refreshes."
        return (check.broken if rotate else check.risk)(text, events=refreshes)
    return check.met(f"{_MANY} calls{rotation} led to one refresh.", events=refreshes)


def _one_call(bench: Bench, acting: Expiring) -> bool:
    browser = bench.browser(login=False)
    # Each call has its own connections; the person is the same.
    browser.jar = acting.journey.browser.jar
    return bench.perform(bench.acts[acting.trigger], browser).succeeded


def keeps(bench: Bench) -> list[Finding]:
    """Omit the refresh token from the response to a refresh."""
    check = Check(
        "refresh-keeps", ("The server keeps the old refresh token if the answer has no new one.")
    )
    acting = Expiring(bench)
    acting.fault("no-refresh-token:1")
    first, second = _two_refreshes(acting)
    if not first:
        return check_not_seen(check)
    if not second or not second[-1].succeeded:
        return [check.broken("The next refresh failed.", events=(*first, *second))]
    same = second[-1].fingerprints.get("refresh_token") == first[-1].fingerprints.get(
        "refresh_token"
    )
    if not same:
        return [check.broken("The next refresh carried another token.", events=(*first, *second))]
    return [check.met("The next refresh carried the old token.", events=(*first, *second))]


def rotated(bench: Bench) -> list[Finding]:
    """Issue a new refresh token with each refresh, and lose one of the responses."""
    check = Check("refresh-rotated", "The new refresh token is stored before it is used.")
    acting = Expiring(bench, rotate=True)
    first, second = _two_refreshes(acting)
    if not first:
        return check_not_seen(check)
    if not second or not second[-1].succeeded:
        text = "The refresh after a rotation failed."
        return [check.broken(text, events=(*first, *second))]
    return [worst_of((_lost(bench, check), check.met("The next refresh used it.", events=second)))]


def _lost(bench: Bench, check: Check) -> Finding:
    """Lose the response with the new token; a retry or a new consent may follow, but no loop."""
    acting = Expiring(bench, rotate=True)
    acting.fault("lost-answer:1")
    acting.expire()
    acts = [acting.act(acting.trigger) for _ in range(3)]
    found = [refreshes_of(events) for _, events in acts]
    sent = tuple(event for events in found for event in events)
    counts = ", ".join(str(len(events)) for events in found)
    if max(map(len, found)) > _LOOP:
        text = f"After a lost answer {counts} refreshes followed three acts."
        return check.broken(text, events=sent)
    if len(sent) > _ATTEMPTS or found[-1]:
        text = f"After a lost answer {counts} refreshes followed three acts; one more may."
        return check.risk(text, events=sent)
    if acts[-1][0].succeeded:
        return check.risk("After a lost answer the act reports success without a token.")
    acting.journey = Journey(bench, org=acting.journey.org, browser=acting.journey.browser)
    if not acting.journey.connect().issued or not acting.act(acting.trigger)[0].succeeded:
        return check.risk("After a lost answer a new consent does not help.", events=sent)
    return check.met("After a lost answer a new consent helped.", events=sent)


def refused(bench: Bench) -> list[Finding]:
    """Revoke the grant before its refresh."""
    check = Check(
        "refresh-refused", ("A refused refresh ends the grant: the server asks the customer again.")
    )
    acting = Expiring(bench)
    acting.expire()
    acting.fault("revoked-grant:1")
    outcome, events = acting.act(acting.trigger)
    first = refreshes_of(events)
    if not first:
        return check_not_seen(check)
    later = [event for _ in range(2) for event in refreshes_of(acting.act(acting.trigger)[1])]
    if len(first) > _LOOP:
        text = f"The server refreshed {len(first)} times in a loop."
        return [check.broken(text, events=first)]
    if outcome.succeeded:
        return [check.risk("The act reports success after a refused refresh.", events=first)]
    if later or len(first) > 1:
        text = f"{len(first) + len(later)} refreshes were refused in three acts."
        return [check.risk(text, events=(*first, *later))]
    return [check.met("One refresh was refused, and none followed.", events=first)]


def server_error(bench: Bench) -> list[Finding]:
    """Respond to one refresh with a 500."""
    check = Check(
        "refresh-5xx", ("A 5xx is temporary: the next refresh works without a new consent.")
    )
    acting = Expiring(bench)
    acting.expire()
    acting.fault("server-error:1")
    _, first = acting.act(acting.trigger)
    again, _ = acting.act(acting.trigger)
    if not refreshes_of(first):
        if any(event.is_data and not event.succeeded for event in first):
            return [
                check.not_seen(
                    "The API call got the 500, because the server refreshes only after a 401."
                )
            ]
        return check_not_seen(check)
    if len(refreshes_of(first)) > _LOOP:
        text = f"{len(refreshes_of(first))} refreshes followed a 5xx."
        return [check.broken(text, events=first)]
    if not again.succeeded:
        text = "After a 5xx at the refresh the next act failed."
        return [check.risk(text, events=first)]
    return [check.met("The next act worked without a new consent.", events=first)]


def refresh_site(bench: Bench) -> list[Finding]:
    """Let a token on another site expire."""
    check = Check("refresh-site", "The refresh goes to the customer's own site.")
    others = [site for site in bench.sites if site != bench.site]
    site = "eu1" if "eu1" in others else (others or [bench.site])[0]
    acting = Expiring(bench, site=site)
    acting.expire()
    _, events = acting.act(acting.trigger)
    found = refreshes_of(events)
    if not found:
        return check_not_seen(check)
    wrong = [event for event in found if event.site != site]
    if wrong:
        text = f"A customer of {site} was refreshed at {wrong[0].site}."
        return [check.broken(text, events=wrong)]
    reason = "" if others else "One site was graded. Name more in `sites`."
    return [check.met(f"The refresh went to {site}.", events=found, reason=reason)]


def _two_refreshes(
    acting: Expiring,
) -> tuple[tuple[SandboxEvent, ...], tuple[SandboxEvent, ...]]:
    """Let the token expire twice, and return the refreshes after each expiry."""
    acting.next_life(acting.life)
    acting.expire()
    _, first = acting.act(acting.trigger)
    acting.next_life(_HOUR)
    acting.expire()
    _, second = acting.act(acting.trigger)
    return refreshes_of(first), refreshes_of(second)


def check_not_seen(check: Check) -> list[Finding]:
    """Report that the server did not send a refresh."""
    return [check.not_seen("No refresh followed an expiry.")]


SCENARIOS: Final = tuple(
    Scenario(
        name=name,
        checks=(check,),
        run=run,
        connects=connects,
        alone=False,
        needs=("call|refresh",),
    )
    for name, check, run, connects in (
        ("an expiry", "refresh-when-needed", when_needed, 4),
        ("eight calls at once", "single-flight", single_flight, 2),
        ("a refresh without a new token", "refresh-keeps", keeps, 1),
        ("rotation", "refresh-rotated", rotated, 3),
        ("a refused refresh", "refresh-refused", refused, 1),
        ("a refresh that fails", "refresh-5xx", server_error, 1),
        ("a refresh elsewhere", "refresh-site", refresh_site, 1),
    )
)

"""Follow a server once to Datadog and back, and derive its settings from the observations."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from ddoauth_kit.grading.grader import bench_for
from ddoauth_kit.grading.journey import Journey, parameters
from ddoauth_kit.grading.preflight import check_way
from ddoauth_kit.grading.settings import (
    ClientSettings,
    ConnectedSettings,
    GradeSettings,
    ServerSettings,
    SettingsError,
    StartSettings,
    settings_from,
    to_toml,
)
from ddoauth_kit.grading.subject import FlowNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ddoauth_kit.grading.bench import Bench
    from ddoauth_kit.grading.cookie_jar import Cookie
    from ddoauth_kit.grading.customer import SeenPage
    from ddoauth_kit.grading.grader import GradeMeans
    from ddoauth_kit.grading.journey import Arrival
    from ddoauth_kit.grading.settings import ActSettings

TOLERANCES: Final = (
    "no-pkce",
    "any-redirect-uri",
    "comma-scopes",
    "token-at-app",
    "plain-pkce",
)
CLIENT: Final = {"DD_CLIENT_ID": "{client_id}", "DD_CLIENT_SECRET": "{client_secret}"}
_TEXT: Final = 60
_MORE: Final = """\
# To test more, say what else your server can do (.github/GRADE.md lists all tables):
# durable = true  # at the top of the file, if grants survive a restart
# [call]  # makes it call Datadog's API for the customer who is logged in
# url = "{0}/..."
# method = "GET"
# [send]  # makes it send telemetry; then [refresh], [disconnect] and [list] in the same way
# url = "{0}/..."
"""
_TOOLS: Final = frozenset(
    ("registry", "npm", "packages", "package", "update", "updates", "mirror", "gems", "index")
)
_DATADOG: Final = re.compile(r"https://[^\s\"'<>\\]+/oauth2/v1/authorize[^\s\"'<>\\]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLook:
    """What one run revealed: the settings, the refused hosts and the cookies."""

    settings: GradeSettings
    blocked: tuple[str, ...]
    cookies: tuple[str, ...]
    scopes_unknown: tuple[str, ...] = ()

    def toml(self) -> str:
        """Return the settings file; comments at the end list what you should confirm."""
        lines = [to_toml(self.settings, blocked=self.blocked).rstrip("\n"), ""]
        lines += [f"# The server's cookies: {', '.join(self.cookies) or 'none'}."]
        lines += [
            f"# {host} looks like a package registry or an update check; grading does not need it."
            for host in self.blocked
            if is_tool(host)
        ]
        lines += [
            f"# Datadog's catalogue does not list the scope {scope}, so it is not registered."
            for scope in self.scopes_unknown
        ]
        start = self.settings.start
        place = urlsplit(start.url or start.page or start.json or self.redirect_uri)
        lines += ["", *(_MORE.format(f"{place.scheme}://{place.netloc}").splitlines())]
        return "\n".join(lines) + "\n"

    @property
    def redirect_uri(self) -> str:
        """Return the redirect URI that the server sent."""
        return next(iter(self.settings.client.redirect_uris), "")


def first_look(  # noqa: PLR0913 - the options of the command
    url: str,
    *,
    command: Sequence[str],
    env: Mapping[str, str],
    login: ActSettings | None = None,
    means: GradeMeans | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> str:
    """Start the server, let one customer connect, and return the text of the settings file.

    `login` logs each browser in first, if the server has its own login.

    Raises:
        SettingsError: the flow cannot be followed, or the server uses a different client.
        FrontError: the front or the process cannot start.
    """
    if not command:
        raise SettingsError(
            "no_command", "Write how to start your server after --, such as `-- npm start`."
        )
    start = settings_from({"start": {"url": url}, "server": {"env": _with_client(env)}})
    place = urlsplit(url)
    somewhere = f"{place.scheme}://{place.netloc}/"
    guess = replace(
        start,
        client=ClientSettings(redirect_uris=(somewhere,)),
        server=replace(start.server, command=tuple(command)),
        login=login,
    )
    with bench_for(guess, sites=("us1",), means=means) as bench:
        found = look(bench, guess, say=say)
    return found.toml()


def _with_client(env: Mapping[str, str]) -> dict[str, str]:
    """Add the usual client variables, unless the environment already contains the client."""
    named = any("{client_id}" in value for value in env.values())
    return dict(env) if named else {**CLIENT, **env}


def look(bench: Bench, guess: GradeSettings, *, say: Callable[[str], None]) -> FirstLook:
    """Connect one customer while the sandbox tolerates every mistake, and record the result."""
    bench.control.switch(tolerate=list(TOLERANCES), basic=True)
    journey, entry = _begun(bench, guess.start.url)
    asked = journey.asked
    _check_client(bench, asked)
    redirect_uri = asked.get("redirect_uri", "")
    scopes = tuple(dict.fromkeys(asked.get("scope", "").replace(",", " ").split()))
    known = _registered(bench, redirect_uri, scopes)
    say(f"redirect URI  {redirect_uri or '(none)'}")
    say(f"scopes        {' '.join(scopes) or '(none)'}")
    bench.redirect_uri, bench.entry = redirect_uri, entry
    arrival = _arrived(bench, journey)
    say(f"the good run ends at {arrival.page.url.partition('?')[0]} ({arrival.page.status})")
    settings = GradeSettings(
        start=entry,
        connected=_mark(arrival, journey),
        client=ClientSettings(redirect_uris=(redirect_uri,), scopes=known),
        server=ServerSettings(command=guess.server.command, env=guess.server.env),
        login=guess.login,
    )
    return FirstLook(
        settings=settings,
        blocked=_blocked(bench),
        cookies=tuple(_shown(cookie) for cookie in _own_cookies(journey, bench)),
        scopes_unknown=tuple(scope for scope in scopes if scope not in known),
    )


def is_tool(host: str) -> bool:
    """Return whether a build tool, rather than the server, probably requested this host."""
    return bool(_TOOLS & {*re.split(r"[.-]", host.partition(":")[0])})


def _begun(bench: Bench, url: str) -> tuple[Journey, StartSettings]:
    """Determine which of the four ways starts the flow at this address."""
    journey = _fresh(bench)
    named = _json_field(journey.browser.open(url, until=bench.is_datadog))
    if named:
        entry = StartSettings(json=url, field=named)
    else:
        seen = journey.browser.pages[-1]
        entry = StartSettings(url=url) if seen.stopped_at else StartSettings(page=url)
    bench.entry = entry
    try:
        return Journey(bench).begin(), entry
    except FlowNotFoundError as error:
        line = _logged(bench)
        if not line:
            raise SettingsError(error.code, f"{error.line}{_how_to_log_in(error)}") from None
        bench.entry = StartSettings(log=line)
        return Journey(bench).begin(), bench.entry


def _fresh(bench: Bench) -> Journey:
    try:
        return Journey(bench)
    except FlowNotFoundError as error:
        raise SettingsError(error.code, error.line) from None


def _how_to_log_in(error: FlowNotFoundError) -> str:
    """Return the options for logging in with the given form, or an empty string."""
    forms = error.page.html.forms if error.page is not None else ()
    form = next((form for form in forms if form.password), None)
    if error.code != "login_needed" or error.page is None:
        return ""
    if form is None:
        return " With --init, add --login URL and a --login-field NAME=VALUE for each field."
    shown = {name for name, value in form.fields if not value}
    values = dict.fromkeys(sorted(shown), "{account}")
    values[form.password] = "{env:LOGIN_PASSWORD}"
    options = " ".join(f"--login-field '{name}={value}'" for name, value in values.items())
    return f" With --init, add: --login {error.page.url.partition('?')[0]} {options}"


def _json_field(page: SeenPage) -> str:
    """Return the dotted name of the JSON field that contains an authorization request."""
    try:
        document = json.loads(page.body)
    except ValueError:
        return ""
    return next((name for name, value in _leaves(document) if _DATADOG.fullmatch(value)), "")


def _leaves(value: Any, name: str = "") -> Iterable[tuple[str, str]]:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        yield name, value
    pairs = [*value.items()] if isinstance(value, dict) else []
    pairs += [*enumerate(value)] if isinstance(value, list) else []
    for key, inner in pairs:
        yield from _leaves(inner, f"{name}.{key}".lstrip("."))


def _logged(bench: Bench) -> str:
    """Return the text that precedes an authorization request in the server's output."""
    for line in bench.subject.written().splitlines():
        found = _DATADOG.search(line)
        if found and bench.is_datadog(found[0]):
            return line[: found.start()].strip() or "https://"
    return ""


def _check_client(bench: Bench, asked: Mapping[str, str]) -> None:
    if asked.get("client_id") != bench.client_id:
        sent = asked.get("client_id", "")
        raise SettingsError(
            "other_client",
            f"The server sends the client_id {sent!r} instead of the sandbox's. Give it the "
            "sandbox's client under the names that it reads: --set DD_CLIENT_ID={client_id} --set "
            "DD_CLIENT_SECRET={client_secret}",
        )


def _registered(bench: Bench, redirect_uri: str, scopes: Sequence[str]) -> tuple[str, ...]:
    """Register the requested redirect URI and scopes; return the scopes known to Datadog."""
    known = tuple(scope for scope in scopes if scope in bench.scopes)
    uris = [redirect_uri] if redirect_uri else None
    bench.control.amend_client(bench.client_id, redirect_uris=uris, scopes=known or None)
    return known


def _arrived(bench: Bench, journey: Journey) -> Arrival:
    try:
        arrival = journey.consent().arrive()
    except FlowNotFoundError as error:
        raise SettingsError(error.code, error.line) from None
    refused = parameters(journey.location).get("error", "")
    if refused:
        raise SettingsError(
            "first_look_failed",
            f"Datadog refused the authorization request ({refused}). Correct the request, then "
            "start again.",
        )
    if not arrival.issued:
        check_way(bench, journey, arrival)
        raise SettingsError(
            "first_look_failed",
            "The customer consented, but the server got no tokens. Its page is a "
            f"{arrival.page.status}: {arrival.page.html.text[:120]!r}. Correct this first.",
        )
    return arrival


def _mark(arrival: Arrival, journey: Journey) -> ConnectedSettings:
    """Return the page's address, and the first words on it that are the same for every customer."""
    page = arrival.page
    bare = page.url.partition("?")[0].partition("#")[0]
    query = dict(parse_qsl(urlsplit(page.url).query))
    address = "" if "code" in query else bare
    return ConnectedSettings(text=_first_words(page.html.text, journey.org.name), address=address)


def _first_words(text: str, customer: str) -> str:
    before = text.partition(customer)[0]
    words: list[str] = []
    for word in before.split():
        too_long = len(" ".join([*words, word])) > _TEXT
        if too_long or any(sign.isdigit() for sign in word):
            break
        words.append(word)
    return " ".join(words)


def _blocked(bench: Bench) -> tuple[str, ...]:
    hosts = [record.host for record in bench.left_for(since=0) if record.host]
    return tuple(dict.fromkeys(hosts))


def _own_cookies(journey: Journey, bench: Bench) -> Iterable[Cookie]:
    host = urlsplit(bench.address).hostname
    return (cookie for cookie in journey.browser.jar if cookie.host == host)


def _shown(cookie: Cookie) -> str:
    marks = ["HttpOnly"] * cookie.http_only + ["Secure"] * cookie.secure
    marks += [f"SameSite={cookie.same_site.capitalize()}"] if cookie.same_site else []
    return f"{cookie.name} ({', '.join(marks) or 'no attributes'})"

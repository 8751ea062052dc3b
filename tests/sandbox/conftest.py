"""A partner and a customer who click and post by script, over real sockets or in process."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
import pytest
from support.loopback import PLAIN

from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.workbook.lab.in_process import ByAddress, serve, withdraw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ddoauth_kit.sandbox import Client

V1, V2 = "/oauth2/v1/token", "/api/v2/oauth2/token"
VERIFIER = "a-verifier-of-the-tests-with-more-than-43-characters"


def challenge_of(verifier: str) -> str:
    """Derive a challenge as RFC 7636 4.2 says."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Forms(HTMLParser):
    """Collect the forms of a page: action, hidden fields, and the names of buttons."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.links: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note links, forms and what is in them."""
        marks = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(marks["href"])
        if tag == "form":
            form = {"action": marks["action"], "method": marks["method"]}
            self.forms.append({**form, "fields": {}, "buttons": [], "options": []})
        elif tag == "input":
            self.forms[-1]["fields"][marks["name"]] = marks["value"]
        elif tag == "button" and "name" in marks:
            self.forms[-1]["buttons"].append((marks["name"], marks["value"]))
        elif tag == "option":
            self.forms[-1]["options"].append(marks["value"])


def form_to(page: httpx.Response, action: str, **fields: str) -> dict[str, Any]:
    """Return the page's form for an action with these hidden fields."""
    for form in Forms(page.text).forms:
        if form["action"] == action and fields.items() <= form["fields"].items():
            return form
    raise AssertionError(f"no form to {action} with {fields}")


class Partner:
    """One client at one site, with the browser of one customer."""

    def __init__(self, sandbox: Sandbox, site: str, *, client: Client | None = None) -> None:
        self.sandbox = sandbox
        self.site = site
        self.client = client or sandbox.client
        self.urls = sandbox.endpoints[site]
        self.http = httpx.Client(
            transport=ByAddress(httpx.HTTPTransport(**PLAIN)), **PLAIN, timeout=10
        )
        self.token_path = V1

    @property
    def redirect_uri(self) -> str:
        """Return the first registered redirect URI."""
        return self.client.redirect_uris[0]

    def parameters(self, **changes: str | None) -> dict[str, str]:
        """Return a good authorization request, with changes; None leaves one out."""
        wanted = {
            "client_id": self.client.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "state": "the-state",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in wanted.items() if value is not None}

    def ask(self, **changes: str | None) -> httpx.Response:
        """Open the authorize address."""
        url = f"{self.urls['app_url']}/oauth2/v1/authorize"
        return self.http.get(url, params=self.parameters(**changes))

    def submit(self, page: httpx.Response, form: dict[str, Any], **extra: str) -> httpx.Response:
        """Send a form of a page as a browser does."""
        url = urljoin(str(page.url), form["action"])
        return self.http.post(url, data={**form["fields"], **extra})

    def decide(self, page: httpx.Response, decision: str = "approve") -> httpx.Response:
        """Press a button of the consent page, without parsing its list of scopes."""
        assert page.status_code == 200, page.text
        _, form, inside = page.text.partition("<form ")
        return self.submit(page, Forms(form + inside).forms[0], decision=decision)

    def callback(self, decision: str = "approve", **changes: str | None) -> dict[str, str]:
        """Go through consent and return the redirect's parameters."""
        answer = self.decide(self.ask(**changes), decision)
        assert answer.status_code == 303, answer.text
        return told(answer)

    def post_token(self, **fields: str | None) -> httpx.Response:
        """Post to the token endpoint with the client's credentials."""
        wanted = {
            "client_id": self.client.client_id,
            "client_secret": self.client.client_secret,
            **fields,
        }
        data = {name: value for name, value in wanted.items() if value is not None}
        return self.http.post(f"{self.urls['api_url']}{self.token_path}", data=data)

    def exchange(self, code: str | None, **changes: str | None) -> httpx.Response:
        """Exchange a code as it should be, with changes."""
        fields: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": VERIFIER,
        }
        return self.post_token(**{**fields, **changes})

    def refresh(self, token: str | None, **changes: str | None) -> httpx.Response:
        """Use a refresh token as it should be, with changes."""
        fields: dict[str, str | None] = {"grant_type": "refresh_token", "refresh_token": token}
        return self.post_token(**{**fields, **changes})

    def revoke(self, **fields: str | None) -> httpx.Response:
        """Post to the revoke endpoint with the client's credentials."""
        wanted = {
            "client_id": self.client.client_id,
            "client_secret": self.client.client_secret,
            **fields,
        }
        data = {name: value for name, value in wanted.items() if value is not None}
        return self.http.post(f"{self.urls['api_url']}/oauth2/v1/revoke", data=data)

    def tokens(self, **changes: str | None) -> dict[str, Any]:
        """Go through the whole flow and return the token response."""
        answer = self.exchange(self.callback(**changes)["code"])
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def call(
        self,
        path: str,
        *,
        token: str | None = None,
        key: str | None = None,
        host: str = "api_url",
        **options: Any,
    ) -> httpx.Response:
        """Call the API, by GET unless a body or a method is given."""
        headers = dict(options.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if key is not None:
            headers["DD-API-KEY"] = key
        posts = {"json", "content", "data"} & options.keys()
        method = options.pop("method", "POST" if posts else "GET")
        return self.http.request(method, f"{self.urls[host]}{path}", headers=headers, **options)

    def make_key(self, token: str | None = None) -> httpx.Response:
        """Ask for the marketplace key."""
        token = token or self.tokens()["access_token"]
        return self.call("/api/v2/api_keys/marketplace", token=token, method="POST")

    def key(self) -> str:
        """Make the marketplace key and return its value."""
        value: str = self.make_key().json()["data"]["attributes"]["key"]
        return value

    def page(self, path: str) -> httpx.Response:
        """Open a page of the application."""
        return self.http.get(f"{self.urls['app_url']}/{path}")


def told(answer: httpx.Response | str) -> dict[str, str]:
    """Return the parameters of a redirect, given the response or its address."""
    location = answer if isinstance(answer, str) else answer.headers["location"]
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    """Close what a test opened."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def in_process() -> bool:
    """Say whether the sandbox does without sockets; a module may ask for both."""
    return False


@pytest.fixture
def make_sandbox(stack: contextlib.ExitStack, *, in_process: bool) -> Callable[..., Sandbox]:
    """Start a sandbox with options."""

    def make(**options: Any) -> Sandbox:
        sandbox = stack.enter_context(Sandbox(in_process=in_process, **options))
        if in_process:
            serve(sandbox.base_url, sandbox.answer)
            stack.callback(withdraw, sandbox.base_url)
        return sandbox

    return make


@pytest.fixture
def make_partner(stack: contextlib.ExitStack) -> Callable[..., Partner]:
    """Bring a partner and a browser to a site."""

    def make(sandbox: Sandbox, site: str = "us1", *, client: Client | None = None) -> Partner:
        partner = Partner(sandbox, site, client=client)
        stack.callback(partner.http.close)
        return partner

    return make


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """Return a sandbox that responds like Datadog."""
    return make_sandbox()


@pytest.fixture
def partner(sandbox: Sandbox, make_partner: Callable[..., Partner]) -> Partner:
    """Give the published client's partner at US1."""
    return make_partner(sandbox)


@pytest.fixture(scope="module")
def shared() -> Iterator[Partner]:
    """Give one partner at US1 for a whole module, whose tests leave nothing behind."""
    with Sandbox() as sandbox:
        partner = Partner(sandbox, "us1")
        yield partner
        partner.http.close()


@pytest.fixture
def find_form() -> Callable[..., dict[str, Any]]:
    """Find a form on a page by its action."""
    return form_to


@pytest.fixture
def read_forms() -> Callable[[str], Forms]:
    """Read forms and links of a page."""
    return Forms


@pytest.fixture
def read_redirect() -> Callable[[httpx.Response], dict[str, str]]:
    """Read the parameters of a redirect."""
    return told


@pytest.fixture
def ask(partner: Partner) -> Callable[..., httpx.Response]:
    """Call the API with a token that may do everything: method, path, and a body if any."""
    token = partner.tokens()["access_token"]

    def call(method: str, path: str, body: object = None, **options: Any) -> httpx.Response:
        if body is not None:
            options["json"] = body
        return partner.call(path, token=token, method=method, **options)

    return call

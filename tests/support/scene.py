"""Connect the kit's client to a sandbox, step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ddoauth_kit import DATADOG_SITES, ClientRegistration, Endpoints, OAuthClient, Secret
from ddoauth_kit.api.refusals import refuse_failure
from ddoauth_kit.oauth.tokens import current_user_request
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent

if TYPE_CHECKING:
    from ddoauth_kit import AuthorizationRequest, AuthorizationResponse, Http, TokenSet
    from ddoauth_kit.sandbox import Client, Sandbox


class Scene:
    """A sandbox and a client bound to it; each step can be taken separately."""

    def __init__(self, sandbox: Sandbox, http: Http) -> None:
        self.sandbox = sandbox
        self.http = http
        self.oauth = self.client_of(sandbox.client)

    def client_of(self, client: Client) -> OAuthClient:
        """Return the kit's client for one of the sandbox's."""
        hosts = {
            name: Endpoints(**{k: v for k, v in urls.items() if k != "domain"})
            for name, urls in self.sandbox.endpoints.items()
        }
        registered = ClientRegistration(
            client_id=client.client_id,
            client_secret=Secret(client.client_secret, label="client_secret"),
            name=client.name,
            sites=client.sites,
            scopes=client.scopes,
            redirect_uris=client.redirect_uris,
        )
        return OAuthClient(
            registered, sites=DATADOG_SITES.at(hosts), http=self.http, clock=self.sandbox.clock.now
        )

    def begin(self, **choices: Any) -> AuthorizationRequest:
        """Start an attempt as if from the tile of an organization on US1."""
        return self.oauth.begin(domain="datadoghq.com", **choices, session="s")

    def response(self) -> AuthorizationResponse:
        """Go through consent."""
        return self.oauth.receive(visit_consent(self.begin()), session="s")

    def tokens(self, **choices: Any) -> TokenSet:
        """Go through consent and exchange."""
        return self.oauth.complete(visit_consent(self.begin(**choices)), session="s")

    def exchange(self, **changes: Any) -> TokenSet:
        """Exchange the code with something changed in the request."""
        response = self.response()
        request = replace(response.request, **changes)
        return self.oauth.exchange(replace(response, request=request))

    def listen_at(self, origin: str, *, callback: str = "/oauth/callback") -> None:
        """Register only an origin's redirect URI and onboarding URL."""
        uri, onboarding = f"{origin}{callback}", f"{origin}/onboard"
        self.sandbox.add_redirect_uri(uri)
        self.sandbox.set_onboarding_url(onboarding)
        self.give(redirect_uris=(uri,), onboarding_url=onboarding)

    def give(self, **changes: Any) -> None:
        """Change the registration from now on."""
        self.oauth.registration = replace(self.oauth.registration, **changes)

    def whoami(self, tokens: TokenSet) -> None:
        """Make the one call that every valid token allows."""
        refuse_failure(self.http.send(current_user_request(tokens)))

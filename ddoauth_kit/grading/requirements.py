"""The requirements for a correct integration, each with its source and its fix.

`worst` is the worst verdict that a check can give. *Broken* needs a MUST in an RFC, a rule on a
Datadog page that the integration must follow to work at all, a security hole, or a server that
dies, loops or counts a failure as connected.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.results import Requirement, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENDPOINTS: Final = "Datadog: OAuth2 endpoints"
_OAUTH: Final = "Datadog: OAuth2 in Datadog"
_LISTING: Final = "Datadog: API-based integrations"
_LIMITS: Final = "Datadog: rate limits"
_APPS: Final = "Datadog: mobile and third-party access"
_PRACTICE: Final = "good practice"
_RISK: Final = Verdict.RISK
_BROKEN: Final = Verdict.BROKEN


REQUIREMENTS: Final[Mapping[str, Requirement]] = MappingProxyType(
    {
        each.id: each
        for each in (
            Requirement(
                "pkce-s256",
                "The authorization request has an S256 code challenge of 43 characters.",
                f"{_ENDPOINTS}; RFC 7636, section 4.2",
                _BROKEN,
                "Send code_challenge, the base64url SHA-256 of the verifier without padding, and "
                "code_challenge_method=S256.",
            ),
            Requirement(
                "challenge-fresh",
                "Each attempt has a new code challenge.",
                "RFC 7636, section 4.1",
                _BROKEN,
                "Create a new random verifier for each attempt, and store it with that attempt.",
            ),
            Requirement(
                "verifier-length",
                "The code verifier has 43 to 128 characters.",
                "RFC 7636, section 4.1",
                _BROKEN,
                "Use 32 random bytes in base64url, which are 43 characters.",
            ),
            Requirement(
                "state-sent",
                "The authorization request carries a state of 128 random bits or more.",
                "RFC 6749, section 10.12; RFC 9700, section 4.7",
                _BROKEN,
                "Send a new random state of at least 22 base64url characters with each attempt.",
            ),
            Requirement(
                "state-checked",
                "A redirect with another attempt's state gets no tokens.",
                "RFC 6749, section 10.12; RFC 9700, section 2.1",
                _BROKEN,
                "Compare the redirect's state with the one in this browser's session before "
                "anything else, and refuse the redirect if they differ.",
            ),
            Requirement(
                "state-required",
                "A redirect without a state gets no tokens.",
                "RFC 6749, section 10.12; RFC 9700, section 2.1",
                _BROKEN,
                "Refuse a redirect without a state.",
            ),
            Requirement(
                "state-once",
                "Opening a redirect again does not lead to a second exchange.",
                "RFC 6749, section 4.1.2",
                _BROKEN,
                "Delete the attempt before you exchange its code.",
            ),
            Requirement(
                "browser-bound",
                "A redirect that arrives in another browser gets no tokens.",
                "RFC 6749, section 10.12; RFC 9700, section 4.7",
                _BROKEN,
                "Bind the state and verifier to the session cookie of the browser that began the "
                "attempt.",
            ),
            Requirement(
                "duplicate-code",
                "A redirect that carries the code twice is refused.",
                "RFC 6749, section 3.1",
                _RISK,
                "Refuse a redirect in which a parameter occurs more than once.",
            ),
            Requirement(
                "domain-used",
                "The code is exchanged at the site that the redirect's domain names.",
                f"{_OAUTH}; {_ENDPOINTS}",
                _BROKEN,
                "Send the token request to https://api.<domain>, with the domain of this redirect "
                "looked up in your table of sites.",
            ),
            Requirement(
                "domain-allowed",
                "If a redirect names a foreign domain, no secret leaves the server.",
                "RFC 9700, section 4.4; RFC 6749, section 10.6",
                _BROKEN,
                "Check domain against a list of Datadog's sites, and refuse all others.",
            ),
            Requirement(
                "pair-consistent",
                "A redirect whose site and domain can't belong together is refused.",
                _PRACTICE,
                _RISK,
                "Check that site belongs to the same family as domain.",
            ),
            Requirement(
                "wrong-domain-named",
                "A refused exchange is tried at most once, and the page names the site as a "
                "possible cause.",
                _PRACTICE,
                _RISK,
                "Send a code once; on invalid_grant, say that the site may be a different one.",
            ),
            Requirement(
                "vanity",
                "A customer's subdomain is used only for the authorization page, never for "
                "tokens or the API.",
                _LISTING,
                _BROKEN,
                "Use site only for the authorization page; build API addresses from domain.",
            ),
            Requirement(
                "nine-sites",
                "Every registered site works, and an unknown region is refused with an "
                "explanation.",
                _OAUTH,
                _BROKEN,
                "Keep all of Datadog's sites in your table, and show a page for an unknown one.",
            ),
            Requirement(
                "token-host",
                "The token request goes to the API host.",
                _ENDPOINTS,
                _RISK,
                "Send it to https://api.<domain>, not to the app host.",
            ),
            Requirement(
                "token-endpoint",
                "The token request goes to the documented path.",
                _ENDPOINTS,
                _RISK,
                "Send it to /api/v2/oauth2/token.",
            ),
            Requirement(
                "secret-in-body",
                "The client authenticates in the form, not by HTTP Basic.",
                _ENDPOINTS,
                _RISK,
                "Send client_id and client_secret as form fields (client_secret_post).",
            ),
            Requirement(
                "nothing-in-query",
                "No URL that the server calls contains a secret, code verifier or token.",
                "RFC 6750, section 2.3; RFC 9700, section 4.3.2",
                _BROKEN,
                "Send credentials in the form or in the Authorization header.",
            ),
            Requirement(
                "form-type",
                "The token request is form-encoded.",
                "RFC 6749, section 4.1.3",
                _RISK,
                "Send Content-Type: application/x-www-form-urlencoded.",
            ),
            Requirement(
                "redirect-uri-same",
                "The exchange repeats the request's redirect URI, byte for byte.",
                "RFC 6749, section 4.1.3",
                _BROKEN,
                "Store the redirect URI with the attempt, and send it again with the code.",
            ),
            Requirement(
                "one-exchange",
                "A code is sent once, even after a 5xx, a slow answer or a truncated answer.",
                "RFC 6749, section 4.1.2",
                _RISK,
                "Turn off automatic retries for the token endpoint.",
            ),
            Requirement(
                "error-shape",
                "Errors from both token endpoints are recognized, and none is stored as a token.",
                f"RFC 6749, section 5.2; {_ENDPOINTS}",
                _BROKEN,
                "Accept an answer only if it contains an access_token, whatever its status.",
            ),
            Requirement(
                "bad-answer",
                "An answer that is HTML, empty or broken JSON leads to a page, not to a crash.",
                _PRACTICE,
                _BROKEN,
                "Catch parsing errors and connection errors, and show a page.",
            ),
            Requirement(
                "denied",
                "A customer who denies consent gets a page and is not connected.",
                "RFC 6749, section 4.1.2.1",
                _BROKEN,
                "Handle error=access_denied before you look for a code.",
            ),
            Requirement(
                "stranger",
                "A bare request to the redirect URI is refused with a 4xx.",
                _PRACTICE,
                _BROKEN,
                "Check that code and state are present before you use them.",
            ),
            Requirement(
                "error-escaped",
                "A page does not repeat markup from the redirect.",
                "hole: script injection",
                _BROKEN,
                "Escape error_description, or show your own text.",
            ),
            Requirement(
                "page-clean",
                "The last page shows no code, token or key, and is not stored.",
                "RFC 9700, section 4.2.4",
                _BROKEN,
                "Show what was connected, and send Cache-Control: no-store.",
            ),
            Requirement(
                "code-leaves-bar",
                "After the exchange the browser is at an address without the code.",
                "RFC 9700, section 4.2.4",
                _RISK,
                "Answer the redirect with a redirect to one of your own pages.",
            ),
            Requirement(
                "logs-clean",
                "The server's output contains no issued secret.",
                "RFC 9700, section 4.2; hole: secrets in logs",
                _BROKEN,
                "Log names and statuses, never bodies, query strings or headers.",
            ),
            Requirement(
                "scope-valid",
                "The scopes are known and separated by spaces.",
                "RFC 6749, section 3.3",
                _BROKEN,
                "Join the scope names with single spaces, or leave scope out.",
            ),
            Requirement(
                "scope-narrowed",
                "The server notices a grant with fewer scopes than requested.",
                "RFC 6749, section 5.1",
                _RISK,
                "Compare the answer's scope with the requested scopes, and say which are missing.",
                ("pages",),
            ),
            Requirement(
                "least-scope",
                "The server uses every scope that it requests.",
                _LISTING,
                _RISK,
                "Remove the scopes that none of your calls needs.",
                ("call",),
            ),
            Requirement(
                "key-once",
                "The API key is requested once and stored first.",
                _ENDPOINTS,
                _RISK,
                "Store the key before anything else, and use the stored one next time.",
            ),
            Requirement(
                "key-409",
                "If a key already exists, the page says so and explains what to do.",
                _LISTING,
                _BROKEN,
                "On 409, tell the customer to revoke the old key and to connect again.",
            ),
            Requirement(
                "data-credential",
                "Telemetry is sent with the API key, and the API is called with the token.",
                _LISTING,
                _BROKEN,
                "Use DD-API-KEY to send data, and Authorization: Bearer for everything else.",
                ("send",),
            ),
            Requirement(
                "data-site",
                "Data goes to the customer's own site.",
                _OAUTH,
                _BROKEN,
                "Store the site with the grant, and derive the hosts from it.",
                ("send",),
            ),
            Requirement(
                "refresh-site",
                "A refresh goes to the customer's own site.",
                _ENDPOINTS,
                _BROKEN,
                "Store the site with the grant, and refresh there.",
                ("refresh",),
            ),
            Requirement(
                "refresh-when-needed",
                "There is one refresh for each expiry.",
                "RFC 6749, section 6",
                _RISK,
                "Refresh shortly before the token expires (see expires_in), and keep the new "
                "access token.",
                ("call",),
            ),
            Requirement(
                "single-flight",
                "Concurrent calls share one refresh.",
                "RFC 9700, section 4.14.2",
                _BROKEN,
                "Let one worker refresh while the others wait for its result.",
                ("call",),
            ),
            Requirement(
                "refresh-keeps",
                "If the answer has no new refresh token, the server keeps the old one.",
                "RFC 6749, section 6",
                _BROKEN,
                "Replace the stored refresh token only if the answer contains one.",
                ("refresh",),
            ),
            Requirement(
                "refresh-rotated",
                "A new refresh token is stored before it is used, and a lost answer does not "
                "cause a loop.",
                "RFC 9700, section 4.14.2",
                _BROKEN,
                "Store the new refresh token before you use the new access token.",
                ("refresh",),
            ),
            Requirement(
                "refresh-refused",
                "After a refused refresh the server stops and asks the customer.",
                "RFC 6749, section 5.2",
                _BROKEN,
                "On invalid_grant, delete the grant and ask the customer to connect again.",
                ("refresh",),
            ),
            Requirement(
                "refresh-5xx",
                "A 5xx during a refresh counts as temporary and does not require a new consent.",
                _PRACTICE,
                _RISK,
                "Keep the grant after a 5xx, and try again later.",
                ("refresh",),
            ),
            Requirement(
                "401-once",
                "A 401 from the API leads to one refresh and one more call.",
                "RFC 6750, section 3.1",
                _RISK,
                "On 401, refresh once and repeat the call once.",
                ("call",),
            ),
            Requirement(
                "403-no-refresh",
                "A 403 from the API does not lead to a refresh.",
                "RFC 6750, section 3.1",
                _RISK,
                "Treat a 403 as a missing scope or permission, and say so.",
                ("call",),
            ),
            Requirement(
                "429-wait",
                "After a 429, the server waits as long as the answer says, up to a limit.",
                _LIMITS,
                _RISK,
                "Wait for the number of seconds in X-RateLimit-Reset, and retry at most a few "
                "times.",
                ("call",),
            ),
            Requirement(
                "timeout",
                "A slow or hanging answer leads to a page within a time limit.",
                _PRACTICE,
                _RISK,
                "Set a timeout for every request to Datadog, such as ten seconds.",
            ),
            Requirement(
                "revoke",
                "Disconnecting revokes the grant at Datadog, and the server reads the answer.",
                f"RFC 7009; {_ENDPOINTS}",
                _RISK,
                "Send the refresh token with client_id and client_secret to /oauth2/v1/revoke.",
                ("disconnect",),
            ),
            Requirement(
                "uninstall-noticed",
                "After the customer uninstalls the app, calls stop.",
                _LISTING,
                _RISK,
                "Treat a refused refresh as the end of the grant.",
                ("call",),
            ),
            Requirement(
                "scope-disabled",
                "After an administrator removes a scope, the server asks for consent again.",
                _APPS,
                _RISK,
                "Treat a refused refresh as the end of the grant, and compare scopes afterwards.",
                ("call",),
            ),
            Requirement(
                "client-id-own",
                "The token request has the server's own client id, not one from the redirect.",
                _PRACTICE,
                _RISK,
                "Take client_id from your settings.",
            ),
            Requirement(
                "login-required",
                "The onboarding URL and the redirect URI require the partner's own login.",
                _PRACTICE,
                _RISK,
                "Require your own login at both addresses.",
                ("login",),
            ),
            Requirement(
                "tls-verified",
                "A certificate from an unknown authority is refused.",
                "RFC 6749, section 3.2; RFC 9700, section 2.6",
                _BROKEN,
                "Keep certificate verification on.",
            ),
            Requirement(
                "post-not-redirected",
                "If the token endpoint redirects, the server does not send the secret there.",
                "RFC 9700, section 4.12",
                _RISK,
                "Do not follow redirects from the token endpoint.",
            ),
            Requirement(
                "grant-type",
                "The token endpoint receives only authorization_code and refresh_token.",
                _ENDPOINTS,
                _BROKEN,
                "Send grant_type=authorization_code, and grant_type=refresh_token.",
            ),
        )
    }
)

"""The rules that the sandbox follows, each with its evidence or the word "guess".

`ddoauth_kit/sandbox/README.md` shows the same list, and tests tie both to the code.
"""

from __future__ import annotations

from dataclasses import dataclass

DOCS_ENDPOINTS = "Datadog docs: oauth2_endpoints"
DOCS_OAUTH = "Datadog docs: oauth2_in_datadog"
DOCS_INTEGRATION = "Datadog docs: api_integration"
DOCS_CASES = "Datadog docs: case management, projects"
DOCS_SITES = "Datadog docs: getting started, sites"
DOCS_LIMITS = "Datadog docs: rate limits"
DOCS_SCOPES = "Datadog docs: mobile and third-party access"
PUP = "DataDog/pup, source"
SPEC = "Datadog's OpenAPI description"
RECORDED = "recorded response of the official client"
PARTNER = "a public program of a partner"
GUESS = "guess"
OWN = "the sandbox's own rule"
STRICTER = "stricter than Datadog is known to be"


@dataclass(frozen=True)
class Behaviour:
    """One rule: its id, what it does, and the evidence that Datadog does the same."""

    id: str
    summary: str
    evidence: str


_SITES = (
    Behaviour("nine-sites", "Nine sites share one port, and each has its own hosts.", DOCS_SITES),
    Behaviour("unknown-path", "A path that the host does not serve gets 404.", OWN),
    Behaviour("wrong-method", "A served path with another method gets 405.", OWN),
    Behaviour("body-limit", "A body over 5 MB gets 413, compressed or not.", SPEC),
    Behaviour(
        "foreign-host", "A Host header with another name or port gets 421.", "RFC 9110 15.5.20"
    ),
    Behaviour(
        "foreign-page",
        "A request from a page of another origin gets 403, unless it is a GET.",
        "W3C Fetch Metadata",
    ),
    Behaviour(
        "control-key",
        ("A program with the key can join and gets a client; without the key, it gets 404."),
        OWN,
    ),
    Behaviour("control-proof", "The sandbox proves to a program that it knows the key.", OWN),
    Behaviour("control-refused", "Without the control key, /control/ answers 401.", OWN),
    Behaviour(
        "live-link-once",
        "A link to the live view works only once, for the browser that opens it.",
        OWN,
    ),
    Behaviour("loopback-only", "The sandbox listens only on loopback.", OWN),
    Behaviour("deterministic", "The same seed and the same requests give the same ids.", OWN),
    Behaviour(
        "marked-credentials", "Every secret that the sandbox issues starts with sandbox-.", OWN
    ),
    Behaviour(
        "rehearsal-region",
        "There is a tenth region, rehearsal1.datadoghq.com, that the customer can choose.",
        OWN,
    ),
    Behaviour(
        "orgs-come-and-go",
        "Organizations can be created and removed while the sandbox is running.",
        OWN,
    ),
    Behaviour(
        "two-orgs", "Each site has two orgs, one with a vanity subdomain.", "DataDog/pup issue 550"
    ),
    Behaviour(
        "vanity-names-site",
        ("The vanity subdomain of each site's org contains the site's name."),
        OWN,
    ),
    Behaviour("sign-in-once", "A link from the control interface signs in only one browser.", OWN),
)
_AUTHORIZE = (
    Behaviour(
        "authorize-duplicate-parameter",
        "A repeated parameter gets an error page.",
        "RFC 6749 3.1",
    ),
    Behaviour("authorize-unknown-client", "An unknown client gets an error page.", DOCS_ENDPOINTS),
    Behaviour(
        "authorize-private-client",
        "A private client gets an error page in every org except its own.",
        DOCS_INTEGRATION,
    ),
    Behaviour(
        "authorize-disabled-app",
        "An app that the org has disabled gets an error page until it is enabled.",
        DOCS_SCOPES,
    ),
    Behaviour(
        "authorize-redirect-uri",
        "A redirect URI that does not match a registered one byte for byte gets an error page.",
        DOCS_ENDPOINTS,
    ),
    Behaviour(
        "authorize-response-type",
        "A response type other than code is refused by redirect.",
        "RFC 6749 4.1.2.1",
    ),
    Behaviour(
        "authorize-pkce-required",
        "A missing code challenge is refused by redirect.",
        DOCS_ENDPOINTS,
    ),
    Behaviour(
        "authorize-s256-only", "A challenge method other than S256 is refused.", DOCS_ENDPOINTS
    ),
    Behaviour(
        "authorize-challenge-shape",
        "A challenge that is not 43 characters of base64url is refused.",
        "RFC 7636 4.2",
    ),
    Behaviour(
        "authorize-unknown-scope",
        "One scope that the client lacks makes the whole request fail.",
        "DataDog/pup issue 657",
    ),
    Behaviour(
        "authorize-default-scopes",
        ("Without scope, the client's registered scopes are used."),
        PARTNER,
    ),
    Behaviour("authorize-org", "The parameter dd_oid selects the org.", PUP),
    Behaviour(
        "consent-page", "The consent page names the app, the org and each scope.", DOCS_OAUTH
    ),
    Behaviour(
        "consent-headers", ("The consent page can't be framed, stored or shared."), "RFC 9700 4.16"
    ),
    Behaviour("form-csrf", "A form without the session's token gets 403.", "RFC 9700 4.7"),
    Behaviour("consent-once", "A consent request can be answered only once.", GUESS),
    Behaviour("consent-decision", "A decision other than approve or deny gets 400.", GUESS),
    Behaviour(
        "consent-region",
        "The customer may choose another region; code and domain then belong to that region.",
        "DataDog/pup issue 198",
    ),
    Behaviour("consent-scopes-blocked", "If all scopes are blocked, consent fails.", GUESS),
    Behaviour("consent-denied", "Denying consent redirects with access_denied.", DOCS_ENDPOINTS),
    Behaviour(
        "redirect-parameters",
        "The redirect has code, state, domain, site, client_id, dd_oid and dd_org_name.",
        PARTNER,
    ),
    Behaviour("redirect-see-other", "Redirects after a form are 303, never 307.", "RFC 9700 4.12"),
    Behaviour(
        "vanity-site",
        "A vanity subdomain appears in site, not in domain.",
        "DataDog/pup issue 550",
    ),
)
_TOKENS = (
    Behaviour("token-answer", "Tokens come with expires_in 3600 and scope.", DOCS_ENDPOINTS),
    Behaviour("token-no-store", "Token responses forbid caching.", "RFC 6749 5.1"),
    Behaviour(
        "token-v2",
        "At /api/v2/oauth2/token, errors follow RFC 6749, 5.2.",
        DOCS_ENDPOINTS,
    ),
    Behaviour(
        "token-errors",
        "At /oauth2/v1/token, errors are a list of strings like code - text.",
        "DataDog/pup issue 198",
    ),
    Behaviour("token-v1-gone", "A switch turns off /oauth2/v1/token, which then gets 404.", OWN),
    Behaviour("token-app-host", "The app host has no token endpoint and gets 404.", STRICTER),
    Behaviour(
        "token-content-type",
        ("A body that is neither a form nor JSON counts as a wrong code."),
        DOCS_INTEGRATION,
    ),
    Behaviour("token-json-body", "A JSON body is accepted if it is flat.", DOCS_INTEGRATION),
    Behaviour("token-duplicate-field", "A repeated field is refused.", "RFC 6749 3.2"),
    Behaviour("token-grant-type", "Other grant types are refused with 400.", GUESS),
    Behaviour("token-missing-secret", "A missing secret gets 401.", DOCS_ENDPOINTS),
    Behaviour("token-wrong-secret", "A wrong secret gets 400.", GUESS),
    Behaviour("token-unknown-client", "An unknown client gets 400.", GUESS),
    Behaviour(
        "token-basic",
        ("HTTP Basic gets 401, which does not use up the code; a switch allows it."),
        GUESS,
    ),
    Behaviour(
        "token-two-methods",
        ("HTTP Basic together with a secret in the body is refused."),
        "RFC 6749 2.3",
    ),
    Behaviour("token-code-unknown", "An unknown code is refused.", "DataDog/pup issue 198"),
    Behaviour("token-code-expiry", "A code expires after ten minutes.", "RFC 6749 4.1.2"),
    Behaviour(
        "token-code-other-site",
        "A code from another site is refused and still works at its own site.",
        "DataDog/pup issue 550",
    ),
    Behaviour(
        "token-code-other-client",
        "A code that belongs to another client is refused.",
        "RFC 6749 4.1.3",
    ),
    Behaviour("token-code-redirect-uri", "A different redirect URI is refused.", "RFC 6749 4.1.3"),
    Behaviour("token-code-verifier", "A verifier must match the challenge.", "RFC 7636 4.6"),
    Behaviour(
        "token-verifier-length",
        "A verifier of fewer than 43 characters is refused, even if it matches.",
        STRICTER,
    ),
    Behaviour("token-code-burned", "Any attempt by its own client uses up a code.", GUESS),
    Behaviour("token-code-reuse", "Using a code a second time ends its grant.", "RFC 6749 4.1.2"),
    Behaviour("refresh-kept", "A refresh keeps the refresh token and old access tokens.", GUESS),
    Behaviour(
        "refresh-refused", "An unknown refresh token gets 400.", "a public test of a partner"
    ),
    Behaviour("refresh-other-site", "A refresh token from another site is refused.", GUESS),
    Behaviour(
        "refresh-reuse",
        "With the rotation switch, using a replaced refresh token ends its grant.",
        "RFC 9700 4.14.2",
    ),
    Behaviour("refresh-lasting", "A refresh token does not expire.", DOCS_ENDPOINTS),
    Behaviour("revoke-answer", "Revoking returns 200 without a body.", DOCS_ENDPOINTS),
    Behaviour(
        "revoke-content-type",
        ("A body that is neither a form nor JSON gets a 400 with this reason."),
        GUESS,
    ),
    Behaviour("revoke-unknown", "Revoking an unknown token returns 200.", DOCS_ENDPOINTS),
    Behaviour("revoke-missing-token", "Revoking without a token gets 400.", DOCS_ENDPOINTS),
    Behaviour("revoke-grant", "Revoking one token ends the whole grant.", GUESS),
    Behaviour(
        "revoke-foreign", "A token that belongs to another client stays valid.", "RFC 7009 2.1"
    ),
)
_API = (
    Behaviour(
        "api-key-created", "Creating the marketplace key gets 201 with the key's value.", PARTNER
    ),
    Behaviour("api-key-name", "The key's name contains the client's name and id.", PARTNER),
    Behaviour("api-key-once", "Creating a client's second key in an org gets 409.", PARTNER),
    Behaviour(
        "api-key-again",
        ("After the customer revokes the key, the client can create a new one."),
        DOCS_INTEGRATION,
    ),
    Behaviour("bearer-missing", "A call without a bearer token gets 401.", "DataDog/pup issue 521"),
    Behaviour(
        "bearer-key-instead",
        "A call with an API key and no bearer token gets 403.",
        "a public partner program",
    ),
    Behaviour(
        "bearer-invalid", ("An expired or revoked bearer token gets 401."), "DataDog/pup issue 521"
    ),
    Behaviour("bearer-other-site", "A bearer token from another site gets 401.", GUESS),
    Behaviour(
        "bearer-without-oauth",
        ("Some endpoints return 401 even for valid tokens."),
        "DataDog/pup issue 608",
    ),
    Behaviour("scope-missing", "A call without its scope gets 403.", "DataDog/pup issue 635"),
    Behaviour(
        "user-permissions",
        "A scope has no effect if the authorizing user lacks its permission.",
        "DataDog/pup issue 635",
    ),
    Behaviour("key-missing", "An operation that needs a key gets 403 without one.", RECORDED),
    Behaviour(
        "key-invalid",
        ("A wrong or revoked key, or one from another site, gets 403."),
        DOCS_INTEGRATION,
    ),
    Behaviour("header-only", "Credentials in the query are ignored.", "RFC 9700 4.3.2"),
    Behaviour("rate-limit-headers", "Each API response has five X-RateLimit headers.", DOCS_LIMITS),
    Behaviour("rate-limit-reached", "Too many calls get 429 without Retry-After.", RECORDED),
    Behaviour("check-order", "Scopes are checked before content.", GUESS),
    Behaviour("validate-key", "A valid key is reported as valid.", RECORDED),
    Behaviour("validate-key-owner", "The v2 endpoint names the org and the key.", SPEC),
    Behaviour(
        "validate-bearer",
        "validate_keys accepts any valid bearer token, without a scope.",
        "Datadog's Terraform provider, pull 3757",
    ),
    Behaviour("permissions-scopes", "With include_scopes, scopes are also listed.", SPEC),
    Behaviour("last-exercised", "Authorized clients show when they were last used.", SPEC),
    Behaviour(
        "authorizations-ended",
        "PATCH of an authorized client disables or enables it; DELETE ends its authorizations.",
        SPEC,
    ),
    Behaviour(
        "unserved", ("Six operations in the description are not served; a table lists them."), OWN
    ),
    Behaviour("intake-answers", "Intake endpoints return 202 with the recorded bodies.", RECORDED),
    Behaviour("malformed-request", "A malformed body or parameter gets 400.", RECORDED),
    Behaviour("malformed-log", "A malformed log gets 400 in the intake's format.", SPEC),
    Behaviour(
        "event-too-old", "An event older than 18 hours gets a 400 with plain text.", RECORDED
    ),
    Behaviour("read-back", "Data sent to an org can be read back.", SPEC),
    Behaviour("sample-telemetry", "An org that has not received any data lists a sample.", OWN),
    Behaviour("org-apart", "Orgs don't see each other's data or keys.", GUESS),
    Behaviour("monitor-not-found", "An unknown monitor gets 404.", RECORDED),
    Behaviour(
        "keys-closed", ("A bearer token can list keys but not manage them."), "DataDog/pup pull 47"
    ),
    Behaviour(
        "described-kinds",
        ("Everything that the description lets a client create is stored and can be read back."),
        SPEC,
    ),
    Behaviour("described-settings", "Written settings can be read back.", SPEC),
    Behaviour(
        "described-members",
        "Calls that add, remove, create or delete many at once change what a listing shows.",
        SPEC,
    ),
    Behaviour("makers", "A new resource links to the user behind the token.", RECORDED),
    Behaviour("includes", "A response includes linked resources that are stored.", RECORDED),
    Behaviour("malformed-id", "An id that does not have the described format gets 400.", RECORDED),
    Behaviour(
        "id-mismatch", "A body whose id differs from the one in the address gets 422.", RECORDED
    ),
    Behaviour(
        "id-taken", "A chosen id or another unique value that is already taken gets 409.", RECORDED
    ),
    Behaviour("spec-answers", "Operations without a store answer as the spec describes.", SPEC),
    Behaviour(
        "listings-filled",
        "Every listing contains at least one item; only lists of members may be empty.",
        OWN,
    ),
    Behaviour("nothing-kept", "Writes without a store are checked but store nothing.", OWN),
    Behaviour("query-required", "A missing required query parameter gets 400.", GUESS),
    Behaviour("body-required", "A body that lacks a required field gets 400.", GUESS),
    Behaviour("unknown-id", "An id that does not appear in any response gets 404.", GUESS),
    Behaviour(
        "product-missing", ("If a site lacks a product, the product's operations get 404."), GUESS
    ),
    Behaviour("error-shapes", "Errors have four formats, depending on the product.", RECORDED),
)
_PAGES = (
    Behaviour(
        "connect-accounts", "The tile sends site and domain to the partner.", DOCS_INTEGRATION
    ),
    Behaviour("test-authorization", "Test Authorization sends them, too.", DOCS_INTEGRATION),
    Behaviour(
        "publish", "Publishing creates credentials that are shown only once.", DOCS_INTEGRATION
    ),
    Behaviour("import-site", "An imported client has its own credentials.", "older Datadog docs"),
    Behaviour(
        "api-keys-page",
        ("Keys are listed by name and last four characters and can be revoked."),
        DOCS_INTEGRATION,
    ),
    Behaviour(
        "authorized-apps",
        "A customer can revoke one grant or disable the app.",
        "Datadog docs: app access",
    ),
    Behaviour("uninstall", "Uninstalling ends the grants, but the keys remain.", DOCS_INTEGRATION),
    Behaviour(
        "scope-blocked",
        "If an administrator removes a scope, authorizations that include it end.",
        DOCS_SCOPES,
    ),
    Behaviour(
        "scopes-new",
        "Scopes that an app requests later are allowed, or blocked until an administrator "
        "allows them.",
        DOCS_SCOPES,
    ),
    Behaviour("scopes-narrowed", "Users authorize the app for the remaining scopes.", DOCS_SCOPES),
    Behaviour(
        "page-permission", "The page that manages apps requires its own permissions.", DOCS_SCOPES
    ),
    Behaviour("page-unknown-scope", "Naming a scope that the app does not have gets 400.", OWN),
    Behaviour("page-on-or-off", "A switch accepts only on or off.", OWN),
    Behaviour(
        "tile-permissions",
        "The tile requires every permission behind the app's scopes.",
        DOCS_OAUTH,
    ),
    Behaviour("switch-org", "A browser is signed in to one org of a site at a time.", OWN),
    Behaviour("page-unknown-app", "A form for an app that is not offered gets 404.", OWN),
    Behaviour("page-unknown-site", "An import that does not name another site gets 400.", OWN),
)

_RESOURCES = (
    Behaviour(
        "resource-kept", ("Objects are created, listed, read, changed and deleted, per org."), SPEC
    ),
    Behaviour(
        "resource-unknown", ("An unknown id gets 404, with the message of its service."), RECORDED
    ),
    Behaviour("resource-invalid", "A missing or invalid field in a body gets 400.", SPEC),
    Behaviour("resource-samples", "Each listing contains a sample from the start.", OWN),
    Behaviour("resource-bound", "An org keeps the newest thousand objects of each kind.", OWN),
    Behaviour("resource-guard", "A refused write changes nothing.", OWN),
    Behaviour("monitor-query", "An alert whose query has no comparison gets 400.", RECORDED),
    Behaviour(
        "downtime-cancelled",
        "A cancelled downtime disappears instead of being shown as canceled.",
        OWN,
    ),
    Behaviour(
        "case-archived", "Cases are archived, and are deleted only with their project.", DOCS_CASES
    ),
    Behaviour("default-type-stays", "The default incident type can't be deleted.", RECORDED),
    Behaviour("team-unique", "A team name or handle that is already taken gets 409.", RECORDED),
    Behaviour("webhook-unknown", "An unknown webhook gets 404, once recorded as 400.", SPEC),
)

BEHAVIOURS: tuple[Behaviour, ...] = (
    *_SITES,
    *_AUTHORIZE,
    *_TOKENS,
    *_API,
    *_RESOURCES,
    *_PAGES,
)

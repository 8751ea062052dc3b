"""The rules of `ddoauth check`, each with its severity and source.

`.github/CHECKS.md` shows the same list. A rule is a *must* only if every integration that Datadog
has accepted with OAuth follows it, or if the Datadog page that this project implements requires it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

PAGE: Final = "Datadog docs: OAuth for integrations"
PLATFORM: Final = "Datadog docs: API integrations"
DDEV_README: Final = "ddev: validate readmes"
DDEV_MANIFEST: Final = "ddev: manifest validator"
DDEV_IMMUTABLE: Final = "ddev: immutable attributes"
ALL_MANIFESTS: Final = "integrations-extras: all 262 manifests"
ALL_CLIENTS: Final = "integrations-extras: all 37 OAuth clients"
SCOPE_LISTS: Final = "Datadog's OpenAPI description; one bad scope makes the request fail"
OWN: Final = "this check"


class Severity(StrEnum):
    """How serious a finding is: it blocks publication, may draw a review comment, or is a hint."""

    MUST = "must"
    SHOULD = "should"
    ADVICE = "advice"


MUST, SHOULD, ADVICE = Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, as a sentence; `source` tells where the rule comes from."""

    id: str
    severity: Severity
    what: str
    source: str


_README: Final = (
    Rule("readme-missing", MUST, "The folder has a README.md.", PAGE),
    Rule("readme-unreadable", MUST, "The README is UTF-8 text of at most 256 KiB.", OWN),
    Rule(
        "readme-uninstallation",
        MUST,
        "The README has a heading `Uninstallation`, at level 2 or 3.",
        f"{PAGE}; 34 of 37 accepted ones have it",
    ),
    Rule(
        "readme-uninstallation-place",
        MUST,
        "The heading `Uninstallation` comes after `Setup`.",
        PAGE,
    ),
    Rule(
        "readme-uninstallation-twice",
        SHOULD,
        "There is only one heading `Uninstallation`, so that the anchor is unambiguous.",
        OWN,
    ),
    Rule("readme-uninstallation-empty", SHOULD, "The section `Uninstallation` is not empty.", PAGE),
    Rule(
        "readme-uninstallation-paragraph",
        ADVICE,
        "The section `Uninstallation` starts with a paragraph, not a list.",
        f"{DDEV_README} (marketplace)",
    ),
    Rule(
        "readme-revoked",
        SHOULD,
        "The section says that previous authorizations are revoked.",
        PAGE,
    ),
    Rule(
        "readme-api-keys",
        SHOULD,
        "The section says to search for the integration's name and to disable the API keys found.",
        PAGE,
    ),
    Rule("readme-overview", SHOULD, "The README has a heading `Overview`.", DDEV_README),
    Rule("readme-overview-empty", SHOULD, "The section `Overview` is not empty.", DDEV_README),
    Rule("readme-setup", SHOULD, "The README has a heading `Setup`.", DDEV_README),
    Rule("readme-setup-empty", SHOULD, "The section `Setup` is not empty.", DDEV_README),
    Rule(
        "readme-heading-level",
        SHOULD,
        "The headings `Overview` and `Setup` are at level 2.",
        DDEV_README,
    ),
    Rule(
        "readme-image-host",
        SHOULD,
        "Images are in `images/` or at raw.githubusercontent.com/DataDog/.",
        DDEV_README,
    ),
    Rule(
        "readme-image-missing", SHOULD, "Local images that the README shows are in the folder.", OWN
    ),
    Rule(
        "readme-characters",
        SHOULD,
        "The README has no character above U+0100.",
        f"{DDEV_README} (all but marketplace)",
    ),
)
_MANIFEST: Final = (
    Rule("manifest-missing", MUST, "The folder has a manifest.json.", PAGE),
    Rule("manifest-unreadable", MUST, "The manifest is UTF-8 text of at most 256 KiB.", OWN),
    Rule("manifest-json", MUST, "The manifest is one JSON object.", "RFC 8259"),
    Rule("manifest-version", MUST, "`manifest_version` is 2.0.0.", ALL_MANIFESTS),
    Rule("manifest-duplicate-key", SHOULD, "No key occurs twice.", "RFC 8259 section 4"),
    Rule(
        "manifest-fields",
        SHOULD,
        ("The manifest has the fields that every manifest needs."),
        ALL_MANIFESTS,
    ),
    Rule("manifest-app-uuid", MUST, "The manifest has an `app_uuid`.", ALL_MANIFESTS),
    Rule("manifest-app-uuid-format", SHOULD, "`app_uuid` is a UUID.", ALL_MANIFESTS),
    Rule(
        "manifest-app-uuid-changed",
        MUST,
        "An existing integration keeps its `app_uuid`.",
        DDEV_IMMUTABLE,
    ),
    Rule(
        "manifest-uninstallation",
        MUST,
        "`tile` has the field `uninstallation`.",
        f"{PAGE}; 30 of 37 accepted ones have it",
    ),
    Rule(
        "manifest-uninstallation-anchor",
        MUST,
        "`tile.uninstallation` points to the README's heading.",
        "integrations-extras: all 45 manifests with the field",
    ),
    Rule(
        "manifest-uninstallation-place",
        ADVICE,
        "`uninstallation` is next to `support`.",
        f"{PAGE}: after it; integrations-extras: 34 of 45 before it, 10 after it",
    ),
    Rule(
        "manifest-anchor",
        ADVICE,
        "Other fields that point into the README point to an existing heading.",
        OWN,
    ),
    Rule(
        "manifest-description",
        SHOULD,
        "`tile.description` has 1 to 80 characters (marketplace: 70).",
        DDEV_MANIFEST,
    ),
    Rule("manifest-media-count", SHOULD, "`tile.media` has at most 8 entries.", DDEV_MANIFEST),
    Rule("manifest-media-videos", SHOULD, "`tile.media` has at most 1 video.", DDEV_MANIFEST),
    Rule("manifest-media-format", SHOULD, "Images are .png or .jpg.", DDEV_MANIFEST),
    Rule(
        "manifest-media-size", SHOULD, "Images are no larger than 1,000,000 bytes.", DDEV_MANIFEST
    ),
    Rule("manifest-media-caption", SHOULD, "Captions are 1 to 300 characters long.", DDEV_MANIFEST),
    Rule(
        "manifest-file-missing", SHOULD, "All files that the manifest names exist.", DDEV_MANIFEST
    ),
    Rule(
        "manifest-public-website",
        SHOULD,
        "`display_on_public_website` is true or false.",
        DDEV_MANIFEST,
    ),
    Rule("manifest-support-email", SHOULD, "`author.support_email` is ASCII.", DDEV_MANIFEST),
    Rule(
        "manifest-oauth",
        MUST,
        "`assets.oauth` names the OAuth client file, if there is one.",
        f"{PAGE}; {ALL_CLIENTS}",
    ),
    Rule(
        "manifest-oauth-file",
        MUST,
        "The file that `assets.oauth` names is in the folder.",
        ALL_CLIENTS,
    ),
)
_CLIENT: Final = (
    Rule(
        "oauth-missing",
        SHOULD,
        "The folder has the OAuth client file, assets/oauth_clients.json.",
        PAGE,
    ),
    Rule("oauth-unreadable", MUST, "That file is UTF-8 text of at most 256 KiB.", OWN),
    Rule("oauth-json", MUST, "That file is JSON with an object `integration`.", ALL_CLIENTS),
    Rule(
        "oauth-fields",
        MUST,
        "The client has id, name, onboarding URL, redirect URIs and a list of scopes.",
        ALL_CLIENTS,
    ),
    Rule(
        "oauth-client-role",
        MUST,
        "`client_role` is `integration`, the confidential client of an integration.",
        ALL_CLIENTS,
    ),
    Rule("oauth-secret", MUST, "The file contains no secret.", "RFC 6749 section 2.3.1"),
    Rule(
        "oauth-redirect-uri",
        MUST,
        "Each redirect URI is an absolute https URI without a fragment.",
        f"{ALL_CLIENTS}; RFC 6749 section 3.1.2",
    ),
    Rule(
        "oauth-redirect-loopback",
        MUST,
        "No redirect URI is on the user's own machine.",
        f"{PLATFORM}; {ALL_CLIENTS}",
    ),
    Rule(
        "oauth-redirect-test-host",
        SHOULD,
        "No redirect URI looks like a test address.",
        PLATFORM,
    ),
    Rule(
        "oauth-one-domain",
        ADVICE,
        "All redirect URIs have the same host.",
        f"{PLATFORM}; 13 of 37 OAuth clients have more",
    ),
    Rule(
        "oauth-onboarding-url",
        MUST,
        "The onboarding URL is a public https URL.",
        "Datadog docs: OAuth2 in Datadog",
    ),
    Rule("oauth-duplicates", SHOULD, "No redirect URI or scope occurs twice.", OWN),
    Rule("oauth-scopes-empty", SHOULD, "The client requests at least one scope.", ALL_CLIENTS),
    Rule("oauth-scope-unknown", SHOULD, "Each scope is known.", SCOPE_LISTS),
    Rule("oauth-scope-unused", SHOULD, "Each scope is used.", f"{PAGE}; RFC 9700 section 2.3"),
    Rule("oauth-scope-refused", SHOULD, "No scope's probe failed or was refused.", PAGE),
    Rule("oauth-scope-unprobed", ADVICE, "Each scope was probed.", PAGE),
)
RULES: Final = MappingProxyType({rule.id: rule for rule in (*_README, *_MANIFEST, *_CLIENT)})

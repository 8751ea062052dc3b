"""Where the repository, its tests and the package lie."""

from pathlib import Path

import ddoauth_kit

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
KIT = Path(ddoauth_kit.__file__).parent
# Registrations that partners have published, without any secret.
PARTNERS = sorted((TESTS / "data" / "partner_clients").glob("*.json"))
# The best call for each scope, derived from the same spec by code that this project does not have.
DERIVED_PROBES = TESTS / "data" / "derived_probes.json"
# The only variables of the kit's name that the tests read themselves: a download, and a built site.
SPEC_ARCHIVE = "DDOAUTH_SPEC_ARCHIVE"
BUILT_SITE = "DDOAUTH_BUILT_SITE"

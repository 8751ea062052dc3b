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

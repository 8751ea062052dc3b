"""Where the repository, its tests and the package lie."""

from pathlib import Path

import ddoauth_kit

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
KIT = Path(ddoauth_kit.__file__).parent

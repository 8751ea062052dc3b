"""The doctor names variables that look like the kit's, and that nothing reads."""

from __future__ import annotations

import re

import pytest
from support.places import ROOT

from ddoauth_kit.doctor.finding import Status
from ddoauth_kit.doctor.settings import check_names
from ddoauth_kit.store.slots import Slot, variables

MISSPELT = {
    "DDOAUTH_CLIENTID": "Did you mean DDOAUTH_CLIENT_ID",
    "DDOAUTH_CLIENT_SECERT": "Did you mean DDOAUTH_CLIENT_SECRET",
    "DDOAUTH_REDIRECT_URI": "Did you mean DDOAUTH_REDIRECT_URIS",
    "DDOAUTH_SCOPE": "Did you mean DDOAUTH_SCOPES",
    "DDOAUTH_PUBLISHED_ID": "DDOAUTH_PUBLISHED_CLIENT_ID",
    "DDOAUTH_CLIENT_ID_EU": "DDOAUTH_CLIENT_ID",
    "DDOAUTH_CLIENT_ID_eu1": "DDOAUTH_CLIENT_ID",
    "DDOAUTH_TOKEN_ENDPIONT": "Did you mean DDOAUTH_TOKEN_ENDPOINT",
    "DDOAUTH_XYZZY_\x1b[2J": "the kit doesn't read a variable of this name.",
}

# The tests read the first one; the others are what names of a site begin with.
NO_NAMES = {"DDOAUTH_BUILT_SITE", "DDOAUTH_CLIENT", "DDOAUTH_PUBLISHED_CLIENT"}


@pytest.mark.parametrize("name", MISSPELT)
def test_a_name_that_nothing_reads_is_named(name: str) -> None:
    """A misspelled variable is not ignored: the finding has the nearest name, but no value."""
    (found,) = check_names({name: "canary", "PATH": "/bin", "DDOAUTH_CLIENT_ID": "x"})
    assert found.status is Status.NOTE
    assert MISSPELT[name] in found.found
    assert "canary" not in repr(found)
    assert found.check.isprintable()


def test_every_variable_of_the_code_is_known() -> None:
    """A variable that the package or its pages name is never called unknown."""
    texts = [path.read_text("utf-8") for path in (ROOT / "ddoauth_kit").rglob("*.py")]
    texts += [path.read_text("utf-8") for path in (ROOT / ".github").glob("*.md")]
    named = {
        name for text in texts for name in re.findall(r"\bDDOAUTH_[A-Z][A-Z0-9_]*[A-Z0-9]\b", text)
    }
    named -= NO_NAMES
    slots = [
        Slot(kind, site, "acme") for kind in ("api_key", "grant") for site in ("us1-fed", "eu1")
    ]
    named |= {name for slot in slots for name in variables(slot)}
    assert len(named) > 25
    assert [found.check for found in check_names(dict.fromkeys(named, "x"))] == []

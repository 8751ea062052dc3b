"""Check variables that accept only certain words; commands refuse any other word."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.config_folder import config_folder
from ddoauth_kit.doctor.finding import Finding, note, ok, problem
from ddoauth_kit.doctor.way_back import consent_wanted
from ddoauth_kit.errors import InputError
from ddoauth_kit.errors.near_names import nearest
from ddoauth_kit.printable import one_line
from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.socket_folder import short_parent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OURS: Final = "DDOAUTH_"
_NAMES: Final = (
    *("CLIENT_FILE", "CLIENT_ID", "CLIENT_KIND", "CLIENT_SECRET", "CLIENT_SITE", "CONFIG_FOLDER"),
    *("CONSENT", "NAME", "ONBOARDING_URL", "PLAIN_PARAMETERS", "PUBLISHED_CLIENT_ID"),
    *("PUBLISHED_CLIENT_SECRET", "REDIRECT_URIS", "SANDBOX", "SCOPES", "STORE", "STORE_FOLDER"),
    "TOKEN_ENDPOINT",
)
_LOWER: Final = re.compile(rf"\b(?:{'|'.join(_NAMES)})\b", re.IGNORECASE)
_OF_A_SITE: Final = ("API_KEY", "CLIENT_ID", "CLIENT_SECRET", "GRANT", "REFRESH_TOKEN")
# The kit sets these for programs that it starts, and copied cURL commands read the last ones.
_SET: Final = ("APP_URL", "API_URL", "EVENTS_INTAKE_URL", "FRONT", "LOGS_INTAKE_URL")
_COPIED: Final = ("ACCESS_TOKEN", "API_KEY", "CODE", "CODE_VERIFIER", "REFRESH_TOKEN")
_SITES: Final = tuple(name.replace("-", "_").upper() for name in DATADOG_SITES.names)


def check_sockets(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Report where kernels put their sockets if the temporary folder's path is too long."""
    parent = short_parent(environ)
    if parent is None:
        step = "set TMPDIR to a folder with a shorter path"
        yield note("TMPDIR", "its path is too long for sockets: kernels use ports", step)
    elif parent != Path(tempfile.gettempdir()):
        yield ok("TMPDIR", f"its path is too long for sockets: kernels put theirs in {parent}")


def check_words(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Report the settings that the commands would refuse."""
    for check, ask in (("consent", consent_wanted), ("config folder", config_folder)):
        try:
            ask(environ)
        except InputError as error:
            yield problem(check, error.what, error.advice)


def check_names(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Report variables that are named like the kit's own but are never read."""
    known = {
        *_NAMES,
        *_SET,
        *_COPIED,
        *(f"{name}_{site}" for name in _OF_A_SITE for site in _SITES),
    }
    for variable in sorted(environ):
        name = variable.removeprefix(_OURS).partition("__")[0]
        if variable == name or name in known or name.startswith("ISOLATED"):
            continue
        near = nearest(name, [each.lower() for each in _NAMES])
        meant = _LOWER.sub(lambda found: f"{_OURS}{found[0].upper()}", near)
        yield note(one_line(variable[:60]), f"the kit doesn't read a variable of this name.{meant}")

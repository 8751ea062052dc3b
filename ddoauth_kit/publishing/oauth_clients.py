"""Check the OAuth client's file, which is a copy of the registration in the Developer Platform.

A patch never changes this file; change the registration itself, in the platform.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ddoauth_kit.masking.patterns import SECRET_FIELDS
from ddoauth_kit.publishing.findings import Place, finding, plain, quoted
from ddoauth_kit.publishing.hosts import is_for_tests, is_loopback
from ddoauth_kit.publishing.integration_files import Unreadable
from ddoauth_kit.publishing.json_document import BrokenJson, Document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from urllib.parse import SplitResult

    from ddoauth_kit.publishing.findings import RuleFinding
    from ddoauth_kit.publishing.integration import Integration

_PLATFORM: Final = "Change it in the Developer Platform, then download the file again."
_SECRET: Final = re.compile(r"secret|password|private_?key", re.IGNORECASE)
_SHAPES: Final = {"id": str, "name": str, "onboarding_url": str, "redirect_uris": list}


def client_findings(integration: Integration) -> Iterator[RuleFinding]:
    """Yield the problems in the client's file, except its scopes, which another module checks."""
    client, name = integration.client, plain(integration.client_name)
    if client is None:
        manifest = integration.manifest
        if not isinstance(manifest, Document) or manifest.get("assets", "oauth") is None:
            what = f"There is no {name}."
            fix = "Add it, and add `assets.oauth` to the manifest, as the Publishing tab says."
            yield finding("oauth-missing", at=Place(integration.client_name), what=what, fix=fix)
    elif isinstance(client, Unreadable):
        what, fix = f"{name} {client.why}.", "Replace it with JSON in UTF-8."
        yield finding("oauth-unreadable", at=Place(integration.client_name), what=what, fix=fix)
    elif isinstance(client, BrokenJson):
        what, fix = f"{name} {client.why}.", "Correct the JSON at this position."
        yield finding(
            "oauth-json", at=Place(integration.client_name, client.line), what=what, fix=fix
        )
    elif not isinstance(client.get("integration"), dict):
        what, fix = (
            f"{name} has no object `integration`.",
            ("Download the file from the Publishing tab."),
        )
        yield finding("oauth-json", at=Place(integration.client_name, 1), what=what, fix=fix)
    else:
        yield from _fields(client)
        yield from _secrets(client)
        yield from _redirects(client)
        yield from _onboarding(client)
        yield from _repeated(client)


def _fields(client: Document) -> Iterator[RuleFinding]:
    for name, shape in (*_SHAPES.items(), ("scopes", list)):
        value = client.get("integration", name)
        texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
        usable = isinstance(value, shape) and (shape is str or texts)
        if not usable or (not value and name in _SHAPES):
            kind = "text" if shape is str else "list of strings"
            what = f"`integration.{name}` is missing, empty or not a {kind}."
            yield finding(
                "oauth-fields", at=client.place("integration", name), what=what, fix=_PLATFORM
            )
    role = client.get("integration", "client_role")
    if role != "integration":
        what = f"`client_role` is {quoted(role)}."
        fix = "Use the confidential client that the Developer Platform creates for an integration."
        path = ("integration", "client_role")
        yield finding("oauth-client-role", at=client.place(*path), what=what, fix=fix)


def _secrets(client: Document) -> Iterator[RuleFinding]:
    for path in client.members:
        key = path[-1] if path else ""
        if isinstance(key, str) and (_SECRET.search(key) or key.lower() in SECRET_FIELDS):
            what = f"The file has a field {quoted(key)}."
            fix = (
                "Remove it from the file and the git history, and ask Datadog to rotate the secret."
            )
            yield finding("oauth-secret", at=client.place(*path), what=what, fix=fix)


def _texts(client: Document, name: str) -> list[tuple[int, str]]:
    """Return the strings in a list, each with its position."""
    values = client.get("integration", name)
    items = enumerate(values) if isinstance(values, list) else ()
    return [(at, value) for at, value in items if isinstance(value, str)]


def _redirects(client: Document) -> Iterator[RuleFinding]:
    hosts = []
    for at, uri in _texts(client, "redirect_uris"):
        path = ("integration", "redirect_uris", at)
        parts = _split(uri)
        host = (parts.hostname if parts else "") or ""
        if is_loopback(host):
            what = f"{_shown(parts)} is on the user's own machine."
            yield finding(
                "oauth-redirect-loopback", at=client.place(*path), what=what, fix=_PLATFORM
            )
        elif parts is None or parts.scheme != "https" or not _is_usable(uri, parts):
            what = f"{_shown(parts)} is not an absolute https URI without a fragment."
            yield finding("oauth-redirect-uri", at=client.place(*path), what=what, fix=_PLATFORM)
        elif is_for_tests(host):
            what = f"{_shown(parts)} looks like a test address."
            fix = f"Remove test addresses before you submit. {_PLATFORM}"
            yield finding("oauth-redirect-test-host", at=client.place(*path), what=what, fix=fix)
        else:
            hosts.append(host)
    others = sorted(set(hosts))
    if len(others) > 1:
        what = f"The redirect URIs have {len(others)} different hosts: {quoted(', '.join(others))}."
        fix = (
            "Datadog supports one domain, not one for each customer; ignore this if your domains "
            "do not depend on the customer."
        )
        yield finding(
            "oauth-one-domain", at=client.place("integration", "redirect_uris"), what=what, fix=fix
        )


def _onboarding(client: Document) -> Iterator[RuleFinding]:
    url = client.get("integration", "onboarding_url")
    if not isinstance(url, str) or not url:
        return
    parts = _split(url)
    host = (parts.hostname if parts else "") or ""
    if parts is None or parts.scheme != "https" or not host or is_loopback(host):
        what = f"The onboarding URL {_shown(parts)} is not a public https URL."
        path = ("integration", "onboarding_url")
        yield finding("oauth-onboarding-url", at=client.place(*path), what=what, fix=_PLATFORM)


def _repeated(client: Document) -> Iterator[RuleFinding]:
    for name in ("redirect_uris", "scopes"):
        seen: set[str] = set()
        for at, value in _texts(client, name):
            if value in seen:
                what = f"Entry {at + 1} of `{name}` occurs twice."
                path = ("integration", name, at)
                yield finding("oauth-duplicates", at=client.place(*path), what=what, fix=_PLATFORM)
            seen.add(value)


def _split(uri: str) -> SplitResult | None:
    """Split a URI, or return None if Python refuses to split it."""
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _shown(parts: SplitResult | None) -> str:
    """Return a URI without the user, query and fragment, which could contain secrets."""
    if parts is None:
        return "A URI that can't be read"
    return quoted(f"{parts.scheme}://{parts.hostname or ''}{parts.path}" if parts.scheme else "...")


def _is_usable(uri: str, parts: SplitResult) -> bool:
    named = bool(parts.hostname) and "*" not in parts.netloc and "@" not in parts.netloc
    plain = uri.isascii() and uri.isprintable() and not re.search(r"[\s{}<>]", uri)
    return named and plain and "#" not in uri

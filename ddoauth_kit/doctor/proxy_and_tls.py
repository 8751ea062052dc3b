"""Check the proxy and TLS settings that apply to every request."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ddoauth_kit.doctor.finding import Finding, note, ok, problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_UNREAD = (
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "PIP_CERT",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
)
_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def check_proxy(environ: Mapping[str, str]) -> Finding:
    """Report the proxy that https requests go through, without its user name and password."""
    name = next((name for name in _PROXIES if environ.get(name)), "")
    if not name:
        return ok("proxy", "none")
    try:
        parts = urlsplit(environ[name])
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in {"http", "https", "socks5", "socks5h"}:
        step = f"write it as http://host:port in {name}, or unset it"
        return problem("proxy", f"{name} is not the address of a proxy", step)
    shown = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    step = "the sandbox bypasses it; if TLS fails, add its certificate with SSL_CERT_FILE"
    return note("proxy", f"{name} says {shown}", step)


def check_tls(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Load the certificates, and warn about a log file that records every connection's keys."""
    yield _certificates(environ)
    if environ.get("SSLKEYLOGFILE"):
        step = "unset it: anyone with that file can read every request, including secrets"
        yield problem("TLS key log", "SSLKEYLOGFILE is set", step)


def _certificates(environ: Mapping[str, str]) -> Finding:
    named = {name: environ[name] for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if environ.get(name)}
    for name, path in named.items():
        if not Path(path).exists():
            return problem("TLS", f"{name} names {path}, which does not exist", f"correct {name}")
    try:
        ssl.create_default_context(
            cafile=named.get("SSL_CERT_FILE"), capath=named.get("SSL_CERT_DIR")
        )
    except (OSError, ValueError) as error:
        found = f"the certificates cannot be loaded: {type(error).__name__}"
        return problem(
            "TLS", found, ("correct SSL_CERT_FILE: it must name certificates in PEM format")
        )
    unread = [name for name in _UNREAD if environ.get(name)]
    if unread and not named:
        step = f"set SSL_CERT_FILE to the same file: {' and '.join(unread)} is for other programs"
        return note("TLS", f"{' and '.join(unread)} is set, but the kit doesn't read it", step)
    return ok("TLS", f"{ssl.OPENSSL_VERSION}" + "".join(f"; {name} is set" for name in named))

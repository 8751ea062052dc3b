"""Certify host names for one run; the authority's key never leaves this process's memory."""

from __future__ import annotations

import base64
import hashlib
import re
import ssl
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.front.channel import NamedContext
from ddoauth_kit.grading.front.front_error import FrontError

if TYPE_CHECKING:
    import trustme

NAMES_KEPT: Final = 1000
_NAME: Final = re.compile(r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9-]+")


class Authority:
    """Creates a certificate for each name that a client requests, and caches the latest thousand.

    Raises:
        FrontError: `no_trustme`.
    """

    def __init__(self) -> None:
        try:
            import trustme
        except ImportError:
            raise FrontError(
                "no_trustme",
                "The front needs trustme. Install it: pip install 'ddoauth-kit[grade]'.",
            ) from None
        self._ca = trustme.CA(
            organization_name="ddoauth-kit", organization_unit_name="one run of the sandbox"
        )
        self._contexts: OrderedDict[str, NamedContext] = OrderedDict()
        self._stranger: trustme.CA | None = None
        self._strange: set[str] = set()
        self._lock = threading.Lock()

    @property
    def certificate(self) -> bytes:
        """Return the authority's own certificate as PEM, without a key."""
        return self._ca.cert_pem.bytes()

    @property
    def fingerprint(self) -> str:
        """Return the public key's hash for Chromium's `ignore-certificate-errors-spki-list`."""
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        key = x509.load_pem_x509_certificate(self.certificate).public_key()
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(hashlib.sha256(der).digest()).decode()

    def context(self, name: str) -> NamedContext:
        """Return the TLS server context for a lower-case host name.

        Raises:
            FrontError: `bad_host_name`.
        """
        with self._lock:
            found = self._contexts.pop(name, None) or self._mint(name)
            self._contexts[name] = found
            if len(self._contexts) > NAMES_KEPT:
                self._contexts.popitem(last=False)
            return found

    def present_other_ca(self, name: str, *, on: bool) -> None:
        """Switch a name to an authority that isn't in any trust file, or back to this one.

        Raises:
            FrontError: `bad_host_name`.
        """
        import trustme

        _check(name)
        with self._lock:
            self._contexts.pop(name, None)
            if not on:
                self._strange.discard(name)
                return
            self._stranger = self._stranger or trustme.CA(organization_name="nobody's authority")
            self._strange.add(name)

    def by_server_name(self) -> NamedContext:
        """Return a TLS server context that picks the certificate by the name in the client's hello.

        A hello without a name gets the alert `unrecognized_name`.
        """
        context = self._mint("localhost")

        def choose(tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
            if not name or not is_host_name(name.lower()):
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            tls.context = self.context(name.lower())
            return None

        context.sni_callback = choose
        return context

    def _mint(self, name: str) -> NamedContext:
        _check(name)
        context = NamedContext(ssl.PROTOCOL_TLS_SERVER)
        context.name = name
        context.set_alpn_protocols(["http/1.1"])
        # Clients never return with a ticket, and each ticket costs a write.
        context.num_tickets = 0
        strange = self._stranger if name in self._strange else None
        _certify(context, name, by=strange or self._ca)
        return context


def _certify(context: ssl.SSLContext, name: str, *, by: trustme.CA) -> None:
    """Present the whole chain, because Chromium trusts the hash of a key in that chain."""
    import trustme

    leaf = by.issue_cert(name).private_key_and_cert_chain_pem.bytes()
    with trustme.Blob(leaf + by.cert_pem.bytes()).tempfile() as path:
        context.load_cert_chain(path)


def _check(name: str) -> None:
    if not is_host_name(name):
        raise FrontError(
            "bad_host_name",
            f"{name[:80]!a} is not a host name. Give a name such as api.datadoghq.com.",
        )


def is_host_name(name: str) -> bool:
    """Return whether a certificate can be issued for this lower-case name."""
    return _NAME.fullmatch(name) is not None and not name.replace(".", "").isdigit()

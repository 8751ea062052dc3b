"""Write files that make a process trust this run's authority in addition to the usual ones."""

from __future__ import annotations

import io
import shutil
import ssl
import struct
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

    from cryptography.x509 import Certificate

    from ddoauth_kit.grading.front.authority import Authority

# Java's usual password for a file without secrets; JAVA_TOOL_OPTIONS must name one.
STORE_PASSWORD: Final = "changeit"  # noqa: S105 - no secret
_JKS: Final = b"\xfe\xed\xfe\xed"
_TRUSTED_ENTRY: Final = 2
_CACERTS: Final = "lib/security/cacerts"
SYSTEM_FILES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)


class TrustFiles:
    """Keeps trust files in a folder with mode 0700 until `close`.

    `environment` determines what the process already trusts: the file named by a variable, or else
    the system's or certifi's certificates. An unreadable file counts as empty.
    """

    def __init__(self, authority: Authority, *, environment: Mapping[str, str]) -> None:
        self._authority = authority
        self._environment = environment
        self.folder = Path(tempfile.mkdtemp(prefix="ddoauth-front-"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Delete the folder and all its files."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def ca_file(self) -> Path:
        """Write a file with only the authority's certificate."""
        return self._write("ca.pem", self._authority.certificate)

    def bundle(self, *variables: str, or_system: bool = True, certifi: bool = False) -> Path:
        """Write a PEM file with the CA and the first variable's certificates, or the default."""
        named = [self._environment[name] for name in variables if self._environment.get(name)]
        before = _pem_of(Path(named[0])) if named else b""
        if not named and certifi:
            before = _certifi()
        if not before and or_system:
            before = system_certificates(self._environment)
        return self._write(f"{variables[0].lower()}.pem", _joined(before, self._authority))

    def java_store(
        self, *, given: str | None = None, password: str | None = None, unsealed: bool = False
    ) -> Path:
        """Write a PKCS12 store with the CA and the JDK's certificates, or with those in `given`.

        Its password is `STORE_PASSWORD`; an `unsealed` store can replace the JDK's own.
        """
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.serialization import pkcs12

        place = Path(given) if given else java_store_of(self._environment)
        trusted = _java_certificates(place, password=password or STORE_PASSWORD) if place else []
        if not trusted:
            trusted = _loaded(system_certificates(self._environment))
        entries = [
            pkcs12.PKCS12Certificate(certificate, f"trusted-{number}".encode())
            for number, certificate in enumerate([*trusted, *_loaded(self._authority.certificate)])
        ]
        sealed = serialization.BestAvailableEncryption(STORE_PASSWORD.encode())
        # Java reads its own store without a password, and then skips encrypted entries.
        kind = serialization.NoEncryption() if unsealed else sealed
        store = pkcs12.serialize_java_truststore(entries, kind)
        return self._write("java.p12", store)

    def php_folder(self, bundle: Path) -> Path:
        """Write a folder with PHP settings that point to a bundle."""
        text = f'curl.cainfo="{bundle}"\nopenssl.cafile="{bundle}"\n'
        return self._write("php/ddoauth-front.ini", text.encode()).parent

    def _write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_bytes(content)
        return path


def system_certificates(environment: Mapping[str, str]) -> bytes:
    """Return the certificates that OpenSSL trusts, or the system's, or certifi's, as PEM."""
    paths = ssl.get_default_verify_paths()
    named = (environment.get("SSL_CERT_FILE"), environment.get("SSL_CERT_DIR"))
    for place in (*named, paths.openssl_cafile, *SYSTEM_FILES):
        found = _pem_of(Path(place)) if place else b""
        if found:
            return found
    return _certifi()


def _joined(before: bytes, authority: Authority) -> bytes:
    return before + (b"" if before.endswith(b"\n") or not before else b"\n") + authority.certificate


def _pem_of(place: Path) -> bytes:
    """Read a PEM file, or all files in a folder made by OpenSSL's `c_rehash`."""
    try:
        if not place.is_dir():
            return place.read_bytes()
        found = {path.resolve() for path in place.iterdir() if path.is_file()}
        parts = [path.read_bytes() for path in sorted(found)]
    except OSError:
        return b""
    return b"\n".join(part for part in parts if b"BEGIN CERTIFICATE" in part)


def _certifi() -> bytes:
    try:
        import certifi
    except ImportError:
        return b""
    return Path(certifi.where()).read_bytes()


def java_store_of(environment: Mapping[str, str]) -> Path | None:
    """Find the trust store of the JDK in JAVA_HOME or on the PATH."""
    java = shutil.which("java", path=environment.get("PATH"))
    homes = [Path(environment["JAVA_HOME"])] if environment.get("JAVA_HOME") else []
    homes += [Path(java).resolve().parent.parent] if java else []
    places = (home / part / _CACERTS for home in homes for part in ("", "jre"))
    return next((place for place in places if place.is_file()), None)


def _java_certificates(place: Path, *, password: str) -> Sequence[Certificate]:
    from cryptography.hazmat.primitives.serialization import pkcs12

    try:
        content = place.read_bytes()
    except OSError:
        return []
    if content.startswith(_JKS):
        return _jks_certificates(content)
    for key in (password.encode(), None):
        try:
            found = pkcs12.load_pkcs12(content, key).additional_certs
        except ValueError:
            continue
        return [entry.certificate for entry in found]
    return []


def _jks_certificates(content: bytes) -> Sequence[Certificate]:
    """Read the trusted certificates in a JKS file, without checking its seal."""
    from cryptography import x509

    stream = io.BytesIO(content)
    _, _, count = struct.unpack(">4sII", stream.read(12))
    found = []
    for _ in range(count):
        (tag,) = struct.unpack(">I", stream.read(4))
        _text(stream)
        stream.read(8)
        if tag != _TRUSTED_ENTRY:
            break
        _text(stream)
        (length,) = struct.unpack(">I", stream.read(4))
        found.append(_read(x509.load_der_x509_certificate, stream.read(length)))
    return [certificate for certificate in found if certificate]


def _text(stream: io.BytesIO) -> bytes:
    (length,) = struct.unpack(">H", stream.read(2))
    return stream.read(length)


def _loaded(pem: bytes) -> list[Certificate]:
    from cryptography import x509

    begin = b"-----BEGIN CERTIFICATE-----"
    parts = (begin + part for part in pem.split(begin)[1:])
    found = (_read(x509.load_pem_x509_certificate, part) for part in parts)
    return list(dict.fromkeys(certificate for certificate in found if certificate))


def _read(load: Callable[[bytes], Certificate], content: bytes) -> Certificate | None:
    """Load a certificate; return None on failure, because some old authorities violate RFC 5280."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return load(content)
        except ValueError:
            return None

"""This run's authority: certificates by name, and a key that never meets the disk."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.front import program

from ddoauth_kit.grading.front import authority as authority_module
from ddoauth_kit.grading.front.authority import Authority, is_host_name
from ddoauth_kit.grading.front.front_error import FrontError


def test_each_name_is_minted_once() -> None:
    """A second connection to a host costs no second certificate."""
    authority = Authority()
    first = authority.context("api.datadoghq.com")
    assert authority.context("api.datadoghq.com") is first
    assert authority.context("api.datadoghq.eu") is not first


def test_names_are_kept_within_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that asks for many names does not fill the memory."""
    monkeypatch.setattr(authority_module, "NAMES_KEPT", 2)
    authority = Authority()
    first = authority.context("a.example")
    for name in ("b.example", "c.example"):
        authority.context(name)
    assert authority.context("a.example") is not first


def test_keys_leave_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is left, and none that was created ever contained the authority's own key."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made: list[bytes] = []
    load = authority_module.NamedContext.load_cert_chain

    def loaded(self: object, certfile: str, *rest: object) -> None:
        made.append(Path(certfile).read_bytes())
        load(self, certfile, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(authority_module.NamedContext, "load_cert_chain", loaded)
    authority = Authority()
    authority.context("api.datadoghq.com")
    key = authority._ca.private_key_pem.bytes()
    assert made
    assert not [content for content in made if key in content]
    assert not list(tmp_path.iterdir())


def test_the_fingerprint_is_that_of_the_public_key() -> None:
    """Chromium trusts the run by the SHA-256 of the key's SPKI."""
    authority = Authority()
    found = x509.load_pem_x509_certificate(authority.certificate)
    der = found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert authority.fingerprint == base64.b64encode(hashlib.sha256(der).digest()).decode()


def test_openssl_agrees_with_the_fingerprint(tmp_path: Path) -> None:
    """Another program computes the same value from the certificate."""
    authority = Authority()
    place = tmp_path / "ca.pem"
    place.write_bytes(authority.certificate)
    openssl = program("openssl")
    script = (
        f"{openssl} x509 -in {place} -pubkey -noout | {openssl} pkey -pubin -outform der "
        f"| {openssl} dgst -sha256 -binary | base64"
    )
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == authority.fingerprint


@pytest.mark.parametrize(
    "name", ["", "a b", "a/b", "*.example", "93.184.216.34", "x" * 254, "a..b", "é.example"]
)
def test_odd_names_get_no_certificate(name: str) -> None:
    """Anything that is not a host name is refused in one line."""
    assert not is_host_name(name)
    with pytest.raises(FrontError, match="is not a host name"):
        Authority().context(name)


def test_a_missing_package_is_one_line() -> None:
    """Without trustme the line says what to install."""
    code = (
        "import sys; sys.modules['trustme'] = None\n"
        "from ddoauth_kit.grading.front.authority import Authority\n"
        "try:\n    Authority()\nexcept Exception as error:\n    print(error.code, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("no_trustme ")
    assert "pip install 'ddoauth-kit[grade]'" in done.stdout

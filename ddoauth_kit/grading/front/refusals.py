"""Explain each of the front's refusals in one line that ends with the next step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FrontRefusal:
    """A stable code, one line for people, and the status of the response."""

    reason: str
    line: str
    status: int = 403


def foreign_host(host: str, port: int) -> FrontRefusal:
    """Refuse a host that is neither Datadog's nor allowed."""
    name = host if port in {80, 443} else f"{host}:{port}"
    return FrontRefusal(
        "foreign_host",
        f"{name} is not one of Datadog's hosts, so nothing was sent to it. "
        f"If your server needs it, start again with --allow {host}.",
    )


def address_only(host: str, port: int) -> FrontRefusal:
    """Refuse an IP address, because it doesn't show which host is meant."""
    return FrontRefusal(
        "ip_address",
        f"The client asked for the IP address {host}, port {port}, so its host name is unknown. "
        f"Make the client use the host name, or start again with --allow {host}.",
    )


def without_name() -> FrontRefusal:
    """Refuse a TLS connection whose hello has no server name."""
    return FrontRefusal(
        "no_server_name",
        "A client opened TLS without a server name (SNI), so its host is unknown. "
        "Make the client connect by host name and send that name.",
    )


def plain_http(host: str) -> FrontRefusal:
    """Refuse plain http to one of Datadog's hosts."""
    return FrontRefusal(
        "plain_http", f"The request to {host} used plain http. Use https://{host} in your server."
    )


def http2_only(host: str) -> FrontRefusal:
    """Refuse HTTP/2 without negotiation."""
    return FrontRefusal(
        "http2_only",
        f"The client used HTTP/2 with {host} without negotiation, but the front speaks HTTP/1.1. "
        "Make the client negotiate it (ALPN), or turn off HTTP/2 in the client.",
        505,
    )


def not_trusted(host: str) -> FrontRefusal:
    """Report that the client aborted the handshake, as clients with pinned certificates do."""
    return FrontRefusal(
        "not_trusted",
        f"The client did not accept this run's certificate for {host}. Turn off certificate "
        "pinning for this run, or let the client read one of the trust variables.",
        0,
    )


def no_http(host: str, port: int) -> FrontRefusal:
    """Refuse a connection that speaks neither TLS nor HTTP."""
    return FrontRefusal(
        "no_http",
        f"The connection to {host}:{port} speaks neither TLS nor HTTP. "
        f"If your server needs it, start again with --allow {host}.",
        0,
    )


def malformed(host: str) -> FrontRefusal:
    """Refuse a request that is not HTTP/1.1."""
    return FrontRefusal(
        "malformed",
        f"A request to {host or 'the front'} is not valid HTTP/1.1. Check how your server builds "
        "its headers.",
        400,
    )


def head_too_large(host: str) -> FrontRefusal:
    """Refuse a request head that exceeds the limit."""
    return FrontRefusal(
        "head_too_large",
        f"The head of a request to {host or 'the front'} is too large for the front. Send "
        "shorter URLs, cookies and headers.",
        431,
    )


def not_a_proxy_request() -> FrontRefusal:
    """Refuse a request in the form meant for web servers, not for proxies."""
    return FrontRefusal(
        "not_a_proxy_request",
        "This address is a forward proxy, not a web page. Set HTTPS_PROXY to it.",
        400,
    )


def plain_https(host: str) -> FrontRefusal:
    """Refuse a clear-text request to the proxy for an https address on an allowed host."""
    return FrontRefusal(
        "https_in_clear",
        f"The client sent the https address of {host} to the proxy in plain text instead of "
        "opening a tunnel. Make the client use CONNECT.",
        501,
    )


def unreachable(host: str, port: int) -> FrontRefusal:
    """Report that an allowed host did not respond."""
    return FrontRefusal(
        "unreachable",
        f"{host}:{port} cannot be reached. Check that it runs and that this machine can reach it.",
        502,
    )


def too_many(connections: int) -> FrontRefusal:
    """Report that too many connections are open."""
    return FrontRefusal(
        "too_many_connections",
        f"The front already has {connections} connections open. "
        "Make your server keep its connections open and reuse them.",
        503,
    )

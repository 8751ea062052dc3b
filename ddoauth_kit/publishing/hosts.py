"""Distinguish this machine and test hosts from the hosts of a published integration."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

_TESTS: Final = frozenset({"dev", "local", "localdev", "qa", "stage", "staging", "test", "testing"})
_TUNNELS: Final = ("ngrok.io", "ngrok.app", "ngrok-free.app", "ngrok-free.dev", "ngrok.dev")
_RESERVED: Final = ("test", "example", "invalid", "local", "internal")


def is_for_tests(host: str) -> bool:
    """Return whether a host name looks like a test host; `.dev` at the end doesn't count."""
    address = _address(host)
    if address is not None:
        return not address.is_global
    *labels, top = host.rstrip(".").split(".")
    words = {word for label in labels for word in label.split("-")}
    tunnel = any(host == name or host.endswith(f".{name}") for name in _TUNNELS)
    return bool(words & _TESTS) or top in _RESERVED or not labels or tunnel


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: its address, `localhost` or a subdomain of it."""
    address = _address(host)
    if address is not None:
        return bool(address.is_loopback or address.is_unspecified)
    return host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost")


def _address(host: str) -> Any:  # noqa: ANN401 - the two classes of addresses share no base
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None

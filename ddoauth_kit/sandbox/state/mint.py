"""Create all ids and made-up credentials."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter

SECRET_KINDS = ("secret", "code", "access", "refresh", "key")
API_KEY_LENGTH = 32


class Mint:
    """Creates ids and credentials from a seed, so two runs of a script see the same values.

    Every credential starts with `sandbox-`, a prefix that no real credential has, so scanners can
    recognize it. These credentials protect only made-up data.
    """

    def __init__(self, *, seed: str) -> None:
        self._seed = seed.encode()
        self._counts: Counter[str] = Counter()

    def uuid(self, label: str) -> str:
        """Return the id for a name, the same on every call."""
        signs = bytearray(self._digest(f"uuid:{label}")[:16])
        signs[6] = signs[6] & 0x0F | 0x40  # version 4 and its variant (RFC 9562, 5.4)
        signs[8] = signs[8] & 0x3F | 0x80
        text = signs.hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def number(self, label: str) -> int:
        """Return the integer id for a name: at most 53 bits, so every JSON parser can read it."""
        return int.from_bytes(self._digest(f"number:{label}")[:6], "big")

    def next_uuid(self, kind: str) -> str:
        """Return a new id."""
        return self.uuid(f"{kind}:{self._next(f'uuid:{kind}')}")

    def next_number(self, kind: str) -> int:
        """Return a new integer id."""
        return self.number(f"{kind}:{self._next(f'number:{kind}')}")

    def credential(self, kind: str) -> str:
        """Return a new credential of one of the `SECRET_KINDS`."""
        if kind not in SECRET_KINDS:
            raise ValueError(f"no credential is called {kind!r}")
        return self._credential(kind, self._next(kind))

    def issued(self) -> tuple[str, ...]:
        """Return every credential issued so far, so a test can search for leaks."""
        return tuple(
            self._credential(kind, number)
            for kind in SECRET_KINDS
            for number in range(1, self._counts[kind] + 1)
        )

    def _next(self, kind: str) -> int:
        self._counts[kind] += 1
        return self._counts[kind]

    def _credential(self, kind: str, number: int) -> str:
        text = f"sandbox-{kind}-{self._digest(f'{kind}:{number}').hex()}"
        # A real API key has 32 characters, and clients check that length.
        return text[:API_KEY_LENGTH] if kind == "key" else text[: len(kind) + 49]

    def _digest(self, label: str) -> bytes:
        return hmac.digest(self._seed, label.encode(), hashlib.sha256)

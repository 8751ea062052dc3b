"""Create the pair that proves who began an authorization: code verifier and code challenge."""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

from ddoauth_kit.secret import Secret

CHALLENGE_METHOD: Final = "S256"
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True, slots=True)
class PkcePair:
    """A code verifier for the token request, and its challenge, which is sent earlier."""

    verifier: Secret
    challenge: Secret


def new_pkce_pair() -> PkcePair:
    """Create a new pair for one attempt: 32 random bytes, 43 characters (RFC 7636 section 4.1)."""
    return pkce_pair(secrets.token_urlsafe(32))


def pkce_pair(verifier: str) -> PkcePair:
    """Derive the S256 challenge of a verifier; `plain` is not offered (RFC 7636 section 4.2).

    Raises:
        ValueError: the verifier is not 43 to 128 unreserved characters.
    """
    if not _VERIFIER.fullmatch(verifier):
        raise ValueError("A code verifier has 43 to 128 of A-Z a-z 0-9 - . _ ~ (RFC 7636 4.1).")
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    challenge = urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
    return PkcePair(
        verifier=Secret(verifier, label="code_verifier"),
        challenge=Secret(challenge, label="code_challenge"),
    )

"""The proof of who started the attempt: RFC 7636, S256 only, new for each attempt."""

from __future__ import annotations

import re

import pytest

from ddoauth_kit.oauth.pkce import CHALLENGE_METHOD, new_pkce_pair, pkce_pair


@pytest.mark.checklist("C2")
@pytest.mark.checklist("C3")
def test_the_vector_of_rfc_7636() -> None:
    """Appendix B: this verifier has that challenge."""
    pair = pkce_pair("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert pair.challenge.reveal() == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.checklist("C2")
def test_verifiers_are_new_and_random() -> None:
    """Each attempt has its own 256 bits, in unreserved characters."""
    pairs = [new_pkce_pair() for _ in range(1000)]
    assert len({pair.verifier.reveal() for pair in pairs}) == 1000
    assert all(re.fullmatch(r"[\w-]{43}", pair.verifier.reveal()) for pair in pairs)
    # A character that never changes its place would be no random one.
    assert all(len(set(column)) > 10 for column in zip(*map(_verifier, pairs), strict=True))


def _verifier(pair: object) -> str:
    return pair.verifier.reveal()


@pytest.mark.checklist("C3")
def test_a_challenge_is_base64url_without_padding() -> None:
    """The method is S256, and the challenge 43 characters that need no encoding."""
    assert CHALLENGE_METHOD == "S256"
    for _ in range(100):
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", new_pkce_pair().challenge.reveal())


@pytest.mark.checklist("C2")
@pytest.mark.parametrize("verifier", ["a" * 43, "a" * 128, "-._~" * 11])
def test_a_verifier_within_the_bounds_is_taken(verifier: str) -> None:
    """43 to 128 unreserved characters."""
    assert pkce_pair(verifier).verifier.reveal() == verifier


@pytest.mark.checklist("C2")
@pytest.mark.parametrize(
    "verifier",
    ["", "a" * 42, "a" * 129, "a" * 43 + "\n", "a" * 42 + "=", "a" * 42 + "+", "a" * 42 + "é"],
)
def test_a_verifier_out_of_bounds_is_refused_unquoted(verifier: str) -> None:
    """A verifier that is too short or long or has other characters is refused but not repeated."""
    with pytest.raises(ValueError, match="43 to 128") as caught:
        pkce_pair(verifier)
    assert not verifier or verifier not in str(caught.value)


def test_a_pair_shows_placeholders() -> None:
    """A printed pair names its parts."""
    assert repr(new_pkce_pair()) == "PkcePair(verifier=<code_verifier>, challenge=<code_challenge>)"

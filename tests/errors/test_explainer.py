"""Each code is explained, each explanation is for a code, and no source is made up in passing."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from ddoauth_kit.errors import TokenError
from ddoauth_kit.errors.explainer import explain, explanations

ALL = [explanation for group in explanations().values() for explanation in group]
HOSTS = {
    "docs.datadoghq.com",
    "github.com",
    "jupyter-client.readthedocs.io",
    "keyring.readthedocs.io",
    "packaging.python.org",
    "status.datadoghq.com",
    "www.python-httpx.org",
    "www.rfc-editor.org",
}


def test_each_code_has_one_explanation() -> None:
    """No code is in two groups, because the second explanation would hide the first."""
    codes = [explanation.code for explanation in ALL]
    assert len(codes) == len(set(codes))


def test_groups_follow_the_flow() -> None:
    """There are five groups, from what is refused here to what never came back."""
    assert list(explanations()) == [
        "Before anything is sent",
        "The redirect",
        "Token and revocation endpoints",
        "APIs and API keys",
        "Unreadable responses and no response",
    ]


def test_texts_are_whole_sentences() -> None:
    """Cause and evidence begin and end as sentences do, and quotes are closed."""
    texts = [text for explanation in ALL for text in (explanation.cause, explanation.evidence)]
    assert [text for text in texts if not _is_sentence(text)] == []


def _is_sentence(text: str) -> bool:
    whole = (text[0].isupper() or text[0] == "`") and text.endswith(".") and text.isascii()
    return whole and text.count("`") % 2 == 0 and "!" not in text and "  " not in text


def test_fix_is_the_advice() -> None:
    """The next step is written once: the message and the explanation say the same."""
    errors = [TokenError(each.code, "It failed.") for each in ALL]
    assert [error.advice for error in errors] == [each.fix for each in ALL]


def test_sources_lead_to_public_pages() -> None:
    """Each source has a title, is named once, and is an https page of a known host."""
    assert [each.code for each in ALL if len(set(each.sources)) != len(each.sources)] == []
    sources = {source for each in ALL for source in each.sources}
    addresses = {title: urlsplit(url) for title, url in sources}
    assert all(title.strip() for title in addresses)
    assert {url.scheme for url in addresses.values()} == {"https"}
    assert {url.hostname for url in addresses.values()} <= HOSTS


def test_what_servers_say_has_a_source() -> None:
    """Outside the first group, each explanation names at least one source."""
    _, *others = explanations().values()
    assert not [entry.code for group in others for entry in group if not entry.sources]


def test_sources_are_found_by_number() -> None:
    """The links for an RFC's section and an issue lead to them."""
    sources = dict(explain("invalid_grant").sources)
    assert sources["RFC 7636 section 4.6"] == "https://www.rfc-editor.org/rfc/rfc7636#section-4.6"
    assert sources["DataDog/pup issue 198"] == "https://github.com/DataDog/pup/issues/198"


def test_an_error_is_explained_by_its_code() -> None:
    """An error and its code lead to the same explanation."""
    error = TokenError("invalid_grant", "The token exchange was refused (400).")
    assert explain(error) is explain("invalid_grant")
    assert explain(error).code == "invalid_grant"


@pytest.mark.parametrize("unknown", ["invalid-grant", "", TimeoutError(), SystemExit(2)])
def test_an_unknown_code_is_refused_with_the_shape_of_codes(unknown: object) -> None:
    """Anything without a known code gets a ValueError that shows what codes look like."""
    with pytest.raises(ValueError, match="lower-case words joined by underscores, such as unknown"):
        explain(unknown)  # type: ignore[arg-type]


def test_a_pasted_text_is_not_repeated_whole() -> None:
    """Somebody who passes a redirect by mistake does not find its code in the message."""
    with pytest.raises(ValueError, match="There is no explanation") as caught:
        explain("https://acme.example.com/callback?state=s&code=canary-code")
    assert "canary" not in str(caught.value)

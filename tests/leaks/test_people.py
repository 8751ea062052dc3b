"""People and organizations that are named as such are masked in every form a report knows."""

from __future__ import annotations

import pytest

from ddoauth_kit.leaks.people import mask_people, mask_row


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("ask jane.doe+x@mail.example.com now", "ask (e-mail) now"),
        ("handle=jane%40example.com", "handle=(masked)"),
        (
            '{"email": "a", "org_name": "Acme \\"Org\\""}',
            '{"email": "(masked)", "org_name": "(masked)"}',
        ),
        ("{'user': 'Bob', 'n': 1}", "{'user': '(masked)', 'n': 1}"),
        ("&quot;org&quot;: &quot;Acme&quot;", "&quot;org&quot;: &quot;(masked)&quot;"),
        ("https://x/cb?dd_org_name=Acme+HQ&code=1", "https://x/cb?dd_org_name=(masked)&code=1"),
        ("<th>organization</th><td>Acme</td>", "<th>organization</th><td>(masked)</td>"),
        ("dd_oid    0123\nsite      eu1", "dd_oid    (masked)\nsite      eu1"),
        ("the user may not, and no organization can", "the user may not, and no organization can"),
    ],
)
def test_texts(text: str, masked: str) -> None:
    """E-mails, JSON, URLs, HTML rows and text columns; prose stays."""
    assert mask_people(text) == masked


def test_columns() -> None:
    """A whole column is masked by its name, and an empty cell stays empty."""
    row = {"user": "Bob", "created by": "Eve", "org": "", "path": "/a", "n": 3}
    assert mask_row(row) == {
        "user": "(masked)",
        "created by": "(masked)",
        "org": "",
        "path": "/a",
        "n": 3,
    }

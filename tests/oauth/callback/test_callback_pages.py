"""The pages at the end of an attempt are readable on their own."""

from __future__ import annotations

from ddoauth_kit.errors import AuthorizationError
from ddoauth_kit.oauth.callback import callback_pages as pages


def test_code_is_shown_as_code() -> None:
    """Backticks of an advice become code, and text that looks like HTML stays text."""
    stranger = pages.error_page(AuthorizationError("wrong_state", "x"), waits=True).body.decode()
    assert "<code>SharedPending</code>" in stranger
    assert "`" not in stranger
    assert "&lt;b&gt; <code>c</code>" in pages.page(200, "t", "<b> `c`").body.decode()


def test_what_comes_next_stands_before_the_facts() -> None:
    """A client may have many scopes, so the next step must not come after all of them."""
    body = pages.success_page({"Granted scopes (131)": "x"}, lasts=True).body.decode()
    assert body.index("Go back to your notebook") < body.index("Granted scopes")

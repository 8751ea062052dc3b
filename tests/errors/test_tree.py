"""An error says what happened, what the server said and what to try next."""

from __future__ import annotations

import pytest
from support.builders import response

from ddoauth_kit import DdoauthError, errors
from ddoauth_kit.errors.explainer import by_code


def _error(*said: str) -> errors.TokenError:
    return errors.TokenError("invalid_grant", "The token exchange was refused (400).", said=said)


def test_message_has_three_parts() -> None:
    """The text has the code, the sentence, the server's words and the advice, in this order."""
    assert str(_error("invalid_grant - used", "twice")) == (
        "[invalid_grant] The token exchange was refused (400). "
        f"The server said: invalid_grant - used; twice. Next: {by_code()['invalid_grant'].fix} "
        'More: explain("invalid_grant").'
    )


def test_a_silent_server_is_not_quoted() -> None:
    """Empty texts are dropped, and nothing is put in the server's mouth."""
    assert _error("").said == ()
    assert "The server said" not in str(_error(""))


def test_repr_names_the_class() -> None:
    """Errors in a list can be told apart."""
    assert repr(_error()).startswith("TokenError('[invalid_grant] ")


def test_the_exchange_is_carried() -> None:
    """Code that catches the error can read the masked exchange."""
    exchange = response().exchange
    assert errors.ApiError("not_found", "No.", exchange=exchange).exchange is exchange


def test_a_notebook_shows_the_message_alone() -> None:
    """IPython's hook returns one line instead of the kit's stack, and names both ways to more."""
    (shown,) = _error()._render_traceback_()
    assert shown.startswith(f"TokenError: {str(_error()).removesuffix('.')}, ")
    both = 'explain("invalid_grant"), or `ddoauth explain invalid_grant` in a terminal.'
    assert shown.endswith(both)


@pytest.mark.parametrize(
    ("error", "parents"),
    [
        (errors.InputError, {DdoauthError}),
        (errors.AuthorizationError, {DdoauthError}),
        (errors.TokenError, {DdoauthError}),
        (errors.ApiError, {DdoauthError}),
        (errors.ApiKeyError, {DdoauthError, errors.ApiError}),
        (errors.AnswerError, {DdoauthError}),
        (errors.NetworkError, {DdoauthError}),
    ],
)
def test_the_tree_is_as_drawn(error: type[DdoauthError], parents: set[type]) -> None:
    """Each class has the parents that the module's drawing gives it, and is drawn."""
    kin = {cls for cls in error.__mro__ if issubclass(cls, DdoauthError)}
    assert kin == parents | {error}
    assert f"─ {error.__name__} " in (errors.__doc__ or "")


def test_every_class_is_in_the_tree() -> None:
    """The drawing includes every error class."""
    classes = {c.__name__ for c in vars(errors).values() if isinstance(c, type)}
    assert all(name in (errors.__doc__ or "") for name in classes if name.endswith("Error"))

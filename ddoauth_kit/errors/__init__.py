"""Say what went wrong, what the server said and what to try next; `tree` draws the classes."""

from ddoauth_kit.errors.tree import (
    AnswerError,
    ApiError,
    ApiKeyError,
    AuthorizationError,
    DdoauthError,
    InputError,
    NetworkError,
    TokenError,
)

__all__ = [
    "AnswerError",
    "ApiError",
    "ApiKeyError",
    "AuthorizationError",
    "DdoauthError",
    "InputError",
    "NetworkError",
    "TokenError",
]

"""Report errors in three parts: what happened, what the server said, and what to try next.

    DdoauthError
    ├── InputError           the request can't be made; nothing was sent
    ├── AuthorizationError   the redirect from Datadog was refused, or reports an error
    ├── TokenError           the token or revocation endpoint refused the request
    ├── ApiError             an API refused the request
    │   └── ApiKeyError      the API key was not created, or is not accepted
    ├── AnswerError          the server's response cannot be read
    └── NetworkError         no complete response arrived

Each case has a stable `code`, listed with its next step in `errors/explanations.json`.
"""

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

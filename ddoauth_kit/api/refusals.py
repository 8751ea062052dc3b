"""Turn an API's refusal into an error that doesn't claim more than the response says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import ApiError
from ddoauth_kit.http.answers import error_texts, refusal_sentence, refuse_unreadable

if TYPE_CHECKING:
    from ddoauth_kit.http.message import Response

_CODES: Final = {
    401: "unauthorized",
    403: "scope_missing",
    404: "not_found",
    429: "rate_limited",
}
KEY_REQUIRED: Final = "API key required"


def refuse_failure(response: Response, *, error: type[ApiError] = ApiError) -> None:
    """Raise an error for every unsuccessful status.

    Raises:
        ApiError: `unauthorized` (401), `scope_missing` (403), `not_found` (404),
            `rate_limited` (429), `api_key_required` or `api_refused` (other 4xx).
        AnswerError: redirects, 5xx, and web pages.
    """
    if response.succeeded:
        return
    refuse_unreadable(response)
    code = _CODES.get(response.status, "api_refused")
    if KEY_REQUIRED in error_texts(response):
        code = "api_key_required"
    raise refusal(response, code, error=error)


def refusal(response: Response, code: str, *, error: type[ApiError] = ApiError) -> ApiError:
    """Describe a refusal under the given code, with the server's masked message."""
    what = refusal_sentence(response)
    return error(code, what, said=error_texts(response), exchange=response.exchange)

"""Say what a response proves about a scope, and never more than that.

A 401 does not always mean a dead token, a 403 does not always mean a missing scope, and a 404 does
not always mean that the scope was granted, because a server may look up an object before it checks
scopes. Therefore, a write that is accepted counts only if the same call is refused with a token
that lacks the scope.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.http.answers import error_texts
from ddoauth_kit.masking.redaction import is_field_name
from ddoauth_kit.printable import counted
from ddoauth_kit.probing.probe import Approach

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.http.message import Response
    from ddoauth_kit.probing.catalogue import ScopeSet
    from ddoauth_kit.probing.probe import CallProbe, Flow

_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_TOO_MANY: Final = 429
_REFUSED: Final = range(400, 500)
# 408 is the server's own timeout, so it says no more than a missing response.
_CLEAR: Final = frozenset({401, 403, 408, 429})
_SHOWN_FIELDS: Final = 6
_WEB_PAGE: Final = re.compile(r"\s*<(!doctype|html)", re.IGNORECASE)
# Probes that don't address an object that could be absent, so a 404 is about the endpoint itself.
_NAMES_NOTHING: Final = frozenset({Approach.READ, Approach.SEARCH})
NO_CONTRAST: Final = "there was no token without the scope to compare with"


class Verdict(StrEnum):
    """The result of a probe; `MEANINGS` explains each of them."""

    CONFIRMED = "confirmed"
    LET_THROUGH = "let_through"
    INCONCLUSIVE = "inconclusive"
    REFUSED = "refused"
    NOT_OAUTH = "not_oauth"
    NOT_ON_SITE = "not_on_site"
    RATE_LIMITED = "rate_limited"
    NO_OPERATION = "no_operation"
    NOT_TRIED = "not_tried"
    FAILED = "failed"


MEANINGS: Final = {
    Verdict.CONFIRMED: "The call succeeded, and no other granted scope allows it.",
    Verdict.LET_THROUGH: "The call got past the scope check and found nothing to act on; "
    "without the scope, it is refused.",
    Verdict.INCONCLUSIVE: "The response may have a cause other than this scope.",
    Verdict.REFUSED: "The call was refused: the scope is missing, or the person "
    "who consented lacks the permission.",
    Verdict.NOT_OAUTH: "The endpoint does not accept bearer tokens; this token is valid.",
    Verdict.NOT_ON_SITE: "This site does not have the product or the endpoint.",
    Verdict.RATE_LIMITED: "The rate limit was reached, and waiting did not help.",
    Verdict.NO_OPERATION: "No public operation can test this scope safely.",
    Verdict.NOT_TRIED: "Nothing was sent.",
    Verdict.FAILED: "No usable response arrived.",
}
PROBLEMS: Final = frozenset({Verdict.REFUSED, Verdict.FAILED})


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The verdict for one scope on one site, and its evidence.

    `seconds` is the wall time of the call; `status` is None if there was no response. `evidence` is
    the server's masked error message, or the counts and field names in its response. `explained_by`
    lists other granted scopes that would open the same call.
    """

    site: str
    scope: str
    area: str
    flow: Flow
    verdict: Verdict
    method: str = ""
    path: str = ""
    status: int | None = None
    seconds: float = field(default=0.0, compare=False)
    evidence: str = ""
    explained_by: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON values, with `seconds` rounded to milliseconds."""
        return {
            "site": self.site,
            "scope": self.scope,
            "area": self.area,
            "flow": str(self.flow),
            "verdict": str(self.verdict),
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "seconds": round(self.seconds, 3),
            "evidence": self.evidence,
            "explained_by": list(self.explained_by),
        }


def judge(
    probe: CallProbe,
    response: Response,
    *,
    granted: ScopeSet,
    contrast: Response | None = None,
    lacking: str = NO_CONTRAST,
) -> tuple[Verdict, str]:
    """Return what the response to a probe proves, and describe the evidence.

    The token must be known to be valid. `contrast` is the response to the same call with a token
    that lacks the scope; if there is none, `lacking` says why.
    """
    status = response.status
    if response.succeeded:
        return _succeeded(probe, response, granted=granted)
    if status == _UNAUTHORIZED:
        return Verdict.NOT_OAUTH, _unauthorized(probe, response, granted=granted)
    if status == _FORBIDDEN:
        return _forbidden(probe, response, granted=granted)
    if not _decides(status):
        limited = status == _TOO_MANY
        return (Verdict.RATE_LIMITED if limited else Verdict.FAILED), said_by(response)
    if _is_missing(probe, response):
        return Verdict.NOT_ON_SITE, said_by(response)
    verdict, compared = _let_through(probe, granted=granted, contrast=contrast, lacking=lacking)
    return verdict, f"{said_by(response)}; {compared}"


def needs_contrast(probe: CallProbe, response: Response) -> bool:
    """Return whether a response's meaning depends on the same call without the scope."""
    return _decides(response.status) and not _is_missing(probe, response)


def other_reason(probe: CallProbe, *, granted: ScopeSet) -> str:
    """Say what else, other than the scope, must have opened a call, or return an empty string."""
    if probe.scope not in granted:
        return "the token was not granted this scope, so something else allowed the call"
    if missing := probe.companions - granted:
        names = _names(sorted(missing))
        return f"the call succeeded without {names}, so the server may not check scopes here"
    others = probe.explained_by(granted)
    return f"{_names(others)} would also allow the call" if others else ""


def outline_of(response: Response) -> str:
    """Describe a success by counts and field names, because the values are a customer's data."""
    if not response.text:
        return "an empty answer"
    try:
        return _outlined(json.loads(response.text))
    except (ValueError, RecursionError):
        return f"{counted(len(response.text), 'character')}"


def _decides(status: int) -> bool:
    """Return whether a status means that the call itself was refused, not its scope."""
    return status in _REFUSED and status not in _CLEAR


def _is_missing(probe: CallProbe, response: Response) -> bool:
    return probe.approach in _NAMES_NOTHING and response.status == _NOT_FOUND


def _succeeded(probe: CallProbe, response: Response, *, granted: ScopeSet) -> tuple[Verdict, str]:
    if _WEB_PAGE.match(response.text):
        return Verdict.FAILED, "the response was a web page instead of data"
    held = outline_of(response)
    if reason := other_reason(probe, granted=granted):
        return Verdict.INCONCLUSIVE, f"{held}; {reason}"
    return Verdict.CONFIRMED, held


def _unauthorized(probe: CallProbe, response: Response, *, granted: ScopeSet) -> str:
    said = f"{said_by(response)}; the same token is accepted elsewhere"
    # Some services return 401 for a missing scope, too (an issue in Datadog's own CLI).
    return said if probe.scope in granted else f"{said}, and was not granted this scope"


def _forbidden(probe: CallProbe, response: Response, *, granted: ScopeSet) -> tuple[Verdict, str]:
    missing = probe.companions - granted
    if missing and probe.scope in granted:
        also = f"the call also needs {_names(sorted(missing))}, which was not granted"
        return Verdict.INCONCLUSIVE, f"{said_by(response)}; {also}"
    if probe.scope not in granted:
        return Verdict.REFUSED, f"{said_by(response)}; the token was not granted this scope"
    return Verdict.REFUSED, said_by(response)


def _let_through(
    probe: CallProbe, *, granted: ScopeSet, contrast: Response | None, lacking: str
) -> tuple[Verdict, str]:
    if reason := other_reason(probe, granted=granted):
        return Verdict.INCONCLUSIVE, reason
    if contrast is None:
        return Verdict.INCONCLUSIVE, lacking
    without = f"without the scope: {contrast.status}"
    if contrast.status == _FORBIDDEN:
        return Verdict.LET_THROUGH, without
    if contrast.succeeded or _decides(contrast.status):
        return Verdict.INCONCLUSIVE, (
            f"{without}, so the server decides this before it checks scopes"
        )
    return Verdict.INCONCLUSIVE, f"{without}, so there is nothing to compare with"


def said_by(response: Response) -> str:
    """Return the server's masked error message, or just the status if there is none."""
    return "; ".join(error_texts(response)) or f"a response without a message ({response.status})"


def _outlined(answer: Any) -> str:  # noqa: ANN401 - JSON has no narrower type
    if isinstance(answer, list):
        return _items(answer)
    if not isinstance(answer, dict):
        return "one value"
    lists = {name: value for name, value in answer.items() if isinstance(value, list)}
    if lists:
        name = "data" if "data" in lists else max(lists, key=lambda each: len(lists[each]))
        return f"{name if is_field_name(name) else 'a list'}: {_items(lists[name])}"
    inner = answer.get("data", answer)
    return f"one item{_fields(inner if isinstance(inner, dict) else answer)}"


def _items(items: list[Any]) -> str:
    """Say whether there are any items; their number changes all the time and proves nothing."""
    if not items:
        return "no items"
    return f"items{_fields(items[0])}" if isinstance(items[0], dict) else "items"


def _fields(item: dict[str, Any]) -> str:
    """Return the first field names, except keys that are values, such as hosts or tags."""
    names = sorted(name for name in item if is_field_name(name))[:_SHOWN_FIELDS]
    shown = ", ".join([*names, *(["…"] if len(item) > len(names) else [])])
    return f" ({shown})" if shown else ""


def _names(scopes: Iterable[str]) -> str:
    return " and ".join(scopes)

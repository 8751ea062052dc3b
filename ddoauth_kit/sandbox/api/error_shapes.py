"""The four error formats of Datadog's services, for the profile `error-shapes`."""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ddoauth_kit.sandbox.facts.catalogue import Operation
    from ddoauth_kit.sandbox.http.refusals import Refusal

    Shape = Callable[[int, list[str]], dict[str, object]]


def _texts(_status: int, texts: list[str]) -> dict[str, object]:
    return {"errors": texts}


def _objects(status: int, texts: list[str]) -> dict[str, object]:
    title = HTTPStatus(status).phrase
    parts = texts or [title]
    return {"errors": [{"status": str(status), "title": title, "detail": text} for text in parts]}


def _details(status: int, texts: list[str]) -> dict[str, object]:
    details = [{"code": str(status), "message": text} for text in texts]
    return {"errors": texts, "error_details": details}


def _one(status: int, texts: list[str]) -> dict[str, object]:
    title = HTTPStatus(status).phrase.replace(" ", "")
    return {"error": {"code": title, "message": ", ".join(texts) or title, "details": []}}


_OBJECTS = (_objects, "application/vnd.api+json")
_DETAILS = (_details, "application/json")
_ONE = (_one, "text/plain")
# All other areas write strings. The formats are recorded, but not which area uses which.
_BY_AREA: Mapping[str, tuple[Shape, str]] = MappingProxyType(
    {
        "Case Management": _OBJECTS,
        "Fleet Automation": _OBJECTS,
        "Incidents": _OBJECTS,
        "Logs": _OBJECTS,
        "Metrics": _OBJECTS,
        "RUM": _OBJECTS,
        "Teams": _OBJECTS,
        "Users": _OBJECTS,
        "Scorecards": _DETAILS,
        "Service Definition": _DETAILS,
        "Service Level Objectives": _DETAILS,
        "Software Catalog": _DETAILS,
        "CSM Threats": _ONE,
        "Security Monitoring": _ONE,
    }
)
_TEXTS = (_texts, "text/json")


def reshape(refusal: Refusal, operation: Operation) -> Refusal:
    """Write a refusal in the format that the operation's product area uses."""
    shape, refusal.content_type = _BY_AREA.get(operation.area, _TEXTS)
    refusal.document = shape(refusal.status, [_text(error) for error in refusal.errors])
    return refusal


def _text(error: object) -> str:
    return str(error.get("detail") or error.get("title")) if isinstance(error, dict) else str(error)

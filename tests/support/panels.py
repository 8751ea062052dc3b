"""Inspect panels as a person or a saved notebook would see them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import ipywidgets

if TYPE_CHECKING:
    from collections.abc import Iterator


def held() -> str:
    """Return the widget state that a saved notebook would contain."""
    return json.dumps(ipywidgets.Widget.get_manager_state(drop_defaults=False))


def field(panel: Any, label: str) -> Any:
    """Return the field or button with a label, anywhere in a panel."""
    return next(w for w in _inside(panel.panel) if getattr(w, "description", "") == label)


def _inside(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _inside(child)


def typed(form: Any, action: str, **values: str) -> dict[str, Any]:
    """Send what a form's page sends when its button is pressed, and return the reply."""
    names = [field["name"] for field in form.fields]
    heard: list[dict[str, Any]] = []
    form.send = heard.append
    form.receive({"action": action, "values": {**dict.fromkeys(names, ""), **values}})
    (reply,) = heard
    return reply

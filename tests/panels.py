"""Look at panels as a notebook that is saved would, and wait for what they do beside the cells."""

from __future__ import annotations

import json
import time
from typing import Any

import ipywidgets


def until(condition: Any) -> None:
    """Wait until something is so, ten seconds at most."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def held() -> str:
    """Return what a notebook that is saved with widget state would hold."""
    return json.dumps(ipywidgets.Widget.get_manager_state(drop_defaults=False))


def field(panel: Any, label: str) -> Any:
    """Return the labelled field of a panel."""
    return next(w for w in panel.panel.children if getattr(w, "description", "") == label)


def typed(form: Any, action: str, **values: str) -> None:
    """Send what the form's page sends when its button is pressed."""
    names = [field["name"] for field in form.fields]
    form.receive({"action": action, "values": {**dict.fromkeys(names, ""), **values}})

"""Let the selects of a panel have the keys that are pressed in them."""

from __future__ import annotations

from html import escape
from typing import Final

import ipywidgets as widgets

# JupyterLab takes keys pressed in a select as shortcuts of the notebook: an arrow moves to another
# cell, `a` inserts one. Lumino leaves alone what has this attribute itself, and ipywidgets cannot
# set it. A style sheet, here without an effect, tells when it is in place.
_KEEP: Final = """\
this.closest('.widget-vbox').addEventListener('focusin', (event) => {
  if (event.target.matches('select')) event.target.dataset.lmSuppressShortcuts = '';
});"""


def own_keys() -> widgets.HTML:
    """Return a part without looks that makes selects of the panel around it keep their keys."""
    return widgets.HTML(
        f'<style onload="{escape(_KEEP)}">#ddoauth {{}}</style>', layout={"display": "none"}
    )

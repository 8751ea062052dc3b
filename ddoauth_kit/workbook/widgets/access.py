"""Make a panel usable by keyboard and screen reader where ipywidgets cannot."""

from __future__ import annotations

from html import escape
from typing import Final

import ipywidgets as widgets

STATUS: Final = "ddoauth-status"
# JupyterLab takes keys pressed in a select as shortcuts of the notebook: an arrow moves to another
# cell, `a` inserts one. Lumino leaves alone what has this attribute itself. A status line is read
# out only if the element with the role lasts while its text changes. ipywidgets can set neither; a
# style sheet, here without an effect, tells when it is in place.
_MEND: Final = f"""\
const panel = this.closest('.widget-vbox');
panel.addEventListener('focusin', (event) => {{
  if (event.target.matches('select')) event.target.dataset.lmSuppressShortcuts = '';
}});
panel.querySelector('.{STATUS}')?.setAttribute('role', 'status');"""


def mended() -> widgets.HTML:
    """Return a part without looks; selects of the panel around it keep their keys, for one."""
    return widgets.HTML(
        f'<style onload="{escape(_MEND)}">#ddoauth {{}}</style>', layout={"display": "none"}
    )

"""Copy code to the clipboard with HTML only, so it also works without a kernel."""

from __future__ import annotations

from html import escape
from typing import Final

# One handler for all buttons of a block. It reads the fields next to it and never text from the
# wire. `navigator.clipboard` exists only in secure contexts; elsewhere, and if it is refused, the
# field is unfolded and selected, for the older command or for the reader's own keys.
_COPY: Final = """\
const button = event.target.closest('button');
if (!button) return;
const field = this.querySelector(`textarea[name=${button.value}]`);
const said = this.querySelector('[role=status]');
const done = () => { said.textContent = `Copied: ${field.title}.`; };
const select = () => {
  field.closest('details').open = true;
  field.focus();
  field.select();
  if (document.execCommand('copy')) { done(); button.focus(); }
  else said.textContent = `Not copied: ${field.title} is selected, copy it by keyboard.`;
};
said.textContent = '';
if (navigator.clipboard) navigator.clipboard.writeText(field.value).then(done, select);
else select();"""
_LOOK: Final = (
    "box-sizing:border-box;width:100%;font-family:var(--jp-code-font-family,monospace);"
    "color:inherit;background:transparent"
)


def copy_buttons(*, curl: str, httpx: str) -> str:
    """Return two buttons, and the code that each one copies in a folded, read-only field.

    A line next to the buttons reports the result.
    """
    buttons = f"{_button('curl', 'cURL')} {_button('httpx', 'httpx')}"
    fields = _field("curl", "the cURL command", curl) + _field("httpx", "the httpx code", httpx)
    said = '<span role="status" aria-live="polite"></span>'
    return f'<div onclick="{escape(_COPY)}"><p>{buttons} {said}</p>{fields}</div>'


def _button(name: str, label: str) -> str:
    return (
        f'<button type="button" class="jupyter-button" style="width:auto" value="{name}">'
        f"Copy as {label}</button>"
    )


def _field(name: str, title: str, code: str) -> str:
    # With this attribute, JupyterLab doesn't treat keys pressed in the field as shortcuts. HTML
    # drops the first line break of a field (HTML standard, "textarea"), so the code keeps its own.
    return (
        f'<details><summary style="cursor:pointer">Show {title}</summary>'
        f'<textarea readonly name="{name}" title="{title}" aria-label="{title}" '
        f'rows="{code.count(chr(10)) + 2}" spellcheck="false" data-lm-suppress-shortcuts '
        f'style="{_LOOK}">\n{escape(code)}</textarea></details>'
    )

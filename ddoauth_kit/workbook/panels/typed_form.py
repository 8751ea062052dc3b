"""Receive a person's input in messages, so that it never becomes part of a widget's state.

A `Password` widget's state contains the typed text until the kernel has cleared it. JupyterLab may
save the state before that, because a kernel that is running a cell can't clear it.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import anywidget
import traitlets

from ddoauth_kit.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HERE: Final = Path(__file__).parent


class Field(NamedTuple):
    """A form field; `kind` is `text`, `secret`, `area` or `choice`."""

    name: str
    label: str
    kind: str = "text"
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()


class Typed(NamedTuple):
    """The input by field name: the public values, and the typed passwords."""

    texts: Mapping[str, str]
    secrets: Mapping[str, Secret]


class FormReply(NamedTuple):
    """What the page shows, whether to clear the form, and which secrets to keep.

    `errors` maps a field's name to sentences, one per line, that are shown below the field.

    The reply is also sent to the page as a message, because it may repeat the input.
    """

    html: str = ""
    clear: bool = False
    held: tuple[str, ...] = ()
    errors: Mapping[str, str] = MappingProxyType({})


class TypedForm(anywidget.AnyWidget):
    """Shows fields and buttons; a button passes on the current input and keeps nothing.

    Secrets are removed from their fields at once. The function that a button calls returns the
    page's reply.
    """

    _esm = HERE / "typed_form.js"
    _css = HERE / "typed_form.css"
    fields: traitlets.List[Any] = traitlets.List().tag(sync=True)
    actions: traitlets.List[Any] = traitlets.List().tag(sync=True)
    disabled = traitlets.Bool(default_value=False).tag(sync=True)

    def __init__(
        self,
        *fields: Field,
        actions: Mapping[str, Callable[[Typed], FormReply]],
        disabled: bool = False,
    ) -> None:
        self._names = [field.name for field in fields]
        self._passwords = [field.name for field in fields if field.kind == "secret"]
        self._calls = dict(actions)
        super().__init__(
            fields=[field._asdict() for field in fields], actions=list(actions), disabled=disabled
        )
        self.on_msg(lambda _widget, content, _buffers: self.receive(content))

    def receive(self, message: Mapping[str, Any]) -> None:
        """Call the function behind a button; messages that this form did not write are dropped."""
        try:
            call, typed = self._read(message)
        except (AttributeError, KeyError, TypeError):
            return
        try:
            reply = call(typed)
        except Exception as error:  # noqa: BLE001 - ipywidgets would print it with its variables
            reply = FormReply(f"Unexpected error: {escape(type(error).__name__)}.")
        self.send({**reply._asdict(), "errors": dict(reply.errors)})

    def _read(self, message: Mapping[str, Any]) -> tuple[Callable[[Typed], FormReply], Typed]:
        texts = {name: message["values"][name].strip() for name in self._names}
        secrets = {name: Secret(texts.pop(name), label=name) for name in self._passwords}
        typed = Typed(texts, {name: secret for name, secret in secrets.items() if secret})
        return self._calls[message["action"]], typed

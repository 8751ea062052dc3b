"""Typed text reaches a form's buttons, but no widget's state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.builders import CLIENT_SECRET, readable
from support.panels import held, typed

from ddoauth_kit.workbook.panels.typed_form import Field, FormReply, TypedForm

if TYPE_CHECKING:
    from ddoauth_kit.workbook.panels.typed_form import Typed

FIELDS = (Field("name", "Name"), Field("secret", "Secret", kind="secret"))


class Buttons:
    """Remember what was pressed."""

    def __init__(self, reply: FormReply | Exception = FormReply()) -> None:  # noqa: B008 - it is frozen
        self.pressed: list[Typed] = []
        self.reply = reply
        self.form = TypedForm(*FIELDS, actions={"Go": self.go})

    def go(self, typed: Typed) -> FormReply:
        """Accept the input."""
        self.pressed.append(typed)
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


def test_a_secret_arrives_as_one_and_is_nowhere_else() -> None:
    """The rest arrives as text, without the blanks around it; neither is state."""
    buttons = Buttons()
    typed(buttons.form, "Go", name=" Typed Name ", secret=f" {CLIENT_SECRET}\n")
    (got,) = buttons.pressed
    assert got.texts == {"name": "Typed Name"}
    assert got.secrets["secret"].matches(CLIENT_SECRET)
    state = str(buttons.form.get_state()) + held()
    assert not readable(CLIENT_SECRET, state + repr(got) + repr(vars(buttons.form)))
    assert "Typed Name" not in state


def test_an_empty_secret_is_none() -> None:
    """A button can be pressed again without typing the secret again."""
    buttons = Buttons()
    typed(buttons.form, "Go", secret="  ")
    assert buttons.pressed[0].secrets == {}


def test_the_page_hears_the_reply() -> None:
    """The reply also travels as a message, and is not part of any state."""
    reply = FormReply("<b>done</b>", clear=True, held=("secret",))
    buttons = Buttons(reply)
    assert typed(buttons.form, "Go") == reply._asdict()
    assert "done" not in str(buttons.form.get_state())


def test_what_goes_wrong_is_heard_and_printed_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    """No words of the error and no values of the message reach the output; the page gets a reply.

    ipywidgets prints a callback's traceback, and in IPython's verbose mode its variables.
    """
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("xmode", "Verbose")
    heard: list[Any] = []
    try:
        form = Buttons(UnicodeError(CLIENT_SECRET)).form
        form.send = heard.append  # type: ignore[method-assign]
        values = {"name": "", "secret": CLIENT_SECRET}
        form._handle_custom_msg({"action": "Go", "values": values}, [])
    finally:
        InteractiveShell.clear_instance()
    assert "UnicodeError" in heard[0]["html"]
    assert not readable(CLIENT_SECRET, "".join(capfd.readouterr()) + str(heard))


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"action": "Go"},
        {"action": "Stop", "values": {"name": "", "secret": ""}},
        {"action": "Go", "values": {"name": ""}},
        {"action": "Go", "values": {"name": 1, "secret": ""}},
        {"action": ["Go"], "values": {"name": "", "secret": ""}},
        "Go",
    ],
)
def test_a_message_that_is_none_of_its_own_is_dropped(message: Any) -> None:
    """Nothing is called, replied or raised."""
    buttons = Buttons()
    heard: list[Any] = []
    buttons.form.send = heard.append  # type: ignore[method-assign]
    buttons.form.receive(message)
    assert not buttons.pressed
    assert not heard

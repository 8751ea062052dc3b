"""What is typed into a form reaches its buttons, and no widget's state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from given import CLIENT_SECRET, readable
from panels import held, typed

from ddoauth_kit.workbook.widgets.typed import Field, TypedForm

if TYPE_CHECKING:
    from ddoauth_kit.workbook.widgets.typed import Typed

FIELDS = (Field("name", "Name"), Field("secret", "Secret", kind="secret"))


class Buttons:
    """Remember what was pressed."""

    def __init__(self) -> None:
        self.pressed: list[Typed] = []
        self.clears = False
        self.answers: list[Any] = []
        self.form = TypedForm(*FIELDS, actions={"Go": self.go})
        self.form.send = self.answers.append  # type: ignore[method-assign]

    def go(self, typed: Typed) -> bool:
        """Take what is typed."""
        self.pressed.append(typed)
        return self.clears


def test_a_password_arrives_as_a_secret_and_is_nowhere_else() -> None:
    """The rest arrives as text, without the blanks around it."""
    buttons = Buttons()
    typed(buttons.form, "Go", name=" Acme ", secret=f" {CLIENT_SECRET}\n")
    (got,) = buttons.pressed
    assert got.texts == {"name": "Acme"}
    assert got.secrets["secret"].matches(CLIENT_SECRET)
    assert not readable(CLIENT_SECRET, held() + repr(got) + repr(vars(buttons.form)))
    assert "Acme" not in held()


def test_the_page_hears_what_was_taken_and_whether_to_empty_the_form() -> None:
    """An empty password is not taken; a form that is done with is emptied."""
    buttons = Buttons()
    typed(buttons.form, "Go", secret=CLIENT_SECRET)
    typed(buttons.form, "Go")
    buttons.clears = True
    typed(buttons.form, "Go", secret=CLIENT_SECRET)
    assert buttons.answers == [
        {"taken": ["secret"], "clear": False},
        {"taken": [], "clear": False},
        {"taken": [], "clear": True},
    ]


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
    """Nothing is called, nothing is answered, nothing is raised."""
    buttons = Buttons()
    buttons.form.receive(message)
    assert not buttons.pressed
    assert not buttons.answers

"""A secret shows a placeholder everywhere, and itself only on request."""

from __future__ import annotations

import contextlib
import copy
import copyreg
import dataclasses
import inspect
import json
import logging
import marshal
import pickle
import pprint
import sys
from typing import TYPE_CHECKING

import IPython.lib.pretty
import pytest
from IPython.core.formatters import DisplayFormatter
from IPython.core.ultratb import VerboseTB
from support.builders import readable, tokens, with_locals

from ddoauth_kit import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

VALUE = "canary-f2b1c0ffee-9d8e7c6b"

pytestmark = pytest.mark.checklist("N2")


def _secret() -> Secret:
    return Secret(VALUE, label="client_secret")


def _fail(secret: Secret) -> None:
    held = {"pair": (secret, [secret])}
    raise RuntimeError(f"with {secret} of {held}")


def _raised() -> RuntimeError:
    with pytest.raises(RuntimeError) as caught:
        _fail(_secret())
    return caught.value


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        ascii,
        format,
        pprint.pformat,
        lambda s: f"{s}",
        lambda s: f"{s!r}",
        lambda s: f"{s:>40}",
        lambda s: "%s %r" % (s, s),  # noqa: UP031 - old code formats like this
        "{0} {0!r}".format,
        lambda s: s._repr_html_(),
        lambda s: repr({"secret": [s]}),
        lambda s: repr(copy.copy(s)),
        lambda s: repr(copy.deepcopy([s])),
        lambda s: json.dumps({"secret": s}, default=str),
        lambda s: repr(dataclasses.asdict(tokens(access_token=s))),
        lambda s: repr(dataclasses.replace(tokens(), refresh_token=s)),
        lambda s: repr(DisplayFormatter().format(s)),
    ],
)
def test_every_way_of_showing_shows_the_placeholder(show: Callable[[Secret], str]) -> None:
    """However a secret is turned into text, its label appears and its value does not."""
    text = show(_secret())
    assert "client_secret" in text
    assert not readable(VALUE, text)


@pytest.mark.parametrize("dump", [json.dumps, pickle.dumps, vars])
def test_serializing_is_refused(dump: Callable[[Secret], object]) -> None:
    """JSON, pickle and `vars` raise instead of writing the value, and do not name it."""
    with pytest.raises(TypeError) as caught:
        dump(_secret())
    assert not readable(VALUE, str(caught.value))


def test_logs_show_the_placeholder(caplog: pytest.LogCaptureFixture) -> None:
    """A log record, formatted or with an exception, does not contain the value."""
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("partner").info("sending %s", _secret())
        logging.getLogger("partner").error("failed", exc_info=_raised())
    assert "sending <client_secret>" in caplog.text
    assert not readable(VALUE, caplog.text)


def test_traceback_with_locals_shows_the_placeholder() -> None:
    """A traceback that prints local variables prints the placeholder."""
    error = _raised()
    tests_frames_too = with_locals(error) + repr(
        [frame.f_locals for frame in _frames(error) if frame.f_code.co_name == "_fail"]
    )
    assert "<client_secret>" in tests_frames_too
    assert not readable(VALUE, tests_frames_too)


def _frames(error: BaseException) -> list[object]:
    found, trace = [], error.__traceback__
    while trace:
        found.append(trace.tb_frame)
        trace = trace.tb_next
    return found


def test_verbose_notebook_traceback_shows_the_placeholder() -> None:
    """IPython's verbose mode prints each variable of each frame, and no value of a secret."""
    try:
        _fail(_secret())
    except RuntimeError:
        text = VerboseTB(theme_name="nocolor").text(*sys.exc_info())
    assert "secret = <client_secret>" in text
    assert not readable(VALUE, text)


def test_reveal_returns_the_value() -> None:
    """One named method returns the value."""
    assert _secret().reveal() == VALUE


def test_last_four_are_shown_where_asked_for() -> None:
    """An API key may show its last four characters, and no more of it."""
    key = Secret("0123456789abcdef0123456789ab1234", label="api_key", show_last_four=True)
    assert str(key) == "<api_key …1234>"
    assert key._repr_html_() == "<code>&lt;api_key …1234&gt;</code>"


def test_equality_is_by_value() -> None:
    """Secrets compare and hash by value, whatever their labels, and never equal a plain string."""
    other = Secret(VALUE, label="other")
    assert _secret() == other
    assert hash(_secret()) == hash(other)
    assert _secret() != Secret("x" * len(VALUE), label="client_secret")
    assert _secret() != VALUE


@pytest.mark.parametrize("other", ["", VALUE[:-1], VALUE + "x", "é", "\ud800"])
def test_only_the_exact_text_matches(other: str) -> None:
    """A comparison works with any outside value, and is true only for the exact text."""
    assert _secret().matches(VALUE)
    assert not _secret().matches(other)


def test_an_empty_secret_is_false() -> None:
    """A missing value is distinguished from a present one without revealing either."""
    assert not Secret("", label="refresh_token")
    assert _secret()


def _walked(value: object, *, depth: int = 3) -> list[object]:
    """Return what a generic tool finds: members, slots, state and items, to some depth."""
    found = [value]
    if depth:
        with contextlib.suppress(TypeError):
            found += _walked(value.__getstate__(), depth=depth - 1)
        if isinstance(value, (list, tuple)):
            for item in value:
                found += _walked(item, depth=depth - 1)
        elif isinstance(value, Secret):
            members = inspect.getmembers(value) + inspect.getmembers_static(value)
            slots = [getattr(value, f"_Secret{s}" if s[:2] == "__" else s) for s in value.__slots__]
            for item in [*members, *slots]:
                found += _walked(item, depth=depth - 1)
    return found


@pytest.mark.parametrize(
    "value",
    [
        VALUE,
        VALUE * 100,
        f"{VALUE}\ud800",
        f"\udcff{VALUE}",
        f"{VALUE}\n\x1b[31m",
        f"é{VALUE}",
        f'{{"access_token": "{VALUE}"}}',
    ],
    ids=range(7),
)
@pytest.mark.parametrize(
    "tool",
    [
        inspect.getmembers,
        inspect.getmembers_static,
        _walked,
        lambda s: [_raising(s.__getstate__), _raising(s.__reduce__), _raising(s.__reduce_ex__, 4)],
        lambda s: [_raising(copyreg.__reduce_ex__, s, 2)],
        lambda s: IPython.lib.pretty.pretty([s, {"a": s}]),
        lambda s: [dir(s), [getattr(s, name, None) for name in dir(s)]],
        lambda s: [s.matches("x"), s == Secret("\ud800", label="x"), hash(s) and 0],
        lambda s: [_raising(json.dumps, s), _raising(marshal.dumps, s), _raising(vars, s)],
    ],
    ids=range(9),
)
def test_tools_that_walk_values_find_none(tool: Callable[[Secret], object], value: str) -> None:
    """No attribute, state or error that a tool can see contains the value."""
    secret = Secret(value, label="client_secret")
    assert not readable(VALUE, repr(tool(secret)))
    assert secret.reveal() == value


def _raising(call: Callable[..., object], *given: object) -> str:
    with pytest.raises((TypeError, ValueError)) as caught:
        call(*given)
    return repr(caught.value) + repr(vars(caught.value))

"""Refuse parameters that look like secrets, because papermill saves them in clear text."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.leaks.secret_names import is_secret_name
from ddoauth_kit.masking.patterns import is_id_name
from ddoauth_kit.masking.redaction import Masker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ddoauth_kit.secret import Secret

PLAIN: Final = "DDOAUTH_PLAIN_PARAMETERS"
_BARE: Final = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}")


def plain_values(
    parameters: Mapping[str, Any], *, environ: Mapping[str, str] = os.environ
) -> frozenset[str]:
    """Return the values of parameters that are marked as not secret.

    A name such as `COMMIT`, `RUN_ID` or `TRACE_ID` declares this for a value of 32 or 40 hex
    digits; the variable `DDOAUTH_PLAIN_PARAMETERS` declares it for all parameters that it lists.
    """
    declared = set(re.split(r"[,\s]+", environ.get(PLAIN, "")))
    return frozenset(
        value
        for name, value in parameters.items()
        if isinstance(value, str)
        and (name in declared or (is_id_name(name) and _BARE.fullmatch(value)))
    )


def refuse_secret_parameters(
    parameters: Mapping[str, Any],
    *,
    secrets: Iterable[Secret] = (),
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Refuse a parameter whose value is a known secret or looks like one, at any depth.

    A value with a name such as `ACCESS_TOKEN` is also refused, unless it is empty. A value
    that `plain_values` returns is refused only if it is a known secret.

    Raises:
        InputError: `secret_parameter`; the message contains the parameter's name, not its value.
    """
    plain = plain_values(parameters, environ=environ)
    masker = Masker(secrets, keep=plain)
    for name, value in parameters.items():
        if any(_is_secret(*leaf, masker=masker, plain=plain) for leaf in _leaves(name, value)):
            what = f"The parameter {masker(str(name))!r} has a value that looks like a secret."
            raise InputError("secret_parameter", what)


def _is_secret(name: str, text: str, *, masker: Masker, plain: frozenset[str]) -> bool:
    if text in plain:
        return any(found.known for found in masker.walk.finds(text))
    return bool((is_secret_name(name) and text.strip()) or masker.walk.finds(text))


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    """Yield every string in a value, including field names, with the name of its field."""
    waiting = [(str(name), value)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            for key, item in value.items():
                waiting.append((str(key), item))
                yield "", str(key)
        elif isinstance(value, (list, tuple, set)):
            waiting += [(name, item) for item in value]
        elif isinstance(value, (str, bytes)):
            yield name, value if isinstance(value, str) else value.decode("utf-8", "replace")
        elif isinstance(value, int) and is_secret_name(name) and not isinstance(value, bool):
            yield name, str(value)

"""Refuse a parameter that looks like a secret: papermill writes parameters down in clear, twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.masking.notebook_text import texts
from ddoauth_kit.masking.redaction import Masker

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ddoauth_kit.secret import Secret

_SECRET_NAME: Final = re.compile(
    r"(?:secret|token|password|api_?key|app(?:lication)?_?key)s?$", re.IGNORECASE
)


def refuse_secret_parameters(
    parameters: Mapping[str, Any], *, secrets: Iterable[Secret] = ()
) -> None:
    """Refuse a parameter whose value is a known secret or has the shape of one.

    A value under a name such as `ACCESS_TOKEN` is refused as well, unless it is empty.

    Raises:
        InputError: `secret_parameter`; the message names the parameter and not its value.
    """
    masker = Masker(secrets)
    for name, value in parameters.items():
        words = [text for _, text in texts(value)]
        named = _SECRET_NAME.search(name) and isinstance(value, str) and value.strip()
        if named or any(masker(text) != text for text in words):
            what = f"The parameter {masker(name)!r} has a value that looks like a secret."
            raise InputError("secret_parameter", what)

"""Turn a failure that a lesson wants into a value, so that the notebook goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec

from ddoauth_kit.errors import DdoauthError

if TYPE_CHECKING:
    from collections.abc import Callable

Arguments = ParamSpec("Arguments")


def provoke(
    call: Callable[Arguments, object], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> DdoauthError:
    """Call something that should fail, and return its error.

    Raises:
        AssertionError: nothing failed.
    """
    try:
        call(*args, **kwargs)
    except DdoauthError as error:
        return error
    raise AssertionError("This was expected to fail, and did not.")

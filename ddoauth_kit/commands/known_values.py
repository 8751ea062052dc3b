"""List the values that a command's options and arguments take, for shells and for suggestions.

Each function loads what it needs when it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable


def offer(action: argparse.Action, values: Callable[[], Iterable[str]]) -> None:
    """Let a shell complete the values of an option or argument, and let errors name it."""

    def completer(**_asked: object) -> tuple[str, ...]:
        return tuple(values())

    action.completer = completer  # type: ignore[attr-defined] # argcomplete reads it


def known_values(action: argparse.Action) -> tuple[str, ...]:
    """Return the known values of an option, or none if a package is missing."""
    if action.choices is not None:
        return tuple(map(str, action.choices))
    completer = getattr(action, "completer", tuple)
    try:
        return tuple(completer())
    except ModuleNotFoundError:
        return ()


def sites() -> tuple[str, ...]:
    """Return the names of the sites."""
    from ddoauth_kit.sites import DATADOG_SITES

    return DATADOG_SITES.names


def sites_or_all() -> tuple[str, ...]:
    """Return the names of the sites, and the word that stands for all of them."""
    return (*sites(), "all")


def scopes() -> Iterable[str]:
    """Return the names of the scopes in the catalogue."""
    from ddoauth_kit.scopes import known_scopes

    return known_scopes()


def lessons() -> Iterable[str]:
    """Return the names of the lessons."""
    from ddoauth_kit.workbook.lessons.notebooks import find_notebooks

    return [path.stem for path in find_notebooks()]


def codes() -> Iterable[str]:
    """Return the error codes that have an explanation."""
    from ddoauth_kit.errors.explainer import by_code

    return by_code()


def requirements() -> Iterable[str]:
    """Return the ids of the grader's requirements."""
    from ddoauth_kit.grading.requirements import REQUIREMENTS

    return REQUIREMENTS

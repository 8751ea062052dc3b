"""Regenerate the data files, or report how they differ from a version of the spec.

Run it as `python -m ddoauth_kit.maintenance.spec`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.maintenance.spec.bodies import answers_document
from ddoauth_kit.maintenance.spec.described_kinds import schemas_document
from ddoauth_kit.maintenance.spec.document import (
    answers_drift,
    catalogue_document,
    drift,
    schemas_drift,
    table,
    written,
    written_answers,
    written_schemas,
)
from ddoauth_kit.maintenance.spec.source import PACKAGE, newest_or, read_archive

if TYPE_CHECKING:
    from ddoauth_kit.maintenance.spec.source import Spec

PACKAGE_FOLDER: Final = Path(__file__).parents[2]
CATALOGUE: Final = PACKAGE_FOLDER / "catalogue.json"
ANSWERS: Final = PACKAGE_FOLDER / "sandbox" / "facts" / "answers.json"
SCHEMAS: Final = PACKAGE_FOLDER / "sandbox" / "facts" / "schemas.json"
SUCCESS, FOUND, BAD_INPUT = 0, 1, 2


class Derived(NamedTuple):
    """What the data files hold."""

    catalogue: dict[str, Any]
    answers: dict[str, Any]
    schemas: dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    """Write or check the data files; return 1 for drift and 2 for a missing spec."""
    options = _parser().parse_args(arguments)
    try:
        spec = read_archive(options.source) if options.source else newest_or(_version(options))
    except DdoauthError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the answer
        return BAD_INPUT
    return (_check if options.check else _write)(spec, derived(spec))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ddoauth_kit.maintenance.spec", description=__doc__
    )
    parser.add_argument("--check", action="store_true", help="write nothing, report drift")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--version", default="", help=f"of {PACKAGE} (the one in the catalogue)")
    which.add_argument("--newest", action="store_true", help="take the newest version")
    which.add_argument("--source", type=Path, metavar="FILE", help="a downloaded distribution")
    return parser


def _version(options: argparse.Namespace) -> str:
    if options.newest:
        return ""
    current = json.loads(CATALOGUE.read_text("utf-8"))["spec"]
    return str(options.version or current.rpartition(" ")[2])


def derived(spec: Spec) -> Derived:
    """Return the content of the catalogue, of the answers and of the schemas."""
    return Derived(catalogue_document(spec), answers_document(spec), schemas_document(spec))


def _check(spec: Spec, new: Derived) -> int:
    old = json.loads(CATALOGUE.read_text("utf-8"))
    answers = json.loads(ANSWERS.read_text("utf-8"))
    schemas = json.loads(SCHEMAS.read_text("utf-8"))
    found = [
        *drift(old, new=new.catalogue),
        *answers_drift(answers, new=new.answers),
        *schemas_drift(schemas, new=new.schemas),
    ]
    if found:
        print(table(found))  # noqa: T201 - the answer
    print(f"{len(found)} differences between {old['spec']} and {spec.name}")  # noqa: T201 - the answer
    return FOUND if found else SUCCESS


def _write(spec: Spec, new: Derived) -> int:
    CATALOGUE.write_text(written(new.catalogue), "utf-8")
    ANSWERS.write_text(written_answers(new.answers), "utf-8")
    SCHEMAS.write_text(written_schemas(new.schemas), "utf-8")
    names = f"{CATALOGUE.name}, {ANSWERS.name} and {SCHEMAS.name}"
    print(f"{names} hold {spec.name}")  # noqa: T201 - the answer
    return SUCCESS


if __name__ == "__main__":
    sys.exit(main())

"""The data files match the spec of the version that they name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ddoauth_kit.maintenance.spec import __main__ as command
from ddoauth_kit.maintenance.spec.__main__ import ANSWERS, CATALOGUE, SCHEMAS
from ddoauth_kit.maintenance.spec.additions import PARTNER_SCOPES
from ddoauth_kit.maintenance.spec.document import written, written_answers, written_schemas
from ddoauth_kit.maintenance.spec.source import Spec

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def spec(spec_archive: Path, spec_documents: tuple[dict[str, Any], ...]) -> Spec:
    """Give the spec that the data files name."""
    version = spec_archive.name.removesuffix(".tar.gz").rpartition("-")[2]
    return Spec(version, spec_documents)


@pytest.mark.long
def test_the_data_files_are_derived(spec: Spec, capsys: pytest.CaptureFixture[str]) -> None:
    """Byte for byte, so that nobody edits them by hand; the command's own check agrees.

    Every scope that the spec lists or uses is there, and those that only partners have.
    """
    derived = command.derived(spec)
    assert CATALOGUE.read_text("utf-8") == written(derived.catalogue)
    assert ANSWERS.read_text("utf-8") == written_answers(derived.answers)
    assert SCHEMAS.read_text("utf-8") == written_schemas(derived.schemas)
    assert ANSWERS.stat().st_size < 2_000_000
    assert command._check(spec, derived) == 0
    assert capsys.readouterr().out.startswith("0 differences")
    _check_scopes(spec.documents)


def test_one_entry_a_line() -> None:
    """A change of one operation is one line of a diff."""
    catalogue = CATALOGUE.read_text("utf-8").splitlines()
    answers = ANSWERS.read_text("utf-8").splitlines()
    operations = [line for line in catalogue if line.startswith('  {"id": ')]
    assert len(operations) == len(json.loads("\n".join(catalogue))["operations"])
    assert sum('": {"status": ' in line for line in answers) == len(operations) - 1


def _check_scopes(documents: tuple[dict[str, Any], ...]) -> None:
    named = set()
    for document in documents:
        flows = document["components"]["securitySchemes"]["AuthZ"]["flows"]
        named |= {scope for flow in flows.values() for scope in flow["scopes"]}
        for item in document["paths"].values():
            for operation in item.values():
                security = operation.get("security", []) if isinstance(operation, dict) else []
                named |= {scope for entry in security for scope in entry.get("AuthZ", [])}
    scopes = json.loads(CATALOGUE.read_text("utf-8"))["scopes"]
    assert {name for name, scope in scopes.items() if scope["source"] == "spec"} == named
    assert set(scopes) - named == set(PARTNER_SCOPES)
    assert all(scope["kind"] in {"read", "write", "run"} for scope in scopes.values())

"""The README counts the operations that Datadog's description has, and names those left out."""

from __future__ import annotations

from typing import Any

import pytest
from support.places import ROOT

from ddoauth_kit.maintenance.sandbox_page import README
from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.facts.unserved import UNSERVED

# Reading Datadog's description takes half a minute.
pytestmark = pytest.mark.long

METHODS = {"get", "post", "put", "patch", "delete"}


def described(documents: tuple[dict[str, Any], ...]) -> list[tuple[str, str]]:
    """Return method and path of each operation, read without the package's help."""
    return [
        (method.upper(), path)
        for document in documents
        for path, item in document["paths"].items()
        for method in METHODS & item.keys()
    ]


def test_what_is_left_out_is_listed(spec_documents: tuple[dict[str, Any], ...]) -> None:
    """The list contains everything that is described but not served, and nothing else."""
    served = {(operation.method, operation.path) for operation in catalogue().operations}
    left_out = set(described(spec_documents)) - served
    assert left_out == {(each.method, each.path) for each in UNSERVED}


def test_the_count_is_that_of_the_description(spec_documents: tuple[dict[str, Any], ...]) -> None:
    """Both READMEs name how many operations are served, and of how many."""
    count = len(described(spec_documents))
    text = f"{count - len(UNSERVED):,} of the {count:,} operations"
    assert text in README.read_text("utf-8")
    assert text in (ROOT / "README.md").read_text("utf-8")

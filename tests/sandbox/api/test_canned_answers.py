"""The responses derived from the spec cover the catalogue, are fictional, and load lazily."""

from __future__ import annotations

import re
import subprocess
import sys

from ddoauth_kit.sandbox.api.canned_answers import canned, documents
from ddoauth_kit.sandbox.facts.catalogue import MARKETPLACE_KEY, catalogue


def test_every_operation_has_an_answer() -> None:
    """The two data files list the same operations, but for the one that the spec lacks."""
    listed = {f"{o.method} {o.path}" for o in catalogue().operations if o.id != MARKETPLACE_KEY}
    assert set(documents()) == listed


def test_answers_are_encoded_once() -> None:
    """The same bytes serve every call."""
    operation = next(o for o in catalogue().operations if o.id == "ListRoles")
    assert canned(operation).answer is canned(operation).answer


def test_nothing_in_them_looks_real() -> None:
    """The data has no long runs of hex digits, known key formats, or real hosts and mailboxes."""
    for name, entry in documents().items():
        text = str(entry.get("body", ""))
        assert not re.search(r"[0-9a-fA-F]{32}", text), name
        assert not re.search(r"\b(AKIA|ASIA)[A-Z0-9]{12}|\bgh[pousr]_|\bxox[abp]-|\beyJ", text), (
            name
        )
        assert not re.search(r"-----BEGIN", text), name
        hosts = set(re.findall(r"\b(?:https?|wss?|ftp|s3)://([^/\s\"'<>)\\]+)", text))
        assert hosts <= {"example.com"}, name
        mailboxes = set(re.findall(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)", text))
        assert mailboxes <= {"example.com"}, name


def test_they_are_read_when_first_needed() -> None:
    """A sandbox that serves the lessons' operations never reads the large file."""
    code = (
        "from ddoauth_kit.sandbox import Sandbox\n"
        "from ddoauth_kit.sandbox.api import canned_answers as canned\n"
        "with Sandbox():\n"
        "    assert canned.documents.cache_info().currsize == 0\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""The command writes the data files, or reports through its exit code whether they differ."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from ddoauth_kit.maintenance.spec import __main__ as command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OK_BODY = {"properties": {"id": {"type": "integer", "example": 7}}, "type": "object"}


def operation(name: str, scope: str) -> dict[str, Any]:
    """Describe one operation that a scope opens."""
    return {
        "operationId": name,
        "tags": ["Monitors"],
        "security": [{"AuthZ": [scope]}],
        "responses": {"200": {"content": {"application/json": {"schema": OK_BODY}}}},
    }


def document(paths: dict[str, Any]) -> dict[str, Any]:
    """Describe a small API."""
    flow = {"scopes": {"monitors_read": "View monitors."}}
    return {
        "security": [{"apiKeyAuth": [], "appKeyAuth": []}, {"AuthZ": []}],
        "components": {"securitySchemes": {"AuthZ": {"flows": {"authorizationCode": flow}}}},
        "paths": paths,
    }


@pytest.fixture
def make_archive(tmp_path: Path) -> Callable[..., Path]:
    """Pack a source distribution with a spec of one v1 operation, changed or not."""

    def make(version: str, paths: dict[str, Any]) -> Path:
        file = tmp_path / f"datadog_api_client-{version}.tar.gz"
        with tarfile.open(file, "w:gz") as archive:
            for name, part in (("v1", paths), ("v2", {})):
                text = yaml.safe_dump(document(part)).encode()
                member = tarfile.TarInfo(f"client/.generator/schemas/{name}/openapi.yaml")
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text))
        return file

    return make


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Let the command write elsewhere."""
    catalogue, answers = tmp_path / "catalogue.json", tmp_path / "answers.json"
    monkeypatch.setattr(command, "CATALOGUE", catalogue)
    monkeypatch.setattr(command, "ANSWERS", answers)
    monkeypatch.setattr(command, "SCHEMAS", tmp_path / "schemas.json")
    return catalogue, answers


def test_it_writes_the_files(
    make_archive: Callable[..., Path],
    files: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Then a check of the same version finds nothing, and exits with 0."""
    source = make_archive("9.9.9", {"/api/v1/m": {"get": operation("ListM", "monitors_read")}})
    assert command.main(["--source", str(source)]) == 0
    assert capsys.readouterr().out == (
        "catalogue.json, answers.json and schemas.json hold datadog-api-client 9.9.9\n"
    )
    catalogue, answers = (json.loads(file.read_text("utf-8")) for file in files)
    assert [entry["id"] for entry in catalogue["operations"]] == [
        "ListM",
        "CreateMarketplaceApiKey",
    ]
    body = {"status": 200, "type": "application/json", "body": {"id": 7}}
    assert answers["answers"] == {"GET /api/v1/m": body}
    assert command.main(["--check", "--source", str(source)]) == 0
    assert capsys.readouterr().out.startswith("0 differences between")


def test_a_check_lists_the_drift(
    make_archive: Callable[..., Path],
    files: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each addition, removal and change is a row; the exit code is 1, and nothing is written."""
    old = {"/m": {"get": operation("A", "monitors_read")}, "/n": {"get": operation("B", "b_read")}}
    changed = operation("A", "c_read")
    changed["responses"]["201"] = changed["responses"].pop("200")
    new = {"/m": {"get": changed}, "/o": {"post": operation("C", "c_read")}}
    command.main(["--source", str(make_archive("1.0.0", old))])
    before = [file.read_text("utf-8") for file in files]
    capsys.readouterr()
    assert command.main(["--check", "--source", str(make_archive("1.1.0", new))]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "what       name                   change",
        "scope      b_read                 gone",
        "scope      c_read                 new",
        "operation  GET /m                 changed: scopes",
        "operation  GET /n                 gone",
        "operation  POST /o                new",
        "answer     GET /m                 changed: status",
        "answer     GET /n                 gone",
        "answer     POST /o                new",
        "schemas    of bodies and answers  changed",
        "9 differences between datadog-api-client 1.0.0 and datadog-api-client 1.1.0",
    ]
    assert [file.read_text("utf-8") for file in files] == before


def test_a_check_looks_beside_the_operations(
    make_archive: Callable[..., Path],
    files: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A site, a security scheme or an endpoint that differs is a row and exit code 1."""
    source = str(make_archive("1.0.0", {}))
    command.main(["--source", source])
    catalogue = json.loads(files[0].read_text("utf-8"))
    catalogue["platform"] = {
        "sites": {"us9.datadoghq.com": {}},
        "security schemes": {"AuthZ": {"type": "apiKey"}, "bearerAuth": {}},
        "endpoints": {"authorizationCode tokenUrl": {"path": "/oauth2/v1/token"}},
    }
    files[0].write_text(json.dumps(catalogue), "utf-8")
    capsys.readouterr()
    assert command.main(["--check", "--source", source]) == 1
    rows = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    found = {tuple(part.strip() for part in row if part.strip()) for row in rows}
    assert {
        ("site", "us9.datadoghq.com", "gone"),
        ("security scheme", "bearerAuth", "gone"),
        ("endpoint", "authorizationCode tokenUrl", "gone"),
    } <= found


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b broken"])
def test_a_broken_archive_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    """One line on standard error and exit code 2."""
    broken = tmp_path / "datadog_api_client-1.tar.gz"
    broken.write_bytes(content)
    assert command.main(["--check", "--source", str(broken)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert f"{broken.name} holds no readable spec" in said.err


def test_a_version_that_pip_does_not_find_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Pip's last line gives the reason: here, an empty folder has no such version."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert command.main(["--check", "--version", "0.0.1"]) == 2
    said = capsys.readouterr().err
    assert "pip could not download datadog-api-client==0.0.1: ERROR: No matching" in said

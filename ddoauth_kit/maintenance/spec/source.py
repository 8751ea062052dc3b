"""Find Datadog's OpenAPI spec, which is part of `datadog-api-client`'s source distribution."""

from __future__ import annotations

import gc
import subprocess
import tarfile
import tempfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from ddoauth_kit.errors import InputError
from ddoauth_kit.own_python import python_command

if TYPE_CHECKING:
    from collections.abc import Iterator

# The errors that tarfile, gzip and the YAML reader raise for invalid or truncated files.
_UNREADABLE: Final = (
    OSError,
    EOFError,
    KeyError,
    UnicodeDecodeError,
    tarfile.TarError,
    zlib.error,
    yaml.YAMLError,
)
PACKAGE: Final = "datadog-api-client"
_SCHEMAS: Final = ".generator/schemas/{version}/openapi.yaml"


@dataclass(frozen=True)
class Spec:
    """The spec's two documents, v1 and v2, and their version."""

    version: str
    documents: tuple[dict[str, Any], ...]

    @property
    def name(self) -> str:
        """Return the name that the data files use to cite their source."""
        return f"{PACKAGE} {self.version}"


def download(version: str, *, folder: Path) -> Path:
    """Download a source distribution with pip, from the index that pip is configured to use.

    An empty `version` means the newest one.

    Raises:
        InputError: `no_spec`, with pip's last line.
    """
    wanted = f"{PACKAGE}=={version}" if version else PACKAGE
    arguments = ["download", "--quiet", "--no-deps", "--no-binary", PACKAGE, wanted]
    done = subprocess.run(  # noqa: S603 - a fixed command and a version, without a shell
        [*python_command("-m", "pip"), *arguments, "--dest", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    archives = sorted(folder.glob("*.tar.gz"))
    if done.returncode or not archives:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise InputError("no_spec", f"pip could not download {wanted}: {last}.")
    return archives[0]


def read_archive(path: Path) -> Spec:
    """Read the spec from a source distribution.

    Raises:
        InputError: `no_spec`, if it is not an archive or doesn't contain a spec.
    """
    version = path.name.removesuffix(".tar.gz").rpartition("-")[2]
    try:
        with tarfile.open(path) as archive:
            return Spec(version, tuple(_document(archive, name) for name in ("v1", "v2")))
    except _UNREADABLE as error:
        why = str(error).partition("\n")[0]
        raise InputError("no_spec", f"{path.name} holds no readable spec: {why}.") from None


def newest_or(version: str) -> Spec:
    """Download and read a version's spec, or the newest spec."""
    with tempfile.TemporaryDirectory() as folder:
        return read_archive(download(version, folder=Path(folder)))


def _document(archive: tarfile.TarFile, version: str) -> dict[str, Any]:
    ending = _SCHEMAS.format(version=version)
    member = next((name for name in archive.getnames() if name.endswith(ending)), ending)
    file = archive.extractfile(member)
    if file is None:
        raise KeyError(member)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with _no_collection():
        document: dict[str, Any] = yaml.load(file, loader)  # noqa: S506 - both loaders are safe ones
    return document


@contextmanager
def _no_collection() -> Iterator[None]:
    """Collect no garbage in the block: a document has none, and the search would take longest."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()

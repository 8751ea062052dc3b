"""Share what several tests need: a server on loopback, and sends that end with the test."""

from __future__ import annotations

import gc
import json
import os
import pickle
import signal
import sys
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, settings
from support.checklist import pytest_runtest_setup, pytest_terminal_summary
from support.loopback import DrippingServer, HoldingServer, RawServer, RecordingServer
from support.once import made_once
from support.places import BUILT_SITE, SPEC_ARCHIVE, TESTS
from support.seconds import FolderSeconds
from xdist.scheduler import LoadFileScheduling

from ddoauth_kit.http.sender import Http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.authlib_server import AuthlibServer


__all__ = ["pytest_runtest_setup", "pytest_terminal_summary"]

# Hundreds of processes import the package here, and without bytecode each would compile it anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

settings.register_profile(
    "kit",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("kit")


# These files take longest. They start first, so that none runs alone at the end.
BROWSER = "tests/browser/"
LONGEST = (
    BROWSER,
    "tests/grading/test_mutants.py",
    "tests/test_workflows.py",
    "tests/workbook/lessons/test_lessons_live.py",
    "tests/workbook/runs/",
    "notebooks/",
    "tests/test_repository.py",
    "tests/workbook/verdicts/test_probe_tables.py",
    "tests/maintenance/spec/",
    "tests/registration/test_partners.py",
    "tests/workbook/lab/",
    "tests/soak/",
)
MOST_PROCESSES = 4
# Tests with these markers run only where a marker expression names them.
ASKED_FOR = ("soak", "judge", "runtimes", "tab")


def pytest_configure(config: pytest.Config) -> None:
    """Print the seconds of each folder after `--durations`."""
    config.pluginmanager.register(FolderSeconds())


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run one file in this process, and many side by side: one more than cores, as tests wait."""
    given = config.option.file_or_dir
    if len(given) == 1 and given[0].partition("::")[0].endswith((".py", ".ipynb")):
        return 0
    return min(len(os.sched_getaffinity(0)) + 1, MOST_PROCESSES)


class WholeFiles(LoadFileScheduling):
    """Keep a file in one process, and all files of the browser, which share it, in one as well."""

    def _split_scope(self, nodeid: str) -> str:
        return BROWSER if nodeid.startswith(BROWSER) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> WholeFiles:
    """Start the browser and its servers once."""
    return WholeFiles(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Import an own share of the files first, as the others do with theirs.

    Rewriting the assertions of all files takes six seconds of a processor in a new checkout, and
    each process would rewrite all of them.
    """
    name = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    everything = session.config.args_source is pytest.Config.ArgsSource.TESTPATHS
    if not name or not everything or session.config.option.markexpr:
        return
    paths = sorted(TESTS.rglob("test_*.py"))
    for path in paths[int(name) :: int(os.environ["PYTEST_XDIST_WORKER_COUNT"])]:
        # Pytest collects the file again, and reports what is wrong with it.
        with suppress(Exception):
            _ = pytest.Module.from_parent(session, path=path).obj


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import only the files that name the marker, where one alone is asked for: all take 12 s."""
    asked = config.option.markexpr
    if not asked.isidentifier() or collection_path.suffix not in {".py", ".ipynb"}:
        return None
    return f"mark.{asked}" not in collection_path.read_text("utf-8") or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out long tests and rare runtimes unless asked for; begin with the longest files."""
    asked = config.option.markexpr
    left_out = [
        item
        for item in items
        if any(item.get_closest_marker(name) and name not in asked for name in ASKED_FOR)
        or (item.get_closest_marker("long") and not {"long", "checklist"} & set(asked.split()))
    ]
    out = set(left_out)
    items[:] = sorted((item for item in items if item not in out), key=_rank)
    config.hook.pytest_deselected(items=left_out)


def _rank(item: pytest.Item) -> int:
    """Return the place of a test's file among the longest, or behind all of them."""
    places = (place for place, name in enumerate(LONGEST) if item.nodeid.startswith(name))
    return next(places, len(LONGEST))


@pytest.fixture(scope="session", autouse=True)
def _state_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests apart from settings and stored files of the person who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("DDOAUTH_")]:
            if name not in {SPEC_ARCHIVE, BUILT_SITE}:
                patch.delenv(name)
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        # Nobody's own keyring is asked, and none of the keyrings that tests make up.
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        yield


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Name the folder that all processes of this run of the tests have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def spec_archive(shared_folder: Path) -> Path:
    """Find the source distribution that the data files name, or download it by pip.

    The variable SPEC_ARCHIVE may name an existing file.
    """
    from ddoauth_kit.maintenance.spec.__main__ import CATALOGUE
    from ddoauth_kit.maintenance.spec.source import download

    given = os.environ.get(SPEC_ARCHIVE)
    if given:
        return Path(given)
    version = json.loads(CATALOGUE.read_text("utf-8"))["spec"].rpartition(" ")[2]
    archive = shared_folder / f"datadog_api_client-{version}.tar.gz"
    return made_once(archive, lambda folder: download(version, folder=folder))


@pytest.fixture(scope="session")
def spec_documents(spec_archive: Path, shared_folder: Path) -> tuple[dict[str, Any], ...]:
    """Read the spec's two documents, v1 and v2, without the package's help."""

    def read(folder: Path) -> Path:
        (folder / "documents").write_bytes(pickle.dumps(_documents(spec_archive)))
        return folder / "documents"

    content = made_once(shared_folder / "spec.documents", read).read_bytes()
    documents: tuple[dict[str, Any], ...] = pickle.loads(content)
    return documents


def _documents(spec_archive: Path) -> tuple[dict[str, Any], ...]:
    """Parse both documents, which takes seconds."""
    documents = []
    gc.disable()  # a document has no garbage, and the search for it would take longest
    with tarfile.open(spec_archive) as archive:
        names = [name for name in archive.getnames() if name.endswith("/openapi.yaml")]
        for name in sorted(names):
            text = archive.extractfile(name)
            assert text is not None
            documents.append(yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    gc.enable()
    return tuple(documents)


@pytest.fixture
def slept() -> list[float]:
    """Record the seconds that `http` was told to wait; it never really waits."""
    return []


@pytest.fixture
def http(slept: list[float]) -> Iterator[Http]:
    """Give a sender that waits without sleeping and is closed at the end."""
    with Http(timeout=30.0, sleep=slept.append) as sender:
        yield sender


@pytest.fixture
def serve() -> Iterator[Callable[..., RecordingServer]]:
    """Start servers that answer what the test says and record what they got."""
    servers: list[RecordingServer] = []

    def start(*answers: object, **options: object) -> RecordingServer:
        servers.append(RecordingServer(*answers, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def serve_raw() -> Iterator[Callable[..., RawServer]]:
    """Start servers that send the given bytes and hang up, or send nothing at all."""
    servers: list[RawServer] = []

    def start(payload: bytes | None) -> RawServer:
        servers.append(RawServer(payload))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def serve_held() -> Iterator[Callable[..., HoldingServer]]:
    """Start servers that send the given bytes and keep the connection open."""
    servers: list[HoldingServer] = []

    def start(payload: bytes, **options: Any) -> HoldingServer:
        servers.append(HoldingServer(payload, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def serve_dripping() -> Iterator[Callable[..., DrippingServer]]:
    """Start servers that never come to an end."""
    servers: list[DrippingServer] = []

    def start(begin: bytes, piece: bytes, **options: Any) -> DrippingServer:
        servers.append(DrippingServer(begin, piece, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def rotate(request: pytest.FixtureRequest) -> bool:
    """Return whether the judge's responses to a refresh contain a new refresh token."""
    return getattr(request, "param", True)


@pytest.fixture
def authlib_server(monkeypatch: pytest.MonkeyPatch, *, rotate: bool) -> Iterator[AuthlibServer]:
    """Run an authorization server of Authlib's that knows one client."""
    from support.authlib_server import AuthlibServer, Client

    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    client = Client(
        client_id="acme",
        client_secret="canary-client-secret-4711",
        redirect_uri="https://acme.example.com/callback",
        scope="events_read api_keys_write",
    )
    with AuthlibServer(client=client, rotate=rotate) as server:
        yield server


@pytest.fixture(autouse=True, scope="session")
def interrupts() -> None:
    """Accept interrupts as a terminal's program does: a shell's background job ignores them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)

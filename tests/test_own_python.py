"""No Python that the kit starts imports from the current folder."""

from __future__ import annotations

import ast
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.builders import notebook_file
from support.places import KIT, ROOT

from ddoauth_kit.commands.tile import tile
from ddoauth_kit.own_python import SAFE, python_command, python_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.checklist("N6")
BIN = Path(sys.executable).parent
STARTS = frozenset(
    [
        "Popen",
        "run",
        "call",
        "check_call",
        "check_output",
        "getoutput",
        "system",
        "popen",
        "fork",
        "forkpty",
        "posix_spawn",
        "posix_spawnp",
        "startfile",
        "create_subprocess_exec",
        "create_subprocess_shell",
        "subprocess_exec",
        "subprocess_shell",
        "ProcessPoolExecutor",
        "Process",
        "start_new_kernel",
        "KernelSpec",
    ]
)
# What starts a process, and whether that is Python; `fork` copies a process that has its path.
KNOWN = {
    ("grading/bench.py", "subprocess.run"): "the user's command",
    ("grading/front/isolation.py", "subprocess.run"): "unshare, mount and the user's command",
    ("grading/front/process.py", "subprocess.Popen"): "the user's command",
    ("commands/lab.py", "subprocess.Popen"): "python",
    ("maintenance/site/__main__.py", "subprocess.run"): "python",
    ("maintenance/site/parts.py", "subprocess.run"): "python",
    ("maintenance/spec/source.py", "subprocess.run"): "python",
    ("publishing/history.py", "subprocess.run"): "git",
    ("workbook/runs/forkserver.py", "os.fork"): "copy",
    ("workbook/runs/kernel_template.py", "subprocess.Popen"): "python",
    ("workbook/runs/kernels.py", "KernelSpec"): "python",
}
PLANTED = [
    "starlette",
    "ipykernel_launcher",
    "ipykernel",
    "jupyterlab",
    "papermill",
    "nbformat",
    "nbclient",
    "jupyter_client",
    "jupyter_server",
    "uvicorn",
    "httpx",
    "anyio",
    "pandas",
    "keyring",
    "traitlets",
    "zmq",
    "tornado",
    "IPython",
    "psutil",
    "sitecustomize",
    "usercustomize",
    # what others look for by name
    *(
        "conftest",
        "setup",
        "yaml",
        "dask",
        "distributed",
        "matplotlib",
        "numpy",
        "jinja2",
        "dotenv",
    ),
    *("debugpy", "comm", "nbconvert", "tqdm", "nh3", "ipywidgets", "h11", "certifi", "evilmod"),
]
# Python's own, which everything imports first; with `-m` no program can leave the folder earlier.
STANDARD = [
    *("json", "re", "logging", "random", "secrets", "socket", "ssl", "email", "asyncio", "typing"),
    *("dataclasses", "uuid", "tempfile", "subprocess", "threading", "copy", "enum", "tomllib"),
    *("site", "code", "platform", "struct", "string", "token", "readline", "rlcompleter"),
]
# Files of settings that name code, of every program that a run or a lab is made of.
CONFIGS = [
    *("jupyter_config", "jupyter_server_config", "jupyter_lab_config", "jupyter_notebook_config"),
    *("jupyter_labapp_config", "jupyter_client_config", "jupyter_nbconvert_config"),
    *("ipython_config", "ipython_kernel_config", "ipykernel_config", "papermill_config"),
]
SITES = ["site-packages", "lib/python3.11/site-packages", ".venv/lib/python3.11/site-packages"]
TEMPLATES = ["templates", "lab", "classic", "base", "share/jupyter/nbconvert/templates/lab"]
KERNELS = ["kernels", "share/jupyter/kernels", ".local/share/jupyter/kernels", ".jupyter/kernels"]
PROFILES = ["profile_default", ".ipython/profile_default", "ipython/profile_default"]
GROUPS = [
    *("papermill.engine", "papermill.io", "papermill.translators", "keyring.backends"),
    *(
        "jupyter_client.kernel_provisioners",
        "nbconvert.exporters",
        "pytest11",
        "matplotlib.backend",
    ),
    *("jupyter_serverproxy_servers", "dask.sizeof", "pandas_plotting_backends"),
]
PROGRAMS = ["python", "python3", "git", "sh", "jupyter-lab", "unshare", "xdg-open"]


def _starts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield file and name of each call that may start a process."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        last = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if last not in STARTS and not last.startswith(("execl", "execv", "spawnl", "spawnv")):
            continue
        name = ast.unparse(node.func)
        module = name.partition(".")[0]
        known_module = module in {"subprocess", "os", "asyncio", "multiprocessing", "pty"}
        alone = name == last and last not in {"run", "call", "system", "Process"}
        if (known_module or alone) and name != "asyncio.run":
            yield path.relative_to(KIT).as_posix(), name


def test_every_start_is_known() -> None:
    """A new start of a process fails here until somebody has looked at it."""
    found = {start for path in sorted(KIT.rglob("*.py")) for start in _starts(path)}
    assert found == set(KNOWN)


def test_every_python_is_started_in_one_way() -> None:
    """Modules that start Python get the command from one place; no other names the interpreter."""
    naming = {
        path.relative_to(KIT).as_posix()
        for path in KIT.rglob("*.py")
        if "sys.executable" in path.read_text("utf-8")
    }
    assert naming == {"own_python.py", "workbook/runs/safe_kernels.py"}
    for (name, _), kind in KNOWN.items():
        text = (KIT / name).read_text("utf-8")
        assert kind != "python" or "python_command(" in text or "LAUNCHER" in text
    assert python_command("-m", "x") == [sys.executable, SAFE, "-m", "x"]


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (None, None),
        ("", None),
        (":", None),
        (":/a", "/a"),
        ("/a:", "/a"),
        ("/a::/b", "/a:/b"),
        (".", None),
        (".:/a", "/a"),
        ("./x:/a", "/a"),
        ("../x:/a", "/a"),
        ("x", None),
        ("~/x", None),
        ("/a:/b", "/a:/b"),
        ("::::", None),
        (" :/a", "/a"),
        ("/a:x:/b:.", "/a:/b"),
        ("/", "/"),
        ("\t:/a", "/a"),
        ("..", None),
        ("/a/../b", "/a/../b"),
    ],
)
def test_paths_of_the_environment(given: str | None, left: str | None) -> None:
    """An entry of `PYTHONPATH` that depends on the current folder is not handed on."""
    environ = {"HOME": "/h"} | ({} if given is None else {"PYTHONPATH": given})
    expected = {"HOME": "/h"} | ({} if left is None else {"PYTHONPATH": left})
    assert python_environment(environ) == expected


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """Return a folder in which every module that the kit may import notes that it was run."""
    folder = tmp_path / "trap"
    folder.mkdir()
    note = f"import pathlib\npathlib.Path({str(tmp_path / 'sprung')!r}).open('a').write(__name__)\n"
    for name in (*PLANTED, *STANDARD):
        (folder / f"{name}.py").write_text(note, "utf-8")
    (folder / "ddoauth_kit").mkdir()
    (folder / "ddoauth_kit" / "__init__.py").write_text(note, "utf-8")
    for path, text in _files_that_name_code(note, tmp_path / "sprung"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    for name in PROGRAMS:
        (folder / name).write_text(f"#!/bin/sh\necho {name} >> {tmp_path / 'sprung'}\n", "utf-8")
        (folder / name).chmod(0o755)
    return folder


def _files_that_name_code(note: str, sprung: Path) -> Iterator[tuple[str, str]]:
    """Yield settings, plug-ins, templates, kernels and start-up files that each run a note."""
    one_line = note.strip().replace("\n", "; ")
    extensions = {"jpserver_extensions": {"evilmod": True}}
    settings = {name: {"exec_lines": [one_line]} for name in ("IPKernelApp", "InteractiveShellApp")}
    for name in CONFIGS:
        yield f"{name}.py", note
        yield f"{name}.json", json.dumps({"ServerApp": extensions, **settings})
        yield f"{name}.d/evil.json", json.dumps({"ServerApp": extensions, **settings})
    for name in ("", *SITES):
        yield f"{name or '.'}/evil.pth", one_line + "\n"
        yield f"{name or '.'}/evil-1.0.dist-info/METADATA", "Name: evil\nVersion: 1.0\n"
        points = "".join(f"[{group}]\nddoauth = evilmod:x\n" for group in GROUPS)
        yield f"{name or '.'}/evil-1.0.dist-info/entry_points.txt", points
    for name in TEMPLATES:
        shell = f"cycler.__init__.__globals__.os.system('echo template >> {sprung}')"
        for file in ("index.html.j2", "base.html.j2", "base.j2", "null.j2", "full.tpl"):
            yield f"{name}/{file}", "{{ " + shell + " }}"
        yield f"{name}/conf.json", json.dumps({"preprocessors": {"1": {"type": "evilmod.X"}}})
    for name in KERNELS:
        for kernel in ("python3", "ddoauth-python"):
            argv = ["/bin/sh", "-c", f"echo kernelspec >> {sprung}"]
            spec = {"argv": argv, "display_name": "x", "language": "python"}
            yield f"{name}/{kernel}/kernel.json", json.dumps(spec)
    for name in PROFILES:
        for file in ("ipython_config.py", "ipython_kernel_config.py", "startup/00-evil.py"):
            yield f"{name}/{file}", note
    yield ".env", "PYTHONSTARTUP=./evilmod.py\nPYTHONPATH=.\n"
    yield "pyproject.toml", '[tool.pytest.ini_options]\naddopts = "-p evilmod"\n'
    yield "pytest.ini", "[pytest]\naddopts = -p evilmod\n"
    ring = f"default-keyring=evilmod.K\nkeyring-path={sprung.parent / 'trap'}\n"
    yield "keyringrc.cfg", f"[backend]\n{ring}"
    yield "distributed.yaml", "distributed:\n  worker:\n    preload: [./evilmod.py]\n"
    yield "matplotlibrc", "backend: module://evilmod\n"
    yield ".pdbrc", one_line + "\n"
    yield "pyvenv.cfg", "home = /nowhere\n"


def _environment(folder: Path) -> dict[str, str]:
    home = folder / "home"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DDOAUTH_")}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "DDOAUTH_STORE": "memory",
    }


COMMANDS = {
    "run": ["ddoauth", "run", "{notebook}", "--out", "out"],
    "run-forked": ["ddoauth", "run", "{notebook}", "--site", "us1", "--site", "eu1", "--out", "o"],
    "engine": ["papermill", "--engine", "ddoauth", "{notebook}", "out.ipynb"],
    "engine-other-kernel": [
        *("papermill", "--engine", "ddoauth", "-k", "python3", "{notebook}", "out.ipynb")
    ],
    "doctor": ["ddoauth", "doctor", "--format", "json"],
    "scan": ["ddoauth", "scan", "{notebook}"],
    "probe": ["ddoauth", "probe", "--scope", "events_read"],
    "store": ["ddoauth", "store"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_nothing_planted_is_run(command: list[str], trap: Path, tmp_path: Path) -> None:
    """In a folder full of modules with the names that the kit imports, none of them is run."""
    notebook = notebook_file(
        tmp_path, "works", "import starlette, uvicorn, ddoauth_kit.workbook\nprint(SITE)"
    )
    program, *arguments = [part.format(notebook=notebook) for part in command]
    done = subprocess.run(
        [str(BIN / program), *arguments],
        cwd=trap,
        env=_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert not (tmp_path / "sprung").exists(), (tmp_path / "sprung").read_text("utf-8")
    assert done.returncode in ({0, 1} if "doctor" in command else {0}), done.stderr


def test_the_module_leaves_the_folder(trap: Path, tmp_path: Path) -> None:
    """`python -m ddoauth_kit` removes the folder from its path once its own package is found."""
    (trap / "ddoauth_kit" / "__init__.py").unlink()
    (trap / "ddoauth_kit").rmdir()
    for name in ("sitecustomize", "usercustomize", *STANDARD):  # run before any program
        (trap / f"{name}.py").unlink()
    done = subprocess.run(
        [sys.executable, "-m", "ddoauth_kit", *COMMANDS["probe"][1:]],
        cwd=trap,
        env=_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "sprung").exists()


def test_the_tile_runs_nothing_planted(trap: Path, tmp_path: Path) -> None:
    """The command that the proxy starts for the tile serves, and runs nothing of the folder."""
    command = [part.format(port=0, base_url="/") for part in tile()["command"]]
    environment = {**_environment(tmp_path), "JPY_PARENT_PID": "1"}
    with subprocess.Popen(command, cwd=trap, env=environment) as process:
        until = time.monotonic() + 60
        while not list((tmp_path / "home").rglob("ddoauth-sandbox-*.json")):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        process.terminate()
    assert not (tmp_path / "sprung").exists()


def test_the_lab_and_its_kernels_run_nothing_planted(trap: Path, tmp_path: Path) -> None:
    """`ddoauth lab` in such a folder starts a server and a kernel, and runs nothing of it."""
    with _lab(trap, tmp_path) as ask:
        kernel = ask("kernels", {"name": "python3"})
        (connection,) = (tmp_path / "home" / "runtime").glob(f"kernel-{kernel['id']}.json")
        where = _executed(connection, "import starlette; print(starlette.__file__)")
    assert not (tmp_path / "sprung").exists(), (tmp_path / "sprung").read_text("utf-8")
    assert "site-packages" in where


@contextmanager
def _lab(trap: Path, tmp_path: Path) -> Iterator[Any]:
    token = secrets.token_hex(16)
    options = [f"--IdentityProvider.token={token}", "--ServerApp.port=0", "--allow-root"]
    command = [str(BIN / "ddoauth"), "lab", "--no-browser", "--out", str(trap), "--", *options]
    runtime = tmp_path / "home" / "runtime"
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(
            command, cwd=trap, env=_environment(tmp_path), stdout=log, stderr=log
        ) as process,
    ):
        try:
            until = time.monotonic() + 90
            while not (found := list(runtime.glob("jpserver-*.json"))):
                assert process.poll() is None, (tmp_path / "log").read_text("utf-8")
                assert time.monotonic() < until
                time.sleep(0.2)
            url = _written(found[0])["url"]

            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

            def ask(path: str, document: dict[str, Any]) -> Any:
                request = urllib.request.Request(
                    f"{url}api/{path}",
                    data=json.dumps(document).encode(),
                    headers={"Authorization": f"token {token}"},
                )
                while True:  # the file that names the address is there before it answers
                    try:
                        with direct.open(request, timeout=60) as answer:
                            return json.load(answer)
                    except urllib.error.URLError as error:
                        refused = isinstance(error.reason, ConnectionRefusedError)
                        if not refused or time.monotonic() > until:
                            raise
                        time.sleep(0.2)

            yield ask
        finally:
            process.terminate()


def _written(path: Path) -> Any:
    """Return what a JSON file contains as soon as it is complete."""
    for _ in range(600):
        with suppress(ValueError):
            return json.loads(path.read_text("utf-8"))
        time.sleep(0.1)
    raise AssertionError(f"{path.name} stays incomplete")


def _executed(connection: Path, code: str) -> str:
    """Return what code prints in the kernel of a connection file."""
    from jupyter_client.blocking import BlockingKernelClient

    client = BlockingKernelClient(connection_file=str(connection))
    client.load_connection_file()
    client.start_channels()
    texts: list[str] = []
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with suppress(RuntimeError):  # it takes a heart that beats late for a dead one
                client.wait_for_ready(timeout=60)
                break
        client.execute_interactive(
            code, timeout=60, output_hook=lambda m: texts.append(str(m["content"].get("text", "")))
        )
    finally:
        client.stop_channels()
    return "".join(texts)

"""No secret is in a run's files, its output or process arguments."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.builders import readable
from support.leaky import ENDINGS, ENVIRONMENT, in_positions, leaky_notebook

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.checklist("N1")
SITE = "eu1"
DRIVERS = {
    "papermill": ["papermill", "--engine", "ddoauth", "--log-output", "--no-progress-bar"],
    "ddoauth": ["ddoauth_kit", "run"],
}


class Place:
    """The folders of one run: it writes only under `root`, and the test's folder is next to it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "left"
        self.out = self.root / "out"
        self.issued = folder / "issued"
        self.ready = folder / "ready"
        for name in ("out", "tmp", "home", "cwd"):
            (self.root / name).mkdir(parents=True)
        for each in (self.issued, self.ready):
            each.mkdir()

    def environment(self) -> dict[str, str]:
        """Return an environment with canaries, in which everything is written below `root`."""
        return {
            **os.environ,
            **ENVIRONMENT,
            "CANARIES": json.dumps(list(ENVIRONMENT.values())),
            "HOME": str(self.root / "home"),
            "IPYTHONDIR": str(self.root / "home" / "ipython"),
            "JUPYTER_RUNTIME_DIR": str(self.root / "home" / "runtime"),
            "TMPDIR": str(self.root / "tmp"),
            "ISSUED": str(self.issued),
            "READY": str(self.ready),
        }

    def command(self, driver: str, *notebooks: Path) -> list[str]:
        """Return the command of a driver, which runs one notebook if it is papermill."""
        if driver == "papermill":
            (notebook,) = notebooks
            where = [str(notebook), str(self.executed(notebook.stem)), "-p", "SITE", SITE]
        else:
            where = [*map(str, notebooks), "--site", SITE, "--out", str(self.out)]
        return [sys.executable, "-m", *DRIVERS[driver], *where]

    def executed(self, ending: str) -> Path:
        """Return the path of the executed notebook."""
        return self.out / f"{ending}.{SITE}.ipynb"

    def secrets(self) -> list[str]:
        """Return what was issued to each notebook, and the canaries."""
        found = [json.loads(path.read_text("utf-8")) for path in self.issued.iterdir()]
        assert min(map(len, found)) >= 10
        return [*dict.fromkeys(secret for each in found for secret in each)]

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield every file that was left, with its text."""
        for path in self.root.rglob("*"):
            if path.is_file():
                yield path.name, path.read_bytes().decode("utf-8", "replace")


def _leaks(secrets: list[str], texts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the readable secrets, even with JSON or HTML marks or spaces between their letters."""
    return [
        (name, secret)
        for name, text in texts
        for plain in (text, *_joined_outputs(name, text))
        for secret in secrets
        if readable(secret, plain) or json.dumps(secret)[1:-1] in plain
    ]


def _joined_outputs(name: str, text: str) -> Iterator[str]:
    """Yield the texts of a notebook's outputs as a reader would put them together."""
    if not name.endswith(".ipynb"):
        return
    outputs = [o for c in json.loads(text)["cells"] for o in c.get("outputs", ())]
    streams = ["".join(o["text"]) for o in outputs if o["output_type"] == "stream"]
    shown = ["".join(o["data"].get("text/plain", "")) for o in outputs if "data" in o]
    for parts in (streams, shown):
        yield "".join(parts)
        yield re.sub(r"[\s']+", "", "".join(parts))


def _arguments(place: Place) -> str:
    """Return the arguments of the run's processes; other tests may have the same canaries."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.fsencode(place.issued) in (path / "environ").read_bytes():
                found.append((path / "cmdline").read_bytes().decode("utf-8", "replace"))
    return "\n".join(found)


@pytest.mark.parametrize(
    ("driver", "endings"),
    [*(("papermill", [ending]) for ending in ENDINGS), ("ddoauth", list(ENDINGS))],
    ids=lambda given: given if isinstance(given, str) else " ".join(given),
)
def test_nothing_is_left(driver: str, endings: list[str], tmp_path: Path) -> None:
    """During a run, and however it ends, its files, output and arguments are clean."""
    place = Place(tmp_path)
    notebooks = [leaky_notebook(tmp_path, ending=ending) for ending in endings]
    with subprocess.Popen(
        place.command(driver, *notebooks),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=place.root / "cwd",
        env=place.environment(),
        start_new_session=True,
    ) as process:
        meanwhile: list[tuple[str, str]] = []
        until = time.monotonic() + 60
        while (
            len(list(place.ready.iterdir())) < len(endings)
            and process.poll() is None
            and time.monotonic() < until
        ):
            meanwhile.append(("arguments", _arguments(place)))
            time.sleep(0.2)
        if "interrupt" in endings:
            alone = [place.executed(ending) for ending in endings if ending != "interrupt"]
            while not all(path.exists() for path in alone) and time.monotonic() < until:
                time.sleep(0.2)
            time.sleep(1)
            meanwhile += place.texts()
            os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert len(list(place.ready.iterdir())) == len(endings), err
    assert (process.returncode == 0) == (endings == ["success"]), err
    left = [*place.texts(), ("stdout", out), ("stderr", err)]
    assert any(driver in text for kind, text in meanwhile if kind == "arguments")
    assert _leaks(place.secrets(), [*meanwhile, *left]) == []
    if driver == "ddoauth":
        assert process.returncode == 130
        assert "Traceback" not in err
        results = json.loads((place.out / "summary.json").read_text("utf-8"))
        assert results["passed"] == endings.count("success")
    for ending in endings:
        if (driver, ending) == ("ddoauth", "interrupt"):
            continue
        executed = place.executed(ending).read_text("utf-8")
        printed = "".join(_joined_outputs("x.ipynb", executed))
        assert not [text for text in in_positions(place.secrets()) if text in printed]
        assert "<sandbox_access>" in executed
        assert "<DD_API_KEY>" in executed
        parameters = json.loads(executed)["metadata"]["papermill"]["parameters"]
        assert parameters["SITE"] == SITE
    assert not list((place.root / "tmp").glob("ddoauth-*"))


def test_the_notebook_does_leak(tmp_path: Path) -> None:
    """With papermill's own engine the same search finds every one of the secrets."""
    place = Place(tmp_path)
    command = place.command("papermill", leaky_notebook(tmp_path, ending="failure"))
    command[command.index("--engine") + 1] = "nbclient"
    subprocess.run(
        command, env=place.environment(), cwd=place.root / "cwd", check=False, capture_output=True
    )
    secrets = place.secrets()
    found = {secret for _, secret in _leaks(secrets, list(place.texts()))}
    assert found == set(secrets)
    executed = place.executed("failure").read_text("utf-8")
    printed = "".join(_joined_outputs("x.ipynb", executed))
    assert not [text for text in in_positions(secrets) if text not in printed]

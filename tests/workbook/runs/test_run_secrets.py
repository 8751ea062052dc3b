"""A run knows every secret in the stores, even those that its notebook stores meanwhile."""

from __future__ import annotations

import json
import os
from dataclasses import astuple
from typing import TYPE_CHECKING

import papermill
import pytest
from support.backends import live_environment
from support.builders import notebook_file, readable
from support.leaky import POSITIONED, POSITIONS, in_positions
from support.slots import fill, slots

from ddoauth_kit.cli import main
from ddoauth_kit.secret import Secret
from ddoauth_kit.store import FileStore, KeyringStore, Slot, open_store
from ddoauth_kit.workbook.runs.comparison import read_earlier
from ddoauth_kit.workbook.runs.run_secrets import known_secrets

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.checklist("N5")
READS = """
import base64, html, json, os, sys, urllib.parse
from pathlib import Path
records = [json.loads(p.read_text()) for p in Path(os.environ["KEPT"]).glob("*.json")]
kept = [r["secret"] for r in records]
---
print(kept)
---
for value in kept:
    print(base64.b64encode(value.encode()).decode(), urllib.parse.quote(value), file=sys.stderr)
---
from IPython.display import HTML, display
for value in kept: display(HTML("<b>" + html.escape(value) + "</b>"))
---
tokens = [json.loads(v) for v in kept if v.startswith("{")]
json.dumps(json.dumps(tokens)), [t["refresh_token"][:9] + "|" + t["access_token"] for t in tokens]
"""


def test_tokens_of_the_keyring_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that is replaced while the notebook runs is known, and so is the one before."""
    store = KeyringStore(live_environment(monkeypatch))
    slot = Slot("refresh_token", "us1", "acme")
    store.put(slot, Secret("canary-first", label="x"))
    known = known_secrets({"MODE": "live", "SITE": "us1"})
    before = {secret.reveal() for secret in known()}
    store.put(slot, Secret("canary-second", label="x"))
    store.put(Slot("api_key", "eu1", "other", "private", "org"), Secret("canary-key", label="x"))
    after = {secret.reveal() for secret in known()}
    assert "canary-first" in before
    assert after >= before | {"canary-second", "canary-key"}


@pytest.mark.parametrize(
    "parameters", [{"MODE": "sandbox"}, {}, {"MODE": "live", "SITE": "mars"}, {"MODE": 1}], ids=str
)
def test_every_run_knows_what_is_kept(
    parameters: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook can read the keyring whatever its parameters, so its run knows the contents."""
    canaries = fill(KeyringStore(live_environment(monkeypatch)), slots())
    assert set(canaries) <= {secret.reveal() for secret in known_secrets(parameters)()}


@pytest.mark.parametrize(
    ("place", "run"),
    [
        ("DDOAUTH_STORE_FOLDER", "ddoauth live"),
        ("HOME", "papermill live"),
        ("XDG_STATE_HOME", "ddoauth sandbox"),
    ],
)
def test_a_run_writes_none_of_it(
    place: str,
    run: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A notebook that shows every slot of the file store leaves no secret of it in any file."""
    _set_up(monkeypatch, tmp_path, place)
    store = open_store().store
    assert "files" in store.where
    canaries = fill(store, slots()[::3])
    folder = next(path for path in (tmp_path / "kept").rglob("*.json")).parent
    notebook = notebook_file(tmp_path, "reads", *READS.split("---\n"))
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setenv("KEPT", str(folder))
    driver, mode = run.split()
    if driver == "papermill":
        papermill.execute_notebook(
            notebook,
            out / "reads.ipynb",
            parameters={"MODE": mode},
            engine_name="ddoauth",
        )
    else:
        assert main(["run", str(notebook), "--mode", mode, "--out", str(out)]) == 0
    texts = [path.read_text("utf-8") for path in out.rglob("*") if path.is_file()]
    texts += capfd.readouterr()
    assert any("<refresh_token>" in text for text in texts)
    assert not [c for c in canaries if any(readable(c, text) for text in texts)]


def test_every_slot_in_every_position(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run leaves no secret from any slot, wherever it is in an output and however encoded.

    In each position stands what a slot has in the keyring, or what it has in the file store.
    """
    backend = live_environment(monkeypatch)
    monkeypatch.setenv("DDOAUTH_STORE_FOLDER", str(tmp_path / "kept"))
    in_keyring = fill(KeyringStore(backend), slots())
    in_files = fill(FileStore(tmp_path / "kept"), slots(), word="filed")
    assert not set(in_keyring) & set(in_files)
    canaries = [*in_keyring, *in_files]
    given = tmp_path / "given.json"
    given.write_text(json.dumps([in_keyring, in_files]), "utf-8")
    monkeypatch.setenv("GIVEN", str(given))
    functions = ", ".join(f"lambda s: {each}" for each in POSITIONS)
    prints = "pairs = zip(*json.loads(Path(os.environ['GIVEN']).read_text()))\n"
    prints += "for number, pair in enumerate(pairs):\n"
    prints += "    for place, show in enumerate(shows): print(show(pair[(number + place) % 2]))"
    imports = "import os\nfrom pathlib import Path\n"
    notebook = notebook_file(
        tmp_path, "shows", f"{POSITIONED}{imports}shows = [{functions}]\n{prints}\nprint('end')"
    )
    out = tmp_path / "out"
    assert main(["run", str(notebook), "--out", str(out)]) == 0
    outputs = json.loads((out / "shows.us1.ipynb").read_text("utf-8"))["cells"][-1]["outputs"]
    printed = "".join("".join(output["text"]) for output in outputs)
    assert printed.endswith("end\n")
    assert len(in_keyring) * len(POSITIONS) > 1900
    forms = in_positions(canaries)
    assert not [form for form in forms if form in printed]
    texts = [path.read_text("utf-8") for path in out.rglob("*") if path.is_file()]
    assert not [c for c in canaries if any(readable(c, text) for text in texts)]


def test_the_scan_knows_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the store's secrets, in a separate file, is a finding of `ddoauth scan`."""
    monkeypatch.setenv("DDOAUTH_STORE", "file")
    monkeypatch.setenv("DDOAUTH_STORE_FOLDER", str(tmp_path / "kept"))
    canaries = fill(FileStore(tmp_path / "kept"), slots()[::3])
    left = tmp_path / "left"
    left.mkdir()
    for number, canary in enumerate(canaries):
        (left / f"{number}.txt").write_text(f"a {canary} b", "utf-8")
    assert main(["scan", str(left), "--format", "json"]) == 1


def test_the_scan_names_what_it_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A store that is open to others is not trusted, and the scan says what it does not know."""
    monkeypatch.setenv("DDOAUTH_STORE", "file")
    monkeypatch.setenv("DDOAUTH_STORE_FOLDER", str(tmp_path / "kept"))
    FileStore(tmp_path / "kept")
    (tmp_path / "kept").chmod(0o755)
    assert main(["scan", str(tmp_path)]) == 0
    assert "does not look for" in capsys.readouterr().err


def test_a_comparison_copies_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text from an earlier run's files is masked again and made printable before it is shown."""
    monkeypatch.setenv("DDOAUTH_STORE_FOLDER", str(tmp_path / "kept"))
    (canary, *_) = fill(FileStore(tmp_path / "kept"), slots()[:1])
    minted, key = "sandbox-secret-" + "0123456789" * 4, "0123456789abcdef0123456789abcdef"
    forms = [f"x\n{canary}", f"\x1b[2J{key}", *in_positions((canary, minted))]
    for number, secret in enumerate((canary, minted, key, *forms)):
        earlier = tmp_path / f"earlier-{number}"
        (earlier / "tables").mkdir(parents=True)
        names = dict.fromkeys(("notebook", "site", "client"), f"a {secret}")
        runs = [{"output": f"a {secret}.ipynb", "status": f"failed {secret}", **names}]
        (earlier / "summary.json").write_text(json.dumps({"runs": runs}), "utf-8")
        quoted = '"' + secret.replace('"', '""') + '"'
        row = f"us1,x,{quoted},{quoted},{quoted}\n"
        head = "site,client,scope,verdict,evidence\n"
        (earlier / "tables" / "verdicts.csv").write_text(head + row, "utf-8")
        found = read_earlier(earlier)
        results = [*found.cases.values(), *found.verdicts.values()]
        shown = [*found.cases, *found.verdicts, *(t for each in results for t in astuple(each))]
        assert len(shown) == 10
        hidden = (canary, minted, key, *forms[2:])
        assert not [text for text in shown if any(s in text for s in hidden)]
        assert all(text.isprintable() for text in shown)


def _set_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str) -> None:
    for name in os.environ:
        if name.startswith(("DDOAUTH_", "XDG")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    given = {
        "HOME": str(tmp_path / "home"),
        "IPYTHONDIR": str(tmp_path / "runtime"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "DDOAUTH_STORE": "file",
        "DDOAUTH_CLIENT_ID": "acme",
        "DDOAUTH_CLIENT_SECRET": "canary-of-the-environment",
        "DDOAUTH_REDIRECT_URIS": "https://acme.example.com/callback",
        "DDOAUTH_SCOPES": "events_read",
        place: str(tmp_path / "kept"),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)

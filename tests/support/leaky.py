"""Write a notebook that reveals its secrets in every way that a notebook can."""

from __future__ import annotations

import gzip
import html
import json
from base64 import b64encode
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import nbformat

from support.builders import notebook_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ENVIRONMENT: Mapping[str, str] = {
    "DD_API_KEY": "canary0api0key0with0no0shape0",
    "DD_APP_KEY": "canary/app+key=with&marks 4711",
    "DDOAUTH_CLIENT_SECRET": 'canary"client\\secret\u00e4',
    "DDOAUTH_REFRESH_TOKEN_US1": "canary-refresh-token-us1",
    "DDOAUTH_API_KEY_EU1": "0123456789abcdef0123456789abcdef",
}
ENDINGS = {
    "success": "print('the end')",
    "failure": "raise ValueError(' and '.join(secrets))",
    "killed": "import os; os.kill(os.getpid(), 9)",
    # The last one, because a machine with little memory runs one notebook after another.
    "interrupt": "import time; time.sleep(60)",
}
_ISSUE = """
import os, sys, json
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote
from ddoauth_kit.workbook import open_sandbox_lab
lab = open_sandbox_lab(SITE)
tokens = lab.exchange(lab.authorize())
key = lab.create_api_key(tokens)
tokens = lab.refresh(tokens)
sandbox = lab.backend.sandbox
secrets = [*sandbox.issued_secrets(), *json.loads(os.environ["CANARIES"])]
Path(os.environ["ISSUED"], str(os.getpid())).write_text(json.dumps(secrets))
"""
_SHOW = """
print(secrets)
print(json.dumps(secrets))
print([quote(s, safe='') for s in secrets])
---
for s in secrets:
    print(b64encode(s.encode()).decode(), b64encode(b'x' + s.encode()).decode())
---
for s in secrets:
    print(s[:9], end='', flush=True); print(s[9:], file=sys.stderr, flush=True)
---
for s in secrets:
    print(s[:9], flush=True)
    print(s[9:], flush=True)
---
from IPython.display import HTML, display
for s in secrets: display(s[:11]); display(s[11:])
---
display(HTML('<b>' + '</b><i>'.join(secrets) + '</i>'), metadata={'note': secrets[0]})
display({'application/json': {'a': secrets}, 'text/plain': 'json'}, raw=True)
display({s: 1 for s in secrets})
---
import ipywidgets
ipywidgets.VBox([ipywidgets.Text(s) for s in secrets])
---
import warnings; warnings.warn(secrets[0]); os.system('echo "$DD_API_KEY"')
secrets[2], dict(os.environ)
"""


# Where a secret `s` may stand in what a notebook prints, as expressions.
POSITIONS: Final = (
    "repr('first\\n' + s)",
    "repr(['first\\n\\t' + s + '\\r'])",
    "json.dumps('first\\n' + s + '\\t')",
    "json.dumps({'a': json.dumps('\\n' + s)})",
    "json.dumps(json.dumps(json.dumps([s])))",
    "'\\x1b[31m' + s + '\\x1b[0m'",
    "s[:5] + '\\x1b[1;32m' + s[5:]",
    "s[:5] + '\\x1b[0m\\x1b[38;5;196m' + s[5:9] + '\\x1b[K' + s[9:]",
    "repr('\\x1b[31m' + s + '\\x1b[0m')",
    "'/home/ada/' + s + '/notes.txt'",
    "'C:\\\\keys\\\\' + s + '\\\\x'",
    "'file:///srv/' + quote(s, safe='') + '/x'",
    "b64encode(s.encode('utf-16')).decode()",
    "b64encode(s.encode('utf-16-be')).decode()",
    "s.encode('utf-16-le').hex()",
    "repr(s.encode('utf-16-le'))",
    "quote(quote(s, safe=''), safe='')",
    "b64encode(b64encode(s.encode())).decode()",
    "b64encode(quote(s, safe='').encode()).decode()",
    "quote(json.dumps({'a': s}), safe='')",
    "html.escape(html.escape(s))",
    "html.escape(json.dumps([s]))",
    "b64encode(json.dumps({'a': s}).encode()).decode()",
    "b64encode(gzip.compress(s.encode(), mtime=0)).decode()",
)
POSITIONED: Final = (
    "import gzip, html, json\nfrom base64 import b64encode\nfrom urllib.parse import quote\n"
)


def in_positions(secrets: Iterable[str]) -> list[str]:
    """Return each secret in each position, as printed by a notebook that runs the expressions."""
    named = {"gzip": gzip, "html": html, "json": json, "b64encode": b64encode, "quote": quote}
    return [str(eval(each, named | {"s": s})) for s in secrets for each in POSITIONS]


def leaky_notebook(folder: Path, *, ending: str) -> Path:
    """Return a notebook that issues secrets, shows them, reports that it is ready, and ends."""
    literal = f'HERE = "{ENVIRONMENT["DD_API_KEY"]}"; ALSO = "sandbox-secret-{"0123456789" * 4}"'
    ready = 'Path(os.environ["READY"], str(os.getpid())).touch()'
    positions = "".join(f"    print({each})\n" for each in POSITIONS)
    shown = _SHOW.split("---\n")
    if ending == "failure":  # the others would only mask the same lines again
        shown.append(f"{POSITIONED}for s in secrets:\n{positions}")
    path = notebook_file(folder, ending, _ISSUE, literal, *shown, ready, ENDINGS[ending])
    notebook = nbformat.read(path, as_version=4)
    text = f"A note with {ENVIRONMENT['DD_API_KEY']}, ![](attachment:a.txt)"
    cell = nbformat.v4.new_markdown_cell(text)
    cell["attachments"] = {"a.txt": {"text/plain": ENVIRONMENT["DDOAUTH_REFRESH_TOKEN_US1"]}}
    notebook.cells.insert(0, cell)
    notebook.metadata["note"] = {"key": ENVIRONMENT["DD_APP_KEY"]}
    nbformat.write(notebook, path)
    return path

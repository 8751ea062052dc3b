"""Read a user's notebook in any encoding that an editor may have used, and check its language."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.edited_text import edited_text
from ddoauth_kit.errors import InputError
from ddoauth_kit.printable import quoted_path
from ddoauth_kit.workbook.runs.notebook_shape import whole_notebook

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PYTHON: Final = frozenset({"python", "python2", "python3", "ipython", "ipython2", "ipython3"})
# Kernels whose notebooks often don't name a language; a version or a variant may follow the name.
_OTHERS: Final = (
    *(r"\.net", "almond", "bash", r"calysto_\w+", "deno", "evcxr", "gonb", "gophernotes"),
    *("ihaskell", "ijava", "ijavascript", "ir", "irkernel", "iruby", "java", "javascript", "julia"),
    *("kotlin", "matlab", "octave", "powershell", "ruby", "rust", "sas", "scala", "sos"),
    *("spylon-kernel", "stata", "tslab", "wolframlanguage", "xc", "xcpp", "xeus-cling", "xlua"),
    *("xr", "xsql", "xsqlite"),
)
# Words that the name of a Python environment may begin with, so only a version or a bracket may
# follow.
_WORDS: Final = (
    *("c", r"c\+\+", "c#", "clojure", "cpp", "csharp", "elixir", "f#", "fsharp", "go", "groovy"),
    *("haskell", "lua", "node", "nodejs", "ocaml", "perl", "php", "prolog", "r", "racket"),
    *("scheme", "sql", "swift", "typescript", "zsh"),
)
_OTHER_KERNEL: Final = re.compile(
    rf"(?:{'|'.join(_OTHERS)})[\d.]*(?:[-_ ].*)?|(?:{'|'.join(_WORDS)})[\d .]*(?:[\[(].*)?"
)
_CONDA_OF_R: Final = re.compile(r"conda-env-.*-r")


def checked_notebook(path: Path) -> dict[str, Any]:
    """Return the content of a format 4 notebook whose language is Python or not stated.

    Fields that programs omit or write as null get the format's empty value.

    Raises:
        InputError: `not_a_notebook` or `other_language`.
    """
    try:
        content = json.loads(edited_text(path))
    except (OSError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or not {"cells", "worksheets"} & content.keys():
        raise InputError(
            "not_a_notebook", f"The file {quoted_path(path)} is not a Jupyter notebook."
        )
    try:
        notebook = whole_notebook(content)
    except ValueError as error:
        what = f"The notebook {quoted_path(path)} can't be run: {error}."
        raise InputError("not_a_notebook", what) from None
    refuse_other_language(notebook["metadata"], name=path.name)
    if not any(cell["cell_type"] == "code" for cell in notebook["cells"]):
        what = f"The notebook {quoted_path(path)} has no code cell, so a run would try nothing."
        raise InputError("not_a_notebook", what)
    return notebook


def takes_parameter(path: Path, name: str) -> bool:
    """Return whether a notebook's parameters cell sets a name; false if it can't be read."""
    try:
        cells = checked_notebook(path)["cells"]
    except InputError:
        return False
    for cell in cells:
        tags, source = _part(cell, "metadata").get("tags"), cell.get("source", "")
        text = source if isinstance(source, str) else "".join(map(str, source))
        if isinstance(tags, list) and "parameters" in tags:
            return bool(re.search(rf"^{name}\s*[:=]", text, re.MULTILINE))
    return False


def refuse_other_language(metadata: object, *, name: str) -> None:
    """Refuse a notebook that Python would misunderstand.

    Raises:
        InputError: `other_language`.
    """
    language = _language(metadata)
    if language:
        what = f"The notebook {name!r} is written in {language[:40]!a}, not in Python."
        raise InputError("other_language", what)


def _language(metadata: object) -> str:
    """Return the language of a notebook, or "" if it is Python or not stated."""
    kernel, info = _part(metadata, "kernelspec"), _part(metadata, "language_info")
    for named in (kernel.get("language"), info.get("name")):
        if isinstance(named, str) and named.strip():
            return "" if named.strip().lower() in _PYTHON else named
    names = [str(kernel.get(key) or "").strip() for key in ("name", "display_name")]
    if names[0].lower().startswith(("python", "ipython", "xpython")):
        return ""
    for name in names:
        if _OTHER_KERNEL.fullmatch(name.lower()) or _CONDA_OF_R.fullmatch(name.lower()):
            return name
    ending = str(info.get("file_extension") or "").strip()
    return "" if ending.lower() in ("", ".py", ".ipynb") else f"files with the ending {ending}"


def _part(metadata: object, name: str) -> Mapping[str, Any]:
    part = metadata.get(name) if isinstance(metadata, dict) else None
    return part if isinstance(part, dict) else {}


def load_notebook(path: Path) -> Any:  # noqa: ANN401 - papermill is untyped
    """Return a notebook as papermill loads it.

    Raises:
        InputError: `not_a_notebook` or `other_language`.
    """
    import nbformat
    from papermill.version import version

    content = json.dumps(checked_notebook(path))
    notebook = nbformat.v4.upgrade(nbformat.reads(content, as_version=4))  # type: ignore[no-untyped-call]
    known = notebook.metadata.get("papermill")
    notebook.metadata["papermill"] = {
        "default_parameters": {},
        "parameters": {},
        "environment_variables": {},
        "version": version,
        **(known if isinstance(known, dict) else {}),
    }
    for cell in notebook.cells:
        cell.metadata.setdefault("tags", [])
        if not isinstance(cell.metadata.get("papermill"), dict):
            cell.metadata["papermill"] = {}
    return notebook

"""A masked notebook contains no secret and is still a notebook, whatever the secret is."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import nbformat
import pytest

from ddoauth_kit.leaks.notebooks import mask_notebook
from ddoauth_kit.secret import Secret

KEY = "c0ffee00c0ffee11c0ffee22c0ffee33"


def _notebook() -> Any:
    stream = nbformat.v4.new_output("stream", name="stdout", text=f"\\n{KEY}")
    data = {"text/plain": "x", "application/json": {"client_secret": "canary-1-x", KEY: [KEY]}}
    shown = nbformat.v4.new_output("display_data", data, metadata={"note": KEY})
    cell = nbformat.v4.new_code_cell(f"KEY = '{KEY}'", outputs=[stream, shown])
    return nbformat.v4.new_notebook(
        cells=[cell, nbformat.v4.new_markdown_cell(f"x {KEY}")],
        metadata={"language_info": {"name": "python"}, "a": {"refresh_token": "canary-2-x"}},
    )


@pytest.mark.parametrize(
    "word",
    [
        *("metadata", "cell_type", "code", "outputs", "output_type", "stream", "stdout", "name"),
        *("source", "execution_count", "nbformat", "text/plain", "application/json", "cells"),
        *("display_data", "markdown", "python", "language_info", "data", "text"),
    ],
)
def test_a_secret_that_is_a_word_of_jupyter(word: str) -> None:
    """A secret equal to a field or a kind of the format breaks no notebook."""
    masked = mask_notebook(_notebook(), secrets=[Secret(word, label="odd")])
    nbformat.validate(masked)
    assert masked.cells[0].outputs[0].name == "stdout"
    assert KEY not in json.dumps(masked)


def test_values_and_free_names_are_masked() -> None:
    """Sources, outputs, metadata, values under telling names, and a key that became a name."""
    notebook = _notebook()
    before = copy.deepcopy(notebook)
    text = json.dumps(mask_notebook(notebook))
    assert KEY not in text
    assert "canary" not in text
    assert "client_secret" in text
    assert notebook == before


def test_a_clean_notebook_is_returned_itself() -> None:
    """If there is nothing to mask, nothing is copied, and lists of lines stay lists."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    assert mask_notebook(notebook) is notebook
    lines = {"cells": [{"cell_type": "code", "source": ["a\n", f"b = '{KEY}'\n"], "outputs": []}]}
    masked = mask_notebook(lines)
    assert masked["cells"][0]["source"] == ["a\n", "b = '<api_key …ee33>'\n"]


def test_what_is_not_looked_through_in_time_is_not_kept() -> None:
    """After the time limit texts are replaced, and a secret among them is not written."""
    masked = mask_notebook(_notebook(), until=time.monotonic() - 1)
    nbformat.validate(masked)
    assert KEY not in json.dumps(masked)
    assert masked.cells[0].source == "<not masked in time>"


@pytest.mark.parametrize("at", range(1, 20))
@pytest.mark.parametrize("show", [str, repr, json.dumps], ids=["printed", "shown", "json"])
def test_a_torn_secret_in_each_notation(at: int, show: Any) -> None:
    """A value that two outputs share is masked as code and as JSON, too."""
    value = 'canary"client\\secret\u00e4'
    outputs = [
        nbformat.v4.new_output("display_data", {"text/plain": show(part)})
        for part in (value[:at], value[at:])
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=outputs)])
    masked = mask_notebook(notebook, secrets=[Secret(value, label="DD_APP_KEY")])
    shown = [output["data"]["text/plain"] for output in masked.cells[0].outputs]
    assert "<DD_APP_KEY>" in shown[0]
    assert value[at:] not in shown[1] or at > 16


@pytest.mark.parametrize(
    "name",
    [
        *("application/vnd.vega.v5+json", "application/vnd.jupyter.widget-view+json"),
        *("text/plain", "image/svg+xml", "application/x-x509-ca-cert", "text/x-python3"),
    ],
)
def test_kinds_of_data_stay(name: str) -> None:
    """The name of a data type is never masked, unless it is a secret."""
    secret = Secret("canary0api0key0with0no0shape0", label="DD_API_KEY")

    def masked(name: str) -> Any:
        output = nbformat.v4.new_output("display_data", data={name: "x"})
        cell = nbformat.v4.new_code_cell("x", outputs=[output])
        return mask_notebook(nbformat.v4.new_notebook(cells=[cell]), secrets=[secret])

    assert masked(name).cells[0].outputs[0].data == {name: "x"}
    assert masked(f"text/{secret.reveal()}").cells[0].outputs[0].data == {"text/<DD_API_KEY>": "x"}

"""The tile's description is what jupyter-server-proxy expects, and its server ends cleanly."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import import_module
from xml.etree import ElementTree as ET

from support.places import ROOT

from ddoauth_kit.commands.tile import NAME, tile


def test_the_entry_point_leads_to_the_tile() -> None:
    """The group's one entry has the name that the tile's path and cookies rely on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (entry,) = project["entry-points"]["jupyter_serverproxy_servers"].items()
    assert entry[0] == NAME
    module, _, function = entry[1].partition(":")
    assert getattr(import_module(module), function) is tile


def test_the_proxy_names_this_machine_to_the_sandbox() -> None:
    """The sandbox accepts only loopback names, and the proxy would pass on the browser's name."""
    described = tile()
    assert described["request_headers_override"] == {"Host": "127.0.0.1:{port}"}
    assert any("{port}" in argument for argument in described["command"])
    assert any("{base_url}" in argument for argument in described["command"])


def test_the_icon_is_a_picture_of_ours() -> None:
    """It is an SVG without scripts, links or foreign parts."""
    root = ET.parse(tile()["launcher_entry"]["icon_path"]).getroot()
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert names <= {"svg", "rect", "path", "circle"}
    assert not [a for element in root.iter() for a in element.attrib if "href" in a]


def test_a_port_that_cannot_be_opened_is_said() -> None:
    """The server log gets one sentence, and the proxy an exit code."""
    command = [sys.executable, "-m", "ddoauth_kit.commands.tile", "--port", "1000000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert "port 1000000" in done.stderr
    assert "Traceback" not in done.stderr

"""Take the pictures that the README shows: `python tests/pictures.py [OUT]`.

Each moment is taken in the light and in the dark theme, as `NAME-light.png` and `NAME-dark.png`.
Everything is found by its role and its label, so a panel may change without this script changing.
"""

from __future__ import annotations

import io
import json
import math
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from support.chromium import open_chromium
from support.jupyter_lab import LabServer, Notebook

from ddoauth_kit.workbook.lessons.notebooks import find_notebooks

OUT = Path(__file__).parents[1] / ".github" / "pictures"
SIZE = {"width": 980, "height": 1400}
SCALE = 1.5
COLOURS = 256
SETTLING = 400
PROBING = 240_000
LESSON = "09_your_own_app.ipynb"
MORE = "panels.ipynb"
CELLS = (
    """\
from ddoauth_kit.workbook import open_lab, panels

lab = open_lab("us1", every_scope=True)
tokens = lab.connect()
api_key = lab.api_key(tokens)""",
    "panels.TranscriptPanel(lab)",
    "panels.ProbePanel(lab)",
)
REGISTRATION = {
    "Client name": "Acme Metrics",
    "Client id": "b3f8c1d2-0000-4000-8000-5a2e9d7c6b14",
    "Client secret": "typed, and gone from the field",
    "Redirect URIs": "https://acme.example.com/oauth/callback",
    "Onboarding URL": "https://acme.example.com/oauth/start",
    "Scopes": "api_keys_write metrics_read monitors_read",
}
# The checklist names the place of its ticks, so the folder has no name of this machine.
PLACE = {"DDOAUTH_CONFIG_FOLDER": "/tmp/settings"}
THEMES = "@jupyterlab/apputils-extension/themes.jupyterlab-settings"
HIDE_SIDES = """async () => {
  const app = window.jupyterapp;
  if (!app.shell.leftCollapsed) await app.commands.execute('application:toggle-left-area');
}"""
# Marks of the selected cell, which tell nothing about a panel.
QUIET = """
.jp-Cell-toolbar, .jp-cell-toolbar, .jp-Collapser { display: none !important; }
.jp-Cell { border-color: transparent !important; }
"""
BLUR = "() => document.activeElement?.blur()"


class Camera:
    """Take pictures of one theme into a folder."""

    def __init__(self, out: Path, theme: str) -> None:
        self._out = out
        self._theme = theme

    def take(self, name: str, part: Any) -> None:
        """Take a picture of a part of a page, to whole pixels, with few colours and thus small."""
        page = part.page
        page.mouse.move(0, 0)
        page.evaluate(BLUR)
        part.scroll_into_view_if_needed()
        page.wait_for_timeout(SETTLING)
        box = part.bounding_box()
        left, top = math.ceil(box["x"]), math.ceil(box["y"])
        clip = {
            "x": left,
            "y": top,
            "width": math.floor(box["x"] + box["width"]) - left,
            "height": math.floor(box["y"] + box["height"]) - top,
        }
        picture = page.screenshot(clip=clip, animations="disabled", caret="hide")
        path = self._out / f"{name}-{self._theme}.png"
        path.write_bytes(_few_colours(picture))
        print(f"{path} {path.stat().st_size / 1000:.0f} kB")  # noqa: T201


def _few_colours(picture: bytes) -> bytes:
    """Return a PNG with a palette, by Pillow."""
    from PIL import Image

    image = Image.open(io.BytesIO(picture)).convert("RGB")
    written = io.BytesIO()
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
    return written.getvalue()


def main(out: Path) -> None:
    """Take every picture in both themes."""
    out.mkdir(parents=True, exist_ok=True)
    with open_chromium() as browser:
        for theme in ("light", "dark"):
            with tempfile.TemporaryDirectory() as home:
                server = LabServer(Path(home) / "server", find_notebooks(), environ=PLACE)
                try:
                    _follow_the_browser(Path(home))
                    _take_all(browser, server, theme, Camera(out, theme))
                finally:
                    server.stop()


def _follow_the_browser(home: Path) -> None:
    """Let JupyterLab take the light or the dark theme as the browser prefers."""
    settings = home / "server" / "settings" / THEMES
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps({"adaptive-theme": True}), "utf-8")


def _take_all(browser: Any, server: LabServer, theme: str, camera: Camera) -> None:
    profile = browser.new_context(viewport=SIZE, device_scale_factor=SCALE, color_scheme=theme)
    profile.set_default_timeout(30_000)
    lesson = _open(profile, server, LESSON)
    _authorize(profile, lesson, camera)
    _set_up(lesson, camera)
    server.write(MORE, *CELLS)
    more = _open(profile, server, MORE)
    _unfold(more, camera)
    _probe(more, camera)
    profile.close()


def _open(profile: Any, server: LabServer, name: str) -> Notebook:
    notebook = Notebook(profile.new_page(), server, name)
    notebook.page.evaluate(HIDE_SIDES)
    notebook.page.add_style_tag(content=QUIET)
    notebook.run_all()
    return notebook


def _cell(notebook: Notebook, source: str) -> Any:
    """Return the code cell that calls something, with its output."""
    return notebook.panel.locator(".jp-CodeCell", has_text=f"panels.{source}(").first


def _press(part: Any, name: str) -> None:
    part.get_by_role("button", name=re.compile(f"^{name}")).first.click()


def _authorize(profile: Any, notebook: Notebook, camera: Camera) -> None:
    cell = _cell(notebook, "AuthorizePanel")
    _press(cell, "Authorize")
    link = cell.get_by_role("link", name="Authorize on us1")
    link.wait_for()
    camera.take("authorize", cell)
    with profile.expect_page() as opened:
        link.click()
    page = opened.value
    button = page.get_by_role("button", name="Authorize")
    button.wait_for()
    camera.take("consent", page.locator("body"))
    button.click()
    page.get_by_text("You may now close this tab.").wait_for()
    page.close()
    cell.get_by_text("<access_token>").wait_for()
    camera.take("tokens", _cell(notebook, "TokenPanel"))


def _probe(notebook: Notebook, camera: Camera) -> None:
    """Probe every scope on every site, and show what is known about one area."""
    cell = _cell(notebook, "ProbePanel")
    sites = cell.get_by_role("group", name="Sites")
    sites.get_by_role("button", name="All").click()
    _press(cell, "Run probes")
    cell.get_by_text("Done:").wait_for(timeout=PROBING)
    cell.get_by_label("Scope or area").fill("monitors")
    cell.get_by_label("Scope or area").press("Tab")
    notebook.page.wait_for_timeout(SETTLING)
    camera.take("probes", cell)


def _set_up(notebook: Notebook, camera: Camera) -> None:
    cell = _cell(notebook, "ChecklistPanel")
    for step in cell.get_by_role("checkbox").all()[:3]:
        step.check()
    camera.take("checklist", cell)
    form = _cell(notebook, "RegistrationForm")
    for label, text in REGISTRATION.items():
        form.get_by_label(label).first.fill(text)
        form.get_by_label(label).first.press("Tab")
    notebook.page.wait_for_timeout(SETTLING)
    _press(form, "Check")
    camera.take("form", form)


def _unfold(notebook: Notebook, camera: Camera) -> None:
    cell = _cell(notebook, "TranscriptPanel")
    cell.get_by_text("(API key").first.click()
    camera.take("transcript", cell)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else OUT)

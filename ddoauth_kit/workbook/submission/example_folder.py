"""Write the folder of a small integration for the check, without the parts added by publishing."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.registration import ClientRegistration

APP_UUID: Final = "3b7e5c0a-8a55-4a0b-9d9c-54c2f9f0a1d7"
_README: Final = """# {name}

## Overview

{name} connects to Datadog.

## Setup

Open the tile in Datadog and click **Connect Accounts**.

{section}## Support

Write to support@integration.example.
"""


@contextmanager
def example_folder(
    registration: ClientRegistration, *, section: str = "", app_uuid: str = APP_UUID
) -> Iterator[Path]:
    """Provide a folder for a registration during the block.

    `section` is the README's uninstallation section, which the manifest never points to. If
    `app_uuid` is empty, the manifest doesn't have one, as before the Publishing tab is first
    opened.
    """
    with TemporaryDirectory() as above:
        folder = Path(above) / "example"
        (folder / "assets").mkdir(parents=True)
        name = registration.name or "Example"
        readme = _README.format(name=name, section=f"{section}\n\n" if section else "")
        (folder / "README.md").write_text(readme, "utf-8")
        (folder / "CHANGELOG.md").write_text("# Changes\n", "utf-8")
        _write(folder / "manifest.json", _manifest(name, app_uuid=app_uuid))
        _write(folder / "assets" / "oauth_clients.json", _client(registration))
        yield folder


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def _manifest(name: str, *, app_uuid: str) -> dict[str, object]:
    return {
        "manifest_version": "2.0.0",
        **({"app_uuid": app_uuid} if app_uuid else {}),
        "app_id": "example",
        "owner": "example",
        "display_on_public_website": False,
        "tile": {
            "overview": "README.md#Overview",
            "configuration": "README.md#Setup",
            "support": "README.md#Support",
            "changelog": "CHANGELOG.md",
            "description": "An example to try the check on",
            "title": name,
            "media": [],
            "classifier_tags": [],
        },
        "assets": {"oauth": "assets/oauth_clients.json"},
        "author": {
            "name": "Example",
            "homepage": "https://integration.example",
            "sales_email": "sales@integration.example",
            "support_email": "support@integration.example",
        },
        "oauth": {},
    }


def _client(registration: ClientRegistration) -> dict[str, object]:
    """Return the registration as the folder contains it, without its secret."""
    return {
        "integration": {
            "id": registration.client_id,
            "name": registration.name,
            "description": "An example",
            "client_role": "integration",
            "onboarding_url": registration.onboarding_url,
            "redirect_uris": list(registration.redirect_uris),
            "scopes": list(registration.scopes),
        }
    }

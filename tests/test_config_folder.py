"""Settings go to one folder of the user's, and to none on Binder."""

from __future__ import annotations

import pytest

from ddoauth_kit.config_folder import config_folder


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"DDOAUTH_CONFIG_FOLDER": "/a", "XDG_CONFIG_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"XDG_CONFIG_HOME": "/b", "HOME": "/c"}, "/b/ddoauth-kit"),
        ({"DDOAUTH_CONFIG_FOLDER": " ", "HOME": "/c"}, "/c/.config/ddoauth-kit"),
        ({}, "None"),
        ({"DDOAUTH_CONFIG_FOLDER": "/a", "BINDER_SERVICE_HOST": "10.0.0.7"}, "None"),
    ],
)
def test_where_settings_go(environ: dict[str, str], folder: str) -> None:
    """A folder of the workbook's own wins over the desktop's, and Binder has none."""
    assert str(config_folder(environ)) == folder

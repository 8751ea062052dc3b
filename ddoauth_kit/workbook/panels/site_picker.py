"""Select a site and see its hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from ddoauth_kit.sites import DATADOG_SITES, Site
from ddoauth_kit.workbook.panels.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.sites import SiteTable


class SitePicker(Panel):
    """Shows the hosts of the selected site; `value` is that site."""

    def __init__(self, site: str = "us1", *, sites: SiteTable = DATADOG_SITES) -> None:
        super().__init__()
        self._sites = sites
        options = [(f"{name} ({sites.named(name).domain})", name) for name in sites.names]
        self._field = widgets.Dropdown(
            description="Datadog site",
            options=options,
            value=sites.named(site).name,
            style={"description_width": "initial"},
        )
        self._field.observe(lambda _change: self.show(self.value), names="value")
        self.show(self.value)

    @property
    def value(self) -> Site:
        """Return the selected site."""
        return self._sites.named(self._field.value)

    def parts(self) -> Iterable[widgets.Widget]:
        """Return the field."""
        return (self._field,)

"""Show the nine sites side by side."""

from __future__ import annotations

from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.workbook.tables import ResultTable


def sites_table() -> ResultTable:
    """Return one row for each site; columns: `site`, `domain`, `app`, `API`, `location`."""
    return ResultTable(
        "sites",
        [
            {
                "site": site.name,
                "domain": site.domain,
                "app": site.public.app_url,
                "API": site.public.api_url,
                "location": site.location,
            }
            for site in DATADOG_SITES
        ],
    )

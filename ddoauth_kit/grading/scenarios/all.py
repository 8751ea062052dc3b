"""The scenarios of a grading run, in the order they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ddoauth_kit.grading.scenarios import (
    acts,
    exchange,
    happy,
    redirects,
    refresh,
    restarts,
    state,
)

if TYPE_CHECKING:
    from ddoauth_kit.grading.scenarios.finding import Scenario

SCENARIOS: Final[tuple[Scenario, ...]] = (
    *happy.SCENARIOS,
    *state.SCENARIOS,
    *redirects.SCENARIOS,
    *acts.SCENARIOS,
    *refresh.SCENARIOS,
    *exchange.SCENARIOS,
    *restarts.SCENARIOS,
)

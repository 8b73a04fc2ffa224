"""What days to simulate, and which of them run on from one another."""

from __future__ import annotations

from heptagrid.assembly.happenings import boundaries_ns
from heptagrid.assembly.span import Span
from heptagrid.foundation.errors import UsageError
from heptagrid.scenario.schema import Scenario

WARM_UP_STEP_S = 300  # assumption: fine enough to bring devices into the state of an ordinary midnight


def spans_of(scenario: Scenario, typical: bool = False) -> list[Span]:
    """What to run: the scenario's days as one span, or each typical day as a span of its own.

    Where there are local markets the warm-up day has the run's own steps, in which these keep their times.
    """
    coarse = scenario.step_s if scenario.sections["local_market"].enabled else max(WARM_UP_STEP_S, scenario.step_s)
    if typical:
        if not scenario.typical_days:
            raise UsageError(
                f"scenario {scenario.name!r} names no typical days; write a table of date and weight and set typical_days"
            )
        if scenario.events:
            raise UsageError(
                f"scenario {scenario.name!r} has events, and typical days represent a year without events; run its own days, "
                "without --typical"
            )
        return [Span(day, 1, scenario.step_s, coarse, scenario.zone) for day, _ in scenario.typical_days]
    cuts_ns = tuple(boundaries_ns(scenario))
    return [Span(scenario.start, scenario.days, scenario.step_s, coarse, scenario.zone, cuts_ns)]

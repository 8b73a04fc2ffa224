"""Step the town by hand, and ask at 16:00: what if everybody turned the thermostat down by half a degree now?

python examples/step_by_hand.py
"""

from pathlib import Path

import heptagrid

NS_PER_HOUR = 3_600_000_000_000


def to_the_end(simulation: heptagrid.Simulation) -> tuple[float, float]:
    """The highest power drawn from the grid above, and the heat that pumps brought, of the rest of the day."""
    while simulation.step():
        pass
    result = simulation.finish()
    return result.extremes.peak_kw, result.energy.imported


# One arm of the default day, in steps of a quarter hour. Nothing is built before `begin`.
scenario = heptagrid.load("town", ["run.step_s=900"])
simulation = heptagrid.Simulation(scenario, "conventional")
simulation.begin()

# The first day is the warm-up. `last_step` says where the simulation stands, in nanoseconds.
four_o_clock_ns = simulation.span.start_ns + 16 * NS_PER_HOUR
while simulation.last_step is None or simulation.last_step.end_ns < four_o_clock_ns:
    simulation.step()

flow = simulation.grid.distribution.flow
print(f"16:00: {flow.infeed_p_kw:.0f} kW drawn, lowest voltage {flow.v_pu.min():.3f} pu")

# Put it aside, go on as it is, then go on again from 16:00 with one thing changed.
aside = Path("at_four.checkpoint")
simulation.save(aside)
peak_kw, imported_kwh = to_the_end(simulation)

changed = heptagrid.Simulation.restore(aside)
aside.unlink()
changed.grid.customers.devices["heat_pumps"].set_c -= 0.5
cooler_peak_kw, cooler_imported_kwh = to_the_end(changed)

print(f"highest power of the day: {peak_kw:.0f} kW as it is, {cooler_peak_kw:.0f} kW half a degree cooler")
print(f"energy of the day: {(imported_kwh - cooler_imported_kwh) / 1000.0:.1f} MWh less")

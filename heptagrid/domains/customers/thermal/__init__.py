"""Heat behind the meter: the two-state house under a thermostat, its heating and cooling, and the water heater's tank."""

"""IEEE C37.118.2-2011: phasor measurement units at primary substations and transmission substations."""

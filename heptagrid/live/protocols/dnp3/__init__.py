"""DNP3 (IEEE 1815-2012): substations, primary substations and plants as outstations."""

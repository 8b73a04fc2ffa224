"""The power plane: injections in, voltages and flows out."""

"""`heptagrid flow`: the power plane alone, a network file in, voltages and flows out."""

"""`heptagrid clear`: the money plane alone, offers in, quantities and prices out."""

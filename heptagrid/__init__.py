"""heptagrid: a whole smart grid, power, messages and money under one clock."""

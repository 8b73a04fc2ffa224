"""Bills a meter's readings by a rate: `heptagrid bill --tariff ... --meter ...`."""

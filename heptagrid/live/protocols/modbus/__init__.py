"""Modbus TCP with SunSpec models: inverters, batteries, meters, substations, wallboxes and heat pumps as registers."""

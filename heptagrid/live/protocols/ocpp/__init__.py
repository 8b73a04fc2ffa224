"""OCPP: charge points and charging stations, and the CSMS that they connect to."""

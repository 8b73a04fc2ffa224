"""Tariffs: what a kWh costs under each, one file each, and the rules of a bill that are the same under all."""

"""A simulation: one arm of a scenario stepped through its span, saved and restored."""

"""What exists, as arrays, without behaviour."""

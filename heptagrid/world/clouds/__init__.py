"""A field of clouds that moves over the photovoltaic units, and what each of them gives under it."""

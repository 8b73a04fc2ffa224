"""Vehicles by travel diaries: what is driven on a day, when drivers plug in, and how batteries are charged and discharged."""

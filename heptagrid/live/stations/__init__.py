"""Stations as a control centre sees them, whatever protocol it speaks: their points, process images, controls and how commands act."""

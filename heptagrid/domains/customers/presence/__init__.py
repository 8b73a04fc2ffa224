"""Homes whose demand is what their people do: who is awake at home, what they switch on, and when it is dark."""

"""The grid on the wall clock: paced steps, what enters from outside, protocols, the control room."""

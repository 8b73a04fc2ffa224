"""What everything else stands on: errors, time, random numbers, kernels, declared parameters, actors, plug-ins."""

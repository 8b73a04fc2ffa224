"""What every room stands on: errors, time, random numbers, kernels, declared parameters, actors, plug-ins."""

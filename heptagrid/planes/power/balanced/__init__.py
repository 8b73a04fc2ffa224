"""Power flow of balanced networks: radial by sweeps, meshed by Newton's method, linear by angles alone."""

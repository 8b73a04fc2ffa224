"""What to run: the schema of a scenario, made of the parameters that packages declare, its checks, and the built-in scenarios."""

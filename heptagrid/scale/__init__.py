"""Many runs at once: sweeps over varied quantities, and comparisons."""

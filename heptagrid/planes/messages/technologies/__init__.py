"""The communication technologies, one file each: facts, and where each comes from."""

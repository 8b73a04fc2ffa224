"""How a communication network is laid out over places: links, meshes, media."""

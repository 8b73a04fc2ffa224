"""How kernels are compiled and kept: the decorator, the cache, SIMD loops, arrays of known shape."""

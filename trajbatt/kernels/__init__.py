"""All Numba code: plain arrays and a generator in, the caller's arrays out, nothing validated.

Each file stands alone: a kernel calls only kernels of its own file, because Numba's disk cache
does not notice an edit in another one. Arrays are marked *in*, *out* or *scratch* in docstrings.
With NUMBA_DISABLE_JIT=1 the same functions run as plain Python.
"""

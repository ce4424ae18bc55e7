"""All Numba code: plain arrays and a generator in, the caller's arrays out, nothing validated.

A kernel calls kernels of its own file, and of the few that others are built on. Arrays are marked
*in*, *out* or *scratch* in docstrings.
With NUMBA_DISABLE_JIT=1 the same functions run as plain Python.
"""

"""Operators that take a level to itself and its two neighbours, by their bands."""


def operator(bands):
    """Return an operator of its bands (3, N+1), <k + s|B|k> for s = -1, 0, 1.

    Returns
    -------
    scipy.sparse.dia_array (N+1, N+1)
    """
    from scipy.sparse import diags_array

    down, level, up = bands
    return diags_array([down[1:], level, up[:-1]], offsets=[1, 0, -1])

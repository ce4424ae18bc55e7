r"""Collective-spin algebra in the symmetric subspace of N two-level atoms.

A basis state is indexed by the number k = m + N/2 of excited atoms, k = 0..N. The *dressed* basis
of angle theta is |e_m> = exp(i theta J_y)|m> (Eq. 4 of the paper); there H = Omega_P J'_z with

    J'_z = cos(theta) J_z - sin(theta) J_x,     J'_x = cos(theta) J_x + sin(theta) J_z,

so that J_z = cos(theta) J'_z + sin(theta) J'_x and J_x = cos(theta) J'_x - sin(theta) J'_z.

A spin-coherent state is a product of N equal spinors u|e> + v|g>; rotating it rotates its spinor,
at any N. Any other ket is rotated by the matrix of eigenvectors of J'_z.
"""

import math

import numpy as np

from trajbatt.numerics.tridiagonal import tridiagonal_solver


def raising_elements(n_atoms, levels=None):
    """Return <k+1|J_+|k> = sqrt((N - k)(k + 1)), float64 (levels,), of the lowest levels.

    By default of all k = 0..N, (N+1,); the last of these is 0.
    """
    k = np.arange(n_atoms + 1.0 if levels is None else levels)
    return np.sqrt((n_atoms - k) * (k + 1.0))


def magnetic_numbers(n_atoms):
    """Return m = k - N/2 for k = 0..N, float64 (N+1,)."""
    return np.arange(n_atoms + 1.0) - n_atoms / 2


def casimir(n_atoms):
    """Return J (J + 1) for J = N/2, of numbers or arrays."""
    return 0.25 * n_atoms * (n_atoms + 2.0)


def coherent_ket(n_atoms, u, v):
    """Return the ket of N atoms, each in u|e> + v|g>: sqrt(binomial(N, k)) u^k v^(N-k).

    Built outwards from its largest element by products of ratios, so its elements have a relative
    error of about 1e-16 times their distance from the maximum; logarithms of factorials would lose
    six more digits at N = 10^6.

    Parameters
    ----------
    n_atoms : int
    u, v : float or complex
        Normalised: abs(u)^2 + abs(v)^2 = 1.

    Returns
    -------
    ndarray (N+1,), float64 if u and v are real, else complex128; a global phase is left out.
    """
    ket = np.zeros(n_atoms + 1)
    if u == 0 or v == 0:
        ket[0 if u == 0 else n_atoms] = 1.0
        return ket
    top = min(int((n_atoms + 1) * abs(u) ** 2), n_atoms)
    ket[top] = 1.0
    k = np.arange(n_atoms, dtype=float)
    with np.errstate(under="ignore"):
        if top < n_atoms:
            ratio = np.sqrt((n_atoms - k[top:]) / (k[top:] + 1.0)) * abs(u) / abs(v)
            ket[top + 1 :] = np.cumprod(ratio)
        if top > 0:
            ratio = np.sqrt((k[:top] + 1.0) / (n_atoms - k[:top])) * abs(v) / abs(u)
            ket[:top] = np.cumprod(ratio[::-1])[::-1]
    ket /= np.linalg.norm(ket)
    phase = (u / abs(u)) / (v / abs(v))
    if phase.imag == 0:
        ket[1::2] *= math.copysign(1.0, phase.real)
        return ket
    return ket * np.exp(1j * np.angle(phase) * np.arange(n_atoms + 1))


# How far rounding takes a ket from the coherent one: times sqrt(N), its width, for the modulus of
# the spinor; times N^(3/2) for the phases k phi of the elements, from two of which phi is read.
OF_MODULUS, OF_PHASE = 1e-13, 1e-15


def coherent_spinor(ket, negligible=0.0):
    """Return the spinor (u, v) of which `ket` (N+1,) is the coherent state, or None if it is none.

    Levels of less weight than `negligible` may be missing.

    The spinor is read off the two neighbouring elements of largest weight, then the whole ket is
    compared.
    """
    n_atoms = ket.size - 1
    weight = np.abs(ket) ** 2
    low = int(np.argmax(weight[:-1] + weight[1:]))
    raising = math.sqrt((n_atoms - low) / (low + 1.0))
    u, v = ket[low + 1], ket[low] * raising
    scale = math.hypot(abs(u), abs(v))
    if scale == 0:
        return None
    # The phase of v is global.
    turn = abs(v) / v if v != 0 else 1.0
    u, v = u * turn / scale, abs(v) / scale
    coherent = coherent_ket(n_atoms, u, v)
    overlap = np.vdot(coherent, ket)
    if overlap == 0:
        return None
    # The vectors, not the overlap: that knows a small amplitude by its square alone.
    distance = np.linalg.norm(ket - overlap / abs(overlap) * coherent)
    allowed = OF_MODULUS * n_atoms**0.5 + OF_PHASE * n_atoms**1.5 + 10.0 * negligible**0.5
    return (u, v) if distance < allowed else None


def rotated_spinor(u, v, theta):
    """Return the dressed components of the spinor u|e> + v|g>."""
    # At pi itself, which is rounded, the cosine would be no zero.
    c, s = (0.0, 1.0) if theta == math.pi else (math.cos(theta / 2), math.sin(theta / 2))
    return c * u - s * v, s * u + c * v


MOST_ROTATED = 10_000  # atoms: the matrix takes 800 MB


def rotation_matrix(n_atoms, theta):
    """Return the dressed kets in the bare basis: column k is |e_m>, m = k - N/2 (Eq. 4).

    The columns are the eigenvectors of the tridiagonal J'_z, their signs fixed by
    <e_{m+1}|J'_+|e_m> > 0, so the matrix is orthogonal to about 1e-13 at N = 2000. It costs
    O(N^2) memory and O(N^2) to O(N^3) time (0.1 s at N = 500, seconds at N = 2000).

    Parameters
    ----------
    n_atoms : int
    theta : float
        In [0, pi].

    Returns
    -------
    ndarray (N+1, N+1), float64, orthogonal.

    Raises
    ------
    ValueError
        For more than 10 000 atoms.
    """
    from scipy.linalg import eigh_tridiagonal

    if n_atoms > MOST_ROTATED:
        raise ValueError(
            f"`n_atoms` must be at most {MOST_ROTATED} to rotate a state that is not coherent, "
            f"but is {n_atoms}"
        )

    m = magnetic_numbers(n_atoms)
    raising = raising_elements(n_atoms)[:-1]
    _, columns = eigh_tridiagonal(
        math.cos(theta) * m, -0.5 * math.sin(theta) * raising, lapack_driver="stemr"
    )
    return _with_signs(columns, theta)


def _with_signs(columns, theta):
    """Return the lowest eigenvectors of J'_z (N+1, n) with the signs of dressed kets."""
    m = magnetic_numbers(len(columns) - 1)
    raising = raising_elements(len(columns) - 1)[:-1]
    # J'_+ = cos(theta) J_x + sin(theta) J_z + i J_y, real and tridiagonal in the bare basis.
    below = 0.5 * (math.cos(theta) + 1.0) * raising
    above = 0.5 * (math.cos(theta) - 1.0) * raising
    raised = math.sin(theta) * m[:, None] * columns
    raised[1:] += below[:, None] * columns[:-1]
    raised[:-1] += above[:, None] * columns[1:]
    links = np.einsum("ij,ij->j", columns[:, 1:], raised[:, :-1])
    # The lowest dressed state is a coherent state with positive elements.
    first = math.copysign(1.0, columns[:, 0].sum())
    return columns * np.concatenate(([first], first * np.cumprod(np.sign(links))))


def lowest_kets(n_atoms, theta, n):
    """Return the n lowest dressed kets as the columns of a matrix, float64 (N+1, n).

    As `rotation_matrix`, but at any N, and O(N) for each.
    """
    if n == n_atoms + 1 <= MOST_ROTATED:
        return rotation_matrix(n_atoms, theta)
    return _with_signs(dressed_kets(n_atoms, theta, 0, n - 1).T, theta)


def change_of_basis(n_atoms, before, after):
    """Return the matrix that takes kets from the basis of one angle to that of another.

    A ket that is a row of coefficients in the one is `ket @ matrix` in the other, and a density
    matrix is `matrix.T @ rho @ matrix`. It costs what `rotation_matrix` does, and is as orthogonal.

    Parameters
    ----------
    n_atoms : int
    before, after : float
        Angles in [0, pi]; 0 is the bare basis.

    Returns
    -------
    ndarray (N+1, N+1), float64
    """
    if before == after:
        return np.eye(n_atoms + 1)
    matrix = rotation_matrix(n_atoms, abs(after - before))
    return matrix if after > before else matrix.T


def dressed_kets(n_atoms, theta, first, last):
    """Return the dressed kets k = first..last as the rows of a matrix, each up to its sign.

    Only these eigenvectors of J'_z are computed: O(N) for each of them.

    Parameters
    ----------
    n_atoms : int
    theta : float
        Any angle.
    first, last : int

    Returns
    -------
    ndarray (last - first + 1, N+1), float64

    Raises
    ------
    ValueError
        If they would take more than 1.6 GB.
    """
    from scipy.linalg import eigh_tridiagonal

    if (last - first + 1) * (n_atoms + 1) > 2 * MOST_ROTATED**2:
        raise ValueError(
            f"`initial` must have fewer populated levels to be rotated at N = {n_atoms}, "
            f"but has {last - first + 1}"
        )
    diagonal = math.cos(theta) * magnetic_numbers(n_atoms)
    beside = -0.5 * math.sin(theta) * raising_elements(n_atoms)[:-1]
    if n_atoms > MOST_ROTATED:
        return _known_eigenvectors(diagonal, beside, np.arange(first, last + 1) - n_atoms / 2)
    _, columns = eigh_tridiagonal(
        diagonal, beside, select="i", select_range=(first, last), lapack_driver="stemr"
    )
    return columns.T


def _known_eigenvectors(diagonal, beside, values):
    """Return eigenvectors (n, N+1) of a symmetric tridiagonal matrix for known eigenvalues.

    By inverse iteration: the eigenvalues of J'_z are one apart, so two steps do. SciPy's solvers
    allocate N^2.
    """
    kets = np.empty((values.size, diagonal.size))
    rng = np.random.default_rng(0)  # any start that is not orthogonal to them
    for ket, value in zip(kets, values, strict=True):
        solve = tridiagonal_solver(beside.copy(), diagonal - value, beside.copy())
        ket[:] = rng.standard_normal(diagonal.size)
        for _ in range(3):
            solve(ket)
            ket /= np.linalg.norm(ket)
    return kets


def to_dressed(ket, theta):
    """Return the bare `ket` (N+1,) in the dressed basis of angle theta, up to a global phase.

    Coherent states (the ground and the inverted state among them) cost O(N) and are good at any
    N; any other ket costs one `rotation_matrix`.
    """
    if theta == 0.0:
        return ket
    spinor = coherent_spinor(ket)
    if spinor is not None:
        return coherent_ket(ket.size - 1, *rotated_spinor(*spinor, theta))
    return rotation_matrix(ket.size - 1, theta).T @ ket

r"""How the Hamiltonian turns the frame of `trajbatt.kernels.frame`: at rest, or on a ramp.

With F the matrix of the rows u, v, d,

    dF/dt = Omega (cos(theta) G_1 + sin(theta) G_2) F,    G_1 F = (-v, u, 0),    G_2 F = (0, d, -v),

and [G_1, G_2] = G_3, G_3 F = (-d, 0, u). While the drive is at rest that is a rotation about one
axis. On a ramp theta and Omega are cubic polynomials of the time of the stage, and the turns are
those of the Magnus expansion of fourth order, short enough for its error not to matter.

A `drive` is a plain tuple (moves, frequency, cos_theta, sin_theta, thetas, omegas, fastest): if it
moves, four coefficients each, ascending, and a bound of Omega and of d theta/dt count.
"""

import math

from trajbatt.kernels.frame_rows import borrowing

NODE = math.sqrt(3.0) / 6.0  # Gauss's nodes are at 1/2 -+ this
SHORT = 0.04  # radians: the longest turn of a ramp at once, good to 1e-9 of itself


@borrowing
def cubic(coefficients, t):
    """Return the polynomial of four coefficients, ascending, at `t`."""
    a, b, c, d = coefficients
    return a + t * (b + t * (c + t * d))


@borrowing
def drive_at(drive, t):
    """Return Omega, cos(theta) and sin(theta) at the time `t` of the stage."""
    moves, frequency, cos, sin, thetas, omegas, _ = drive
    if moves:
        theta = cubic(thetas, t)
        return cubic(omegas, t), math.cos(theta), math.sin(theta)
    return frequency, cos, sin


@borrowing
def turn(axes, angle, c, s, out):
    """Write the axes after a turn by `angle` = Omega t, where c = cos(theta), s = sin(theta)."""
    cos, sin = math.cos(angle), math.sin(angle)
    ux, uy, uz, vx, vy, vz = axes[0], axes[1], axes[2], axes[3], axes[4], axes[5]
    dx, dy, dz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    # u' = u cos - c v sin - s nu (1 - cos), v' = v cos + (s d + c u) sin
    along_u, along_d = cos + s * s * (1.0 - cos), -s * c * (1.0 - cos)
    out[0] = along_u * ux - c * sin * vx + along_d * dx
    out[1] = along_u * uy - c * sin * vy + along_d * dy
    out[2] = along_u * uz - c * sin * vz + along_d * dz
    out[3] = cos * vx + sin * (s * dx + c * ux)
    out[4] = cos * vy + sin * (s * dy + c * uy)
    out[5] = cos * vz + sin * (s * dz + c * uz)


@borrowing
def turn_by(one, two, three, out):
    """Turn the axes `out` by exp(one G_1 + two G_2 + three G_3)."""
    angle = math.sqrt(one * one + two * two + three * three)
    if angle == 0.0:
        return
    first, second = math.sin(angle) / angle, 2.0 * (math.sin(0.5 * angle) / angle) ** 2
    # Row by row: 1 + first S + second S^2, with S = one G_1 + two G_2 + three G_3.
    uu = 1.0 - second * (one * one + three * three)
    uv = -first * one + second * three * two
    ud = -first * three - second * one * two
    vu = first * one + second * two * three
    vv = 1.0 - second * (one * one + two * two)
    vd = first * two - second * one * three
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        out[6 + i] = out[j] * out[3 + k] - out[k] * out[3 + j]
    for i in range(3):
        u, v, d = out[i], out[3 + i], out[6 + i]
        out[i] = uu * u + uv * v + ud * d
        out[3 + i] = vu * u + vv * v + vd * d


@borrowing
def sweep(drive, axes, t, duration, out):
    """Write the axes after a ramp has turned them from `t` on, for a time of any sign."""
    _, _, _, _, thetas, omegas, fastest = drive
    for i in range(6):
        out[i] = axes[i]
    parts = math.ceil(abs(duration) * fastest / SHORT)
    for part in range(parts):
        h = duration / parts
        begin = t + part * h
        early, late = (
            cubic(thetas, begin + (0.5 - NODE) * h),
            cubic(thetas, begin + (0.5 + NODE) * h),
        )
        weak = 0.5 * h * cubic(omegas, begin + (0.5 - NODE) * h)
        strong = 0.5 * h * cubic(omegas, begin + (0.5 + NODE) * h)
        turn_by(
            weak * math.cos(early) + strong * math.cos(late),
            weak * math.sin(early) + strong * math.sin(late),
            -2.0 * NODE * weak * strong * math.sin(late - early),
            out,
        )


@borrowing
def turned(drive, axes, t, part, h, out):
    """Write the axes after the Hamiltonian has turned them from `t` to `t + part h` to `out`.

    `axes` are (6,) or longer, `out` (9,), of which the last three are scratch.
    """
    if drive[0]:
        sweep(drive, axes, t, part * h, out)
    else:
        turn(axes, part * (drive[1] * h), drive[2], drive[3], out)

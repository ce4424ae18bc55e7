r"""Trajectories of homodyne detection in the diffusive limit: a current in place of clicks.

With B_i = e^(-i phi_i) L_i and noises dW_i, a wavefunction that is not normalised obeys, between
the phases of H = Omega J'_z,

    d psi = -(1/2) sum_i L_i+ L_i psi dt + sum_i B_i psi dY_i,     dY_i = 2 Re <B_i> dt + dW_i,

so a step multiplies it by exp(sum_i B_i dY_i - (1/2) sum_i (L_i+ L_i + B_i^2) dt), and half of the
phases come before, half after. Where the noises' operators commute, as those of one J_-, nothing
else is of the first order in dt. The drift of dY is the mean of those at both ends of the step,
which is taken twice for that.

Steps are the same whatever is asked for: a state within one is read off a step of its own, with a
Brownian bridge between the ends drawn from another generator. Then nothing else changes.
"""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.kernels.compile import kernel
from trajbatt.kernels.reading import MARGIN, write_ket, write_sample

TERMS = 60  # of a series at most
ACCURACY = 1e-15
PAD = 2  # levels of zeros on both sides of a state


class Noise(NamedTuple):
    """What is measured, and how it acts.

    Attributes
    ----------
    signals : ndarray (nb, 3, N+1), complex128
        <k + s|B_i|k> for s = -1, 0, 1; the currents come first.
    damping : ndarray (5, N+1), complex128
        <k + s|sum_i L_i+ L_i + B_i^2|k> for s = -2 ... 2.
    n_currents : int
        How many of them are recorded; the others are noise that nobody sees.
    step : float
    """

    signals: np.ndarray
    damping: np.ndarray
    n_currents: int
    step: float


class Scratch(NamedTuple):
    """States, with `PAD` levels of zeros around, and numbers.

    Attributes
    ----------
    state, before, end, term, next_term : ndarray (N+1+2 PAD,), complex128
    bands : ndarray (5, N+1+2 PAD), complex128
    drift, later, wiener, signal, part, seen : ndarray (nb,), float64
    """

    state: np.ndarray
    before: np.ndarray
    end: np.ndarray
    term: np.ndarray
    next_term: np.ndarray
    bands: np.ndarray
    drift: np.ndarray
    later: np.ndarray
    wiener: np.ndarray
    signal: np.ndarray
    part: np.ndarray
    seen: np.ndarray

    @classmethod
    def fresh(cls, n_levels, n_noises):
        """Return zeros."""
        states = np.zeros((5, n_levels + 2 * PAD), dtype=complex)
        bands = np.zeros((5, n_levels + 2 * PAD), dtype=complex)
        return cls(*states, bands, *np.zeros((6, n_noises)))


@kernel
def drifts(noise, state, out):
    """Write 2 Re <B_i> of a normalised state to `out`."""
    levels = noise.damping.shape[1]
    for i in range(noise.signals.shape[0]):
        mean = 0.0
        for k in range(levels):
            here = state[k + PAD]
            for s in range(-1, 2):
                mean += (state[k + s + PAD].conjugate() * noise.signals[i, s + 1, k] * here).real
        out[i] = 2.0 * mean


@kernel
def turn(state, angle):
    """Multiply level k of a state by exp(-i k angle)."""
    factor = complex(math.cos(angle), -math.sin(angle))
    phase = complex(1.0, 0.0)
    for k in range(PAD, state.size - PAD):
        state[k] *= phase
        phase *= factor


@kernel
def normalise(state):
    """Scale a state to norm 1."""
    total = 0.0
    for k in range(PAD, state.size - PAD):
        total += state[k].real ** 2 + state[k].imag ** 2
    scale = 1.0 / math.sqrt(total)
    for k in range(PAD, state.size - PAD):
        state[k] *= scale


@kernel
def measure(noise, scratch, signal, dt):
    """Multiply `before` by the exponential of a step, normalise and write it to `end`."""
    levels, bands = noise.damping.shape[1], scratch.bands
    end, term, new = scratch.end, scratch.term, scratch.next_term
    for s in range(5):
        for k in range(levels):
            bands[s, k + PAD] = -0.5 * dt * noise.damping[s, k]
    for i in range(signal.size):
        for s in range(3):
            for k in range(levels):
                bands[s + 1, k + PAD] += signal[i] * noise.signals[i, s, k]
    end[:] = scratch.before
    term[:] = scratch.before
    for n in range(1, TERMS):
        size = 0.0
        for k in range(PAD, levels + PAD):
            total = complex(0.0, 0.0)
            for s in range(-2, 3):
                total += bands[s + 2, k - s] * term[k - s]
            new[k] = total / n
            end[k] += new[k]
            size += new[k].real ** 2 + new[k].imag ** 2
        term[:] = new
        if size < ACCURACY * ACCURACY:
            break
    normalise(end)


@kernel
def step(noise, scratch, frequency, wiener, dt):
    """Write the state after a step from `state` to `end`, and dY to `signal`."""
    before, end, signal = scratch.before, scratch.end, scratch.signal
    drift, later = scratch.drift, scratch.later
    before[:] = scratch.state
    drifts(noise, before, drift)
    turn(before, 0.5 * frequency * dt)
    for i in range(wiener.size):
        signal[i] = drift[i] * dt + wiener[i]
    measure(noise, scratch, signal, dt)
    turn(end, 0.5 * frequency * dt)
    drifts(noise, end, later)
    for i in range(wiener.size):
        signal[i] = 0.5 * (drift[i] + later[i]) * dt + wiener[i]
    measure(noise, scratch, signal, dt)
    turn(end, 0.5 * frequency * dt)


@kernel
def read(scratch, tables, work, time, currents, out, i, j, first_ket):
    """Write what is seen in `end`, at number j of the times."""
    end, levels = scratch.end, scratch.end.size - 2 * PAD
    angle = tables.picture * time
    work.state[:] = 0.0
    for k in range(levels):
        phase = complex(math.cos(angle * k), -math.sin(angle * k))
        amplitude = end[k + PAD] * phase
        work.state[2 * (k + MARGIN)] = amplitude.real
        work.state[2 * (k + MARGIN) + 1] = amplitude.imag
    begin, stop = 2 * MARGIN, 2 * (levels + MARGIN)
    write_sample(work, tables, begin, stop, currents, out, i, j)
    if j >= first_ket:
        write_ket(work, begin, stop, out.kets[i, j - first_ket])


@kernel
def run(rng, bridge, ket, noise, tables, times, scratch, work, out, i):
    """Run one trajectory up to the last of the times, and observe it.

    Parameters
    ----------
    rng : Generator
        Of the noise.
    bridge : Generator
        Of what lies within a step.
    ket : *in* (N+1,) complex128
        Where it begins.
    noise : Noise, *in*
    tables : trajbatt.kernels.banded.Tables, *in*
    times : *in* (nt,) float64
    scratch : Scratch
    work : trajbatt.kernels.banded.Workspace
    out : trajbatt.kernels.reading.Out, *out*
        The integrated currents are in the rows of the counts.
    i : int
        Its number there.
    """
    dt, first_ket = noise.step, times.size - out.kets.shape[1]
    state, wiener, part, seen = scratch.state, scratch.wiener, scratch.part, scratch.seen
    n_noises, n_currents = noise.signals.shape[0], noise.n_currents
    state[:] = 0.0
    state[PAD : PAD + ket.size] = ket
    so_far = np.zeros(n_currents)
    now = np.zeros(n_currents)
    j = 0
    steps = 0
    while j < times.size:
        for n in range(n_noises):
            wiener[n] = math.sqrt(dt) * rng.standard_normal()
        seen[:] = 0.0
        last = 0.0  # the time in the step that was read last, with the noise in `seen`
        while j < times.size and times[j] < (steps + 1) * dt:
            at = max(times[j] - steps * dt, 0.0)
            share = (at - last) / (dt - last)
            width = math.sqrt((at - last) * (dt - at) / (dt - last))
            for n in range(n_noises):
                seen[n] += share * (wiener[n] - seen[n]) + width * bridge.standard_normal()
                part[n] = seen[n]
            step(noise, scratch, tables.frequency, part, at)
            for n in range(n_currents):
                now[n] = so_far[n] + scratch.signal[n]
            read(scratch, tables, work, times[j], now, out, i, j, first_ket)
            last = at
            j += 1
        if j < times.size:
            step(noise, scratch, tables.frequency, wiener, dt)
            for n in range(n_currents):
                so_far[n] += scratch.signal[n]
            state[:] = scratch.end
            steps += 1

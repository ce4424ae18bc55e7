"""The models as dense Liouvillians in the bare basis: slow, short and independent."""

from itertools import product
from typing import NamedTuple

import numpy as np
import pytest
from scipy.linalg import expm

import trajbatt as tb


def spin_operators(n):
    """Return J_z and J_+ with index = number of excited atoms."""
    k = np.arange(n)
    raising = np.zeros((n + 1, n + 1))
    raising[k + 1, k] = np.sqrt((n - k) * (k + 1))
    return np.diag(np.arange(n + 1) - n / 2), raising


def jump_operators(battery):
    """Return the Hamiltonian and the jump operators of red, center and blue."""
    j_z, j_plus = spin_operators(battery.n_atoms)
    j_x, j_y = (j_plus + j_plus.T) / 2, (j_plus - j_plus.T) / 2j
    cos, sin = np.cos(battery.theta), np.sin(battery.theta)
    dressed_z, dressed_x = cos * j_z - sin * j_x, cos * j_x + sin * j_z
    dressed_plus = dressed_x + 1j * j_y
    jumps = (
        np.sqrt(battery.gamma_minus) * np.sin(battery.theta / 2) ** 2 * dressed_plus,
        np.sqrt(battery.gamma_0) * sin * dressed_z,
        np.sqrt(battery.gamma_plus) * np.cos(battery.theta / 2) ** 2 * dressed_plus.conj().T,
    )
    return battery.omega_p * dressed_z, jumps


def evolve(battery, rho, times):
    """Return the density matrices of Eq. (7) at `times`, from the bare `rho` at t = 0."""
    twin = Twin([charging(battery, np.inf)])
    return [twin.evolve(rho, 0.0, t) for t in times]


class Stage(NamedTuple):
    """A Hamiltonian and the jump operators by channel, for a while."""

    hamiltonian: np.ndarray
    jumps: dict
    duration: float

    def generator(self, fields):
        """Return the Liouvillian in which the jumps of channel c count fields[c], or 1."""
        one = np.eye(len(self.hamiltonian))
        liouvillian = -1j * (np.kron(self.hamiltonian, one) - np.kron(one, self.hamiltonian.T))
        for name, jump in self.jumps.items():
            square = jump.conj().T @ jump
            liouvillian += fields.get(name, 1.0) * np.kron(jump, jump.conj())
            liouvillian -= 0.5 * (np.kron(square, one) + np.kron(one, square.T))
        return liouvillian


def charging(battery, duration):
    """Return Eq. (7) for a while."""
    hamiltonian, jumps = jump_operators(battery)
    return Stage(hamiltonian, dict(zip(("red", "center", "blue"), jumps, strict=True)), duration)


def driving(battery, duration):
    """Return the driven Eq. (5) for a while."""
    j_z, j_plus = spin_operators(battery.n_atoms)
    hamiltonian = battery.detuning * j_z - battery.rabi * (j_plus + j_plus.T) / 2
    return Stage(hamiltonian, {"all": np.sqrt(battery.gamma_0) * j_plus.T}, duration)


def dark(battery, duration, **jumps):
    """Return Eq. (5) without a pump for a while, with jump operators by channel, if any."""
    return Stage(battery.detuning * spin_operators(battery.n_atoms)[0], jumps, duration)


def lowering(n, gamma):
    """Return the jump operator sqrt(gamma) J_- of a discharge."""
    return np.sqrt(gamma) * spin_operators(n)[1].T


class Twin:
    """Stages one after the other, under counting fields."""

    def __init__(self, stages):
        self.stages = stages
        self.starts = np.cumsum([0.0, *(stage.duration for stage in stages)])
        self._known = {}

    def evolve(self, rho, start, end, **fields):
        """Return what becomes of `rho`, which need not be of trace 1, from `start` to `end`."""
        for i, (stage, begin) in enumerate(zip(self.stages, self.starts, strict=False)):
            duration = min(end, begin + stage.duration) - max(start, begin)
            if duration > 0:
                key = i, duration, *(fields.get(name) for name in stage.jumps)
                if key not in self._known:
                    self._known[key] = expm(stage.generator(fields) * duration)
                rho = (self._known[key] @ rho.ravel()).reshape(rho.shape)
        return rho

    def clicked(self, rho, time, channel, later=False):
        """Return 𝓙 rho of a channel or of the "total"; of the `later` stage at a boundary."""
        place = np.searchsorted(self.starts[1:], time, side="right" if later else "left")
        jumps = self.stages[min(place, len(self.stages) - 1)].jumps
        wanted = [jump for name, jump in jumps.items() if channel in (name, "total")]
        return sum((jump @ rho @ jump.conj().T for jump in wanted), np.zeros_like(rho))

    def rate(self, rho, time, channel, later=False):
        return np.trace(self.clicked(rho, time, channel, later)).real

    def first(self, rho, start, end, channel):
        """Return the probability that a photon comes by `end`, and that it is of this channel."""
        probability, size = 0.0, rho.size
        for stage, begin in zip(self.stages, self.starts, strict=False):
            since, until = max(start, begin), min(end, begin + stage.duration)
            if until > since and channel in stage.jumps:
                jump = stage.jumps[channel]
                whole = np.zeros((size + 1,) * 2, dtype=complex)
                whole[:size, :size] = stage.generator(dict.fromkeys(stage.jumps, 0.0))
                whole[size, :size] = (jump.conj().T @ jump).T.ravel()
                now = self.evolve(rho, start, since, **self.none())
                probability += (expm(whole * (until - since))[size, :size] @ now.ravel()).real
        return probability

    def none(self):
        """Return the fields under which no photon comes."""
        return {name: 0.0 for stage in self.stages for name in stage.jumps}

    def distribution(self, rho, start, end, channels, size):
        """Return the probabilities of photon numbers 0 to size - 1 of each of `channels`."""
        names, generating = list(self.none()), np.empty((size,) * len(channels), dtype=complex)
        for turns in np.ndindex(generating.shape):
            fields = dict.fromkeys(names, 1.0)
            for name in names:
                for channel, turn in zip(channels, turns, strict=True):
                    if channel in (name, "total"):
                        fields[name] *= np.exp(-2j * np.pi * turn / size)
            generating[turns] = np.trace(self.evolve(rho, start, end, **fields))
        return np.fft.ifftn(generating).real

    def cumulants(self, rho, end, channels):
        """Return means and covariances of photon numbers, by differences of ln <exp(h n)>."""
        h = 1e-3

        def cumulant(*steps):
            fields = dict.fromkeys(channels, 0.0)
            for name, sign in steps:
                fields[name] += sign * h
            fields = {name: np.exp(field) for name, field in fields.items()}
            return np.log(np.trace(self.evolve(rho, 0.0, end, **fields)).real)

        mean = [(cumulant((a, 1)) - cumulant((a, -1))) / (2 * h) for a in channels]
        signs = [*product((1, -1), repeat=2)]
        covariance = [
            [sum(s * t * cumulant((a, s), (b, t)) for s, t in signs) / (4 * h**2) for b in channels]
            for a in channels
        ]
        return np.array(mean), np.array(covariance)

    def filter(self, rho, clicks, times, efficiency, dark=None, routes=None):
        """Yield the density matrix and the log-likelihood of the record so far, at `times`.

        `efficiency` and `dark`, the rate of clicks without a photon, are by channel; `routes` of
        (channel, detector) is where photons go, each to its own detector by default.
        """
        names = list(self.none())
        routes = routes or {(a, b): float(a == b) for a in names for b in names}
        missed = {a: 1.0 - sum(routes[a, b] * efficiency[b] for b in names) for a in names}
        dark = dark or dict.fromkeys(missed, 0.0)
        now, log, left = 0.0, 0.0, list(clicks)
        for time in times:
            while left and left[0][0] <= time:
                clicked, name = left.pop(0)
                rho = self.evolve(rho, now, clicked, **missed)
                seen = sum(routes[a, name] * self.clicked(rho, clicked, a) for a in names)
                rho = efficiency[name] * seen + dark[name] * rho
                now, log, rho = clicked, log + np.log(np.trace(rho).real), rho / np.trace(rho)
            rho, now = self.evolve(rho, now, time, **missed), time
            log, rho = log + np.log(np.trace(rho).real), rho / np.trace(rho)
            yield rho, log - sum(dark.values()) * time  # every detector is on at all times


class Trajectory:
    """A normalised ket that goes on by matrix exponentials, from click to click."""

    def __init__(self, stage, ket):
        self.jumps = [*stage.jumps.values()]
        damping = sum(jump.conj().T @ jump for jump in self.jumps)
        self.generator = -1j * stage.hamiltonian - 0.5 * damping
        self.ket, self.time = ket, 0.0

    def wait_until(self, time):
        """Return -ln of the squared norm that is left."""
        ket = expm(self.generator * (time - self.time)) @ self.ket
        norm = np.linalg.norm(ket)
        self.ket, self.time = ket / norm, time
        return -2.0 * np.log(norm)

    def click(self, channel):
        ket = self.jumps[channel] @ self.ket
        self.ket = ket / np.linalg.norm(ket)

    def rates(self):
        return np.array([np.linalg.norm(jump @ self.ket) ** 2 for jump in self.jumps])

    def sample(self):
        """Return <J_z>, <J_z^2>, Var(J_z), Re <J_+>, Im <J_+>."""
        j_z, j_plus = spin_operators(self.ket.size - 1)
        mean, square, dipole = (
            np.vdot(self.ket, operator @ self.ket) for operator in (j_z, j_z @ j_z, j_plus)
        )
        return [mean.real, square.real, square.real - mean.real**2, dipole.real, dipole.imag]


def random_states(n):
    """Return a complex ket, and a mixture of it and a real one."""
    rng = np.random.default_rng(n)
    ket = rng.normal(size=n + 1) + 1j * rng.normal(size=n + 1)
    other = rng.normal(size=n + 1)
    ket, other = ket / np.linalg.norm(ket), other / np.linalg.norm(other)
    return ket, 0.3 * np.outer(ket, ket.conj()) + 0.7 * np.outer(other, other)


class Case(NamedTuple):
    """A model and an initial state, beside their dense twins, until `end`."""

    name: str
    model: object
    initial: np.ndarray
    twin: Twin
    end: float

    @property
    def channels(self):
        return (*self.model.channel_names, "total")

    @property
    def moments(self):
        """Times to look at: the beginning, and in a protocol boundaries and in between."""
        return [0.0, 0.125] if self.end == 1.0 else [0.0, 0.125, 0.25, 0.5, self.end - 0.125]

    @property
    def rho(self):
        if self.initial.ndim == 2:
            return self.initial.astype(complex)
        return np.outer(self.initial, self.initial.conj()).astype(complex)


ONE_OF_EACH = {"eq7", "eq5-one-atom", "discharge", "one-atom-cycle"}


def parameters():
    """Return all cases as parameters of a test; one of each kind of model is not slow."""
    return [
        pytest.param(case, id=case.name, marks=[pytest.mark.slow] * (case.name not in ONE_OF_EACH))
        for case in cases()
    ]


def mixed(n):
    """Return a bare density matrix with complex coherences, of full rank but one."""
    rng = np.random.default_rng(n)
    kets = rng.normal(size=(max(n, 2), n + 1)) + 1j * rng.normal(size=(max(n, 2), n + 1))
    rho = np.einsum("ij,ik->jk", kets, kets.conj())
    return rho / np.trace(rho).real


def cases():
    """Return models of all kinds; times are binary fractions, so that sums of them are exact."""
    three = tb.Battery(3, 1.87, 9.0, gamma_0=0.7, gamma_plus=4.0, gamma_minus=1.5)
    four = tb.Battery(4, 0.8, 3.0, gamma_0=0.4, gamma_plus=0.3, gamma_minus=2.0)
    up, down = tb.Battery(2, 0.0, 5.0, 1.0, 2.0, 3.0), tb.Battery(2, np.pi, 5.0, 1.0, 2.0, 3.0)
    one = tb.Battery(1, 2.1, 3.0, gamma_0=1.3, gamma_plus=5.0, gamma_minus=0.6)
    halting = tb.Battery(3, 1.3, 4.0, gamma_0=0.0, gamma_plus=0.0, gamma_minus=2.0)
    two = tb.Battery(2, 1.1, 7.0, 0.8, 0.8, 0.8)
    other = tb.Battery(2, 1.87, 9.0, gamma_0=0.7, gamma_plus=4.0, gamma_minus=1.5)
    atom = tb.Battery(1, 1.2, 4.0, 1.5, 1.5, 1.5)

    found = [
        Case(name, battery.charge(), initial, Twin([charging(battery, np.inf)]), 1.0)
        for name, battery, initial in [
            ("eq7", three, tb.coherent_state(3, 2.2, 0.7)),
            ("eq7-mixed", four, mixed(4)),
            ("eq7-theta-0", up, mixed(2)),
            ("eq7-theta-pi", down, tb.coherent_state(2, 0.6)),
            ("eq7-one-atom", one, tb.ground_state(1)),
            ("eq7-halting", halting, tb.ground_state(3)),
        ]
    ]
    for name, battery, initial in [("eq5", two, mixed(2)), ("eq5-one-atom", atom, mixed(1))]:
        twin = Twin([driving(battery, np.inf)])
        found.append(Case(name, battery.charge(secular=False), initial, twin, 1.0))
    for name, gamma, initial in [("discharge", 1.7, mixed(3)), ("closed", 0.0, mixed(3))]:
        twin = Twin([dark(three, np.inf, all=lowering(3, gamma))])
        found.append(Case(name, three.discharge(gamma), initial, twin, 1.0))
    for name, initial, steps in [
        (
            "cycle",
            mixed(2),
            [
                (other.charge(), charging(other, 0.25)),
                (other.discharge(2.0), dark(other, 0.125, dis=lowering(2, 2.0))),
                (two.charge(secular=False), driving(two, 0.5)),
                (two.charge(), charging(two, 0.25)),
                (other.store(), dark(other, 0.25)),
                (two.discharge(), dark(two, 0.25, dis=lowering(2, 0.8))),
            ],
        ),
        (
            "one-atom-cycle",
            tb.coherent_state(1, 1.0, 2.0),
            [
                (one.store(), dark(one, 0.25)),
                (one.charge(), charging(one, 0.5)),
                (one.discharge(), dark(one, 0.5, dis=lowering(1, 1.3))),
                (one.store(), dark(one, 0.25)),
            ],
        ),
    ]:
        protocol = tb.Protocol([(model, stage.duration) for model, stage in steps])
        twin = Twin([stage for _, stage in steps])
        found.append(Case(name, protocol, initial, twin, protocol.duration))
    return found

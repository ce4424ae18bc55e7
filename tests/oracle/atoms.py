"""N atoms one by one, as dense Liouvillians on 2^N states: slow, short and independent."""

import functools
import json
from itertools import product
from pathlib import Path

import numpy as np
from scipy.linalg import expm

import trajbatt as tb

NAMES = ("gamma_0", "gamma_plus", "gamma_minus", "local_0", "local_plus", "local_minus")
NAMES += ("dephasing_omega", "pump", "thermal_0", "thermal_plus", "thermal_minus")


@functools.cache
def load():
    return json.loads((Path(__file__).parent / "data" / "oracles_local.json").read_text())


def of_case(case):
    """Return the model and the initial state of a reference case."""
    p = case["parameters"]
    if p["stage"] == "discharge":
        battery = tb.Battery(p["N"], p["theta"], p["omega_p"])
        model = battery.discharge(p["gamma"], p.get("local"), p.get("dephasing_0", 0.0))
    else:
        given = {name: p[name] for name in NAMES if name in p}
        if "dephasing_0" in p:
            given = {"dephasing_omega": 0.0, **given, "dephasing": p["dephasing_0"]}
        model = tb.Battery(p["N"], p["theta"], p["omega_p"], **given).charge()
    if isinstance(p["initial"], dict):
        return model, tb.SteadyState(p["N"], p["theta"], p["initial"]["steady_dressed"])
    state = {"ground": tb.ground_state, "excited": tb.excited_state}[p["initial"]]
    return model, state(p["N"])


class Atoms:
    """All atoms under a model with channels, collective and local ones."""

    def __init__(self, model):
        self.model, n = model, model.n_atoms
        cos, sin = np.cos(model.theta), np.sin(model.theta)
        z, plus = np.diag([0.5, -0.5]), np.array([[0.0, 1.0], [0.0, 0.0]])  # |e> first
        x, y = (plus + plus.T) / 2, (plus - plus.T) / 2j
        turned_z, turned_x = cos * z - sin * x, cos * x + sin * z
        one_atom = {0: turned_z, 1: turned_x + 1j * y, -1: turned_x - 1j * y}

        def at(i, operator):
            return np.kron(np.kron(np.eye(2**i), operator), np.eye(2 ** (n - 1 - i)))

        def every(operator):
            return [at(i, operator) for i in range(n)]

        self.x, self.y, self.z = (sum(every(one)) for one in (x, y, z))
        self.hamiltonian = model.frequency * sum(every(turned_z))
        self.jumps = {}
        for channel in model.channels:
            operators = every(one_atom[channel.shift])
            operators = operators if channel.local else [sum(operators)]
            self.jumps[channel.name] = [np.sqrt(channel.rate) * one for one in operators]

    def generator(self, fields=()):
        """Return the Liouvillian in which the jumps of channel c count fields[c], or 1."""
        fields, one = dict(fields), np.eye(len(self.hamiltonian))
        found = -1j * (np.kron(self.hamiltonian, one) - np.kron(one, self.hamiltonian.T))
        for name, jumps in self.jumps.items():
            for jump in jumps:
                square = jump.conj().T @ jump
                found += fields.get(name, 1.0) * np.kron(jump, jump.conj())
                found -= 0.5 * (np.kron(square, one) + np.kron(one, square.T))
        return found

    def symmetric(self, ket):
        """Return the density matrix of a bare symmetric ket, index = number of excited atoms."""
        n, state = self.model.n_atoms, np.zeros(2**self.model.n_atoms, dtype=complex)
        excited = [n - sum(bits) for bits in product((0, 1), repeat=n)]
        for place, k in enumerate(excited):
            state[place] = ket[k] / np.sqrt(excited.count(k))
        return np.outer(state, state.conj())

    def evolve(self, rho, times):
        """Yield the density matrices at `times`."""
        generator, now = self.generator(), 0.0
        for time in times:
            rho = (expm(generator * (time - now)) @ rho.ravel()).reshape(rho.shape)
            now = time
            yield rho

    def mean(self, operator, rho):
        return np.einsum("ij,ji->", operator, rho)

    def numbers(self, rho):
        """Return energy, variance, dipole and <J^2>."""
        z, square = self.mean(self.z, rho).real, self.mean(self.z @ self.z, rho).real
        length = square + sum(self.mean(a @ a, rho).real for a in (self.x, self.y))
        dipole = self.mean(self.x + 1j * self.y, rho)
        return z + self.model.n_atoms / 2, square - z**2, dipole, length

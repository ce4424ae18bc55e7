r"""Two bounds on a discharge: Fisher information and power, speed limit and time.

With p_k the populations of the bare levels, the paper's last section has

    abs(P) <= sqrt(Delta E^2 I_E),     I_E = sum_k (dp_k/dt)^2/p_k.

The speed limit (del Campo et al., 2013) is that of f(t) = tr(rho_0 rho_t)/tr(rho_0^2): its slope is
tr(L'(rho_0) rho_t)/tr(rho_0^2) with L' the adjoint Liouvillian, so by Cauchy and Schwarz it takes

    t >= (1 - f) tr(rho_0^2)/sqrt(tr(L'(rho_0)^2)).

The inverted state has L'(rho_0) = -gamma N rho_0, so that t >= (1 - f)/(gamma N), while in fact
f = exp(-gamma N t). The charged state is nearly coherent: it turns as a classical spin, at the rate
gamma (N/2) sin(theta), and is another state after an angle ~ N^(-1/2). For large N

    t >= (1 - f) 2 sqrt(2)/(gamma sin(theta) N^(3/2)),
    f = exp(-w (gamma sin(theta))^2 N^3 t^2/16),     w = tr(rho_0^2) = abs((x - 1)/(x + 1)).

There is no Hamiltonian here: the frame turns with the atoms, Omega_P = 0.
"""

import math
import sys
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

import trajbatt as tb
from experiments import study
from experiments.study import CONDITIONAL, FAILS, HOLDS, Verdict
from trajbatt.plots.style import ENSEMBLE_COLOR

COLORS = {"charged": "#e69f00", "inverted": "#222222"}
QUANTITIES = "Delta E^2", "I_E", "P"
LABELS = r"$\Delta E^2$", r"$I_E/\gamma^2$", r"$|P|/\gamma$"


@dataclass(frozen=True)
class Settings:
    """What is chosen; gamma_- = gamma = 1.

    Attributes
    ----------
    theta, r : float
        Of the charged state.
    points : tuple of (theta, r)
        Other charged states.
    atoms : tuple of int
        For the exponents; each the double of the one before.
    state_atoms : tuple of int
        The same where whole density matrices are needed.
    charging_atoms : tuple of int
        The same for the bound on the power of charging, with Omega_P = 4 N.
    shown, ntraj, seed : int
        Atoms, trajectories and seed of the ensembles.
    """

    theta: float = 1.87
    r: float = 10.0
    points: tuple = ((1.2, 10.0), (2.2, 100.0), (2.2, 1.0))
    atoms: tuple = (25, 50, 100, 200, 400)
    state_atoms: tuple = (20, 40, 80, 160)
    charging_atoms: tuple = (20, 40, 80)
    shown: int = 100
    ntraj: int = 10_000
    seed: int = 20241217


def settings(quick):
    """Return the settings."""
    if not quick:
        return Settings()
    return Settings(
        atoms=(25, 50, 100), state_atoms=(20, 40), charging_atoms=(10, 20), shown=50, ntraj=1000
    )


def discharge(n_atoms, theta, r):
    """Return the model of a discharge at gamma = 1 that begins with the charged state."""
    return tb.Battery(n_atoms, theta, 0.0, gamma_plus=r).discharge()


def moving_times(n_atoms, state):
    """Return the times, in 1/gamma, in which a discharge happens."""
    if state == "charged":
        return np.linspace(0.05, 6.0, 120) / n_atoms
    return np.linspace(0.5, 2 * math.log(n_atoms) + 4, 120) / n_atoms


def initial(n_atoms, state):
    """Return the initial state for the package; None is the charged one."""
    return None if state == "charged" else tb.excited_state(n_atoms)


def at_peak(n_atoms, theta, r, state):
    """Return Delta E^2, I_E, abs(P) and abs(P)/bound at the largest power, and max abs(P)/bound."""
    times = moving_times(n_atoms, state)
    found = tb.energy_fisher(discharge(n_atoms, theta, r), times, initial(n_atoms, state))
    power, ratio = np.abs(found.power), np.abs(found.power) / found.bound
    i = power.argmax()
    return found.energy_variance[i], found.information[i], power[i], ratio[i], ratio.max()


def charging(n_atoms, theta, r):
    """Return the same while charging, where the pump drives the populations as well.

    At the same N Gamma t and Omega_P t for every N; the slopes are by differences of states.
    """
    battery = tb.Battery(n_atoms, theta, 4.0 * n_atoms, gamma_plus=r)
    step = 2e-4 / n_atoms
    times = np.linspace(0.5, 6.0, 12) / (n_atoms * battery.gamma_net)
    stencil = (times[:, None] + step * np.arange(-2, 3)).ravel()
    exact = tb.mesolve(battery.charge(), stencil, keep_states=True, rtol=1e-13)
    p = np.einsum("tkk->tk", exact.states).real.reshape(times.size, 5, -1)
    slope = (p[:, 0] - 8 * p[:, 1] + 8 * p[:, 3] - p[:, 4]) / (12 * step)
    populated = p[:, 2] > 1e-10
    information = np.sum(slope**2 / np.where(populated, p[:, 2], np.inf), axis=1)
    power = np.abs(slope @ np.arange(n_atoms + 1.0))
    variance = exact.energy_variance.reshape(times.size, 5)[:, 2]
    ratio = power / np.sqrt(variance * information)
    i = power.argmax()
    return variance[i], information[i], power[i], ratio[i], ratio.max()


def speed_limit(n_atoms, theta, r, state):
    """Return the time to f = 1/2, at least and in fact, and that to half the energy."""
    model = discharge(n_atoms, theta, r)
    start = initial(n_atoms, state)
    rho = tb.mesolve(model, [0.0], start, keep_states=True).states[0]
    k = np.arange(n_atoms)
    raising = np.diag(np.sqrt((n_atoms - k) * (k + 1.0)), -1)
    loss = raising @ raising.T
    adjoint = raising @ rho @ raising.T - (loss @ rho + rho @ loss) / 2
    purity = np.sum(np.abs(rho) ** 2)
    least = 0.5 * purity / math.sqrt(np.sum(np.abs(adjoint) ** 2))

    # f is followed over a few times the bound, the energy over the whole discharge.
    times = np.linspace(0.0, 6.0, 61) * least
    states = tb.mesolve(model, times, start, keep_states=True).states
    f = np.einsum("ij,tji->t", rho, states).real / purity
    in_fact = np.interp(-0.5, -f, times)
    times = np.append(0.0, moving_times(n_atoms, state))
    energy = tb.mesolve(model, times, start).energy
    return least, in_fact, np.interp(-energy[0] / 2, -energy, times)


def ensemble(settings, state):
    """Return a discharge by trajectories beside the exact one."""
    model, start = (
        discharge(settings.shown, settings.theta, settings.r),
        initial(settings.shown, state),
    )
    times = moving_times(settings.shown, state)
    fisher = tb.energy_fisher(model, times, start)
    shown = times[3::8]
    runs = tb.mcsolve(model, shown, settings.ntraj, start, seed=settings.seed)
    exact = tb.mesolve(model, shown, start)
    z = (
        (runs.energy - exact.energy) / runs.energy_sem,
        (runs.energy_variance - exact.energy_variance) / runs.energy_variance_sem,
    )
    power = -np.diff(runs.energy) / np.diff(shown)
    return {
        "times": times * settings.shown,
        "power": np.abs(fisher.power),
        "bound": fisher.bound,
        "middle": settings.shown * (shown[1:] + shown[:-1]) / 2,
        "runs": power,
        "z": z,
    }


def compute(settings):
    """Find the exponents of both bounds, for both states and in charging."""
    point = settings.theta, settings.r
    return {
        "peaks": {
            state: np.array([at_peak(n, *point, state) for n in settings.atoms]) for state in COLORS
        },
        "others": np.array(
            [
                [at_peak(n, *one, "charged") for n in settings.atoms[-3:-1]]
                for one in settings.points
            ]
        ),
        "charging": np.array([charging(n, *point) for n in settings.charging_atoms]),
        "limits": {
            state: np.array([speed_limit(n, *point, state) for n in settings.state_atoms])
            for state in COLORS
        },
        "ensembles": {state: ensemble(settings, state) for state in COLORS},
    }


def exponents(values):
    """Return the exponents of N of what doubles its N from row to row, from the last two rows."""
    return np.log2(values[-1] / values[-2])


def draw(settings, found):
    """Draw what enters the bound against N, the power beside it, and the speed limit."""
    figure = Figure(figsize=(10, 3.9), layout="constrained")
    by_n, course, limit = figure.subplots(1, 3)
    atoms = np.array(settings.atoms)
    for state, color in COLORS.items():
        for i, (label, mark) in enumerate(zip(LABELS, "os^", strict=True)):
            by_n.loglog(atoms, found["peaks"][state][:, i], marker=mark, ms=4, color=color,
                        label=label if state == "inverted" else None)  # fmt: skip
    by_n.set_xlabel("$N$")
    by_n.set_title("At the largest power", fontsize=11)
    by_n.legend(fontsize=8, loc="upper left")
    by_n.text(0.97, 0.03, "black: inverted\norange: charged", ha="right", fontsize=8,
              transform=by_n.transAxes)  # fmt: skip

    for state, color in COLORS.items():
        one, scale = found["ensembles"][state], settings.shown**2
        course.plot(one["times"], one["power"] / scale, color=color, label=f"$|P|$, {state}")
        course.plot(one["times"], one["bound"] / scale, "--", color=color, label="its bound")
        course.plot(one["middle"], one["runs"] / scale, ls="", marker=".", color=ENSEMBLE_COLOR,
                    label="trajectories" if state == "inverted" else None)  # fmt: skip
    course.set_ylim(0, 0.48)
    course.set_xlabel(r"$N\gamma t$")
    course.set_ylabel(r"power$/N^2$ ($\hbar\omega_0\gamma$)")
    course.set_title(f"Power and bound, $N={settings.shown}$", fontsize=11)
    course.legend(fontsize=8)

    for state, color in COLORS.items():
        least, in_fact, half = found["limits"][state].T
        names = ("half the energy", "half the overlap", "its lower bound")
        styles = (":", "o-", "--")
        for values, style, name in zip((half, in_fact, least), styles, names, strict=True):
            label = name if state == "inverted" else None
            limit.loglog(settings.state_atoms, values, style, ms=4, color=color, label=label)
    for axes, ticks in ((by_n, settings.atoms), (limit, settings.state_atoms)):
        axes.set_xticks(ticks, [str(n) for n in ticks])
        axes.set_xticks([], minor=True)
    limit.set_xlabel("$N$")
    limit.set_ylabel(r"time ($1/\gamma$)")
    limit.set_title("Speed limit of the state", fontsize=11)
    limit.legend(fontsize=8, loc="lower left")
    return figure


def judge(settings, found):
    """Judge the paper's last section before the conclusions."""
    return [
        _judge_power(settings, found),
        _judge_exponents(settings, found),
        *_judge_limits(settings, found),
        _judge_ensembles(settings, found),
    ]


def _judge_power(settings, found):
    largest = [found["peaks"][state][:, 4].max() for state in COLORS]
    largest += [found["charging"][:, 4].max(), found["others"][..., 4].max()]
    charged, inverted = (found["peaks"][state][-1, 3] for state in COLORS)
    return Verdict(
        "P <= sqrt(Delta E^2 I_E), with the Fisher information of the battery alone, holds.",
        HOLDS if max(largest) <= 1 + 1e-9 else FAILS,
        f"Largest P/bound {max(largest):.4f} in discharges and charging. At the largest power and "
        f"N = {settings.atoms[-1]} it is {charged:.4f} for the charged state, so nearly an "
        f"equality, and {inverted:.3f} for the inverted one.",
        {
            "largest P/bound": max(largest),
            "P/bound, charged": charged,
            "P/bound, inverted": inverted,
        },
    )


def _judge_exponents(settings, found):
    charged, inverted = (exponents(found["peaks"][state])[:3] for state in COLORS)
    others = np.array([exponents(rows)[:3] for rows in found["others"]])
    pumped = exponents(found["charging"])[:3]
    as_said = np.abs(np.vstack([others, charged])[:, :2] - (1, 3)).max() < 0.25
    as_inverted = np.abs(inverted[:2] - (1, 3)).max() < 0.25

    def text(row):
        return ", ".join(f"{one:.2f}" for one in row)

    return Verdict(
        "In the discharge Delta E^2 scales as N and I_E as N^3.",
        FAILS if not as_said else HOLDS if as_inverted else CONDITIONAL,
        f"From the charged state: exponents of Delta E^2, I_E and P at the largest power "
        f"{text(charged)}; other charged states "
        + "; ".join(text(row) for row in others)
        + f". From the inverted state {text(inverted)}: it waits for its first photons, and a run "
        "that begins late is late throughout, so Delta E ~ N. While charging with Omega_P = 4 N: "
        f"{text(pumped)}.",
        {
            "exponents, charged": charged,
            "exponents, inverted": inverted,
            "exponents, charging": pumped,
        },
    )


def _judge_limits(settings, found):
    n, verdicts = settings.state_atoms[-1], []
    x = tb.Battery(1, settings.theta, 0.0, gamma_plus=settings.r).x
    sin, w = math.sin(settings.theta), abs((x - 1) / (x + 1))
    expected = {
        "inverted": (0.5, math.log(2), 1.0),
        "charged": (math.sqrt(2) / sin, 4 * math.sqrt(math.log(2) / w) / sin, 1.5),
    }
    for state in ("inverted", "charged"):
        least, in_fact, half = found["limits"][state].T
        power = exponents(found["limits"][state])
        obeyed = np.all(least <= in_fact)
        scaled = least[-1] * n ** expected[state][2], in_fact[-1] * n ** expected[state][2]
        verdicts.append(
            Verdict(
                f"The speed limit of the decay bounds the time by ~ 1/(gamma N): {state} state.",
                HOLDS if obeyed and abs(power[0] + 1) < 0.05 else FAILS,
                f"The bound scales as N^{power[0]:.2f}, to {scaled[0]:.3f} "
                f"N^-{expected[state][2]:g}/gamma for f = 1/2 (large N: {expected[state][0]:.3f}); "
                f"in fact f = 1/2 at {scaled[1]:.3f} N^-{expected[state][2]:g}/gamma (large N: "
                f"{expected[state][1]:.3f}). Half the energy takes {half[-1] * n:.2f}/(gamma N) at "
                f"N = {n}, N^{power[2]:.2f}: "
                + (
                    "the bound lacks the logarithm of the delay."
                    if state == "inverted"
                    else "the bound is met by a rotation through N^(-1/2), which takes hardly any "
                    "energy out, and does not limit the power to N^2."
                ),
                {
                    f"exponent of the bound, {state}": power[0],
                    f"exponent of the time, {state}": power[1],
                    f"bound times power of N, {state}": scaled[0],
                    f"time times power of N, {state}": scaled[1],
                },
            )
        )
    return verdicts


def _judge_ensembles(settings, found):
    z = np.concatenate([found["ensembles"][state]["z"] for state in COLORS], axis=None)
    return Verdict(
        "Trajectories have the same E and Delta E^2 (not in the paper).",
        HOLDS if np.abs(z).max() < 4.5 else FAILS,
        f"{settings.ntraj} of each discharge at N = {settings.shown}: z at most "
        f"{np.abs(z).max():.1f} of {z.size}, r.m.s. {math.sqrt(np.mean(z**2)):.2f}.",
        {"largest z of E and Delta E^2": np.abs(z).max()},
    )


if __name__ == "__main__":
    study.main(sys.modules[__name__])

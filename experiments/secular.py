r"""How strong the pump must be for Eq. (7) to stand for Eq. (5).

Eq. (5) has one rate, gamma, so they can be compared for three equal rates only. By Eq. (5) a large
battery is a classical spin of length N/2, turned by the pump and pulled down by the decay. It comes
to rest aslant: with g = N gamma/(2 Omega_P) and c the cosine of its angle to the axis of the pump,

    c^4 - (1 - g^2) c^2 - g^2 cos^2(theta) = 0,     E/N = (1 - abs(cos(theta))/c)/2,

where Eq. (7) has c = 1. To first order the spin is tilted by g sin(theta), across the plane of pump
and energy: the energy changes by g^2 only, but the state rho of Eq. (7) is rotated by that angle,
to the trace distance (g/2) sin(theta) times the trace norm of [J'_x, rho], which grows as sqrt(N).
So the energy asks for Omega_P ~ N gamma and the state for Omega_P ~ N^(3/2) gamma.
"""

import math
import sys
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from scipy.linalg import eigvalsh_tridiagonal
from scipy.optimize import brentq

import trajbatt as tb
from experiments import study
from experiments.study import CONDITIONAL, FAILS, HOLDS, Verdict
from trajbatt.plots.style import ENSEMBLE_COLOR

SHADES = ("#bbbbbb", "#999999", "#777777", "#444444", "#000000")
STYLES = ("-", "--", ":")
BRACKETS = (0.4, 3.0), (1.0, 40.0)  # of Omega_P/(N gamma), for the energy and for the state


@dataclass(frozen=True)
class Settings:
    """What is chosen; gamma = 1.

    Attributes
    ----------
    theta : float
        Of the pictures.
    thetas : tuple of float
        Of the scan.
    atoms : tuple of int
    drives : tuple of float
        Omega_P/(N gamma).
    energy_tolerance, state_tolerance : float
        What Eq. (7) may be off by: energy per atom, and trace distance.
    fixed : float
        Omega_P/gamma where it does not grow with N.
    transient_atoms : tuple of int
    transient_drives : tuple of float
    shown, ntraj, seed : int
        Atoms, trajectories and seed of the ensembles.
    shown_drives : tuple of float
        Of the ensembles.
    """

    theta: float = 1.87
    thetas: tuple = (0.6, 1.2, math.pi / 2, 1.87, 2.4)
    atoms: tuple = (10, 20, 40, 80, 160)
    drives: tuple = tuple(np.geomspace(0.3, 20.0, 15))
    energy_tolerance: float = 0.01
    state_tolerance: float = 0.1
    fixed: float = 20.0
    transient_atoms: tuple = (10, 20, 40, 80)
    transient_drives: tuple = (5.0, 10.0, 20.0)
    shown: int = 40
    ntraj: int = 1000
    seed: int = 20241217
    shown_drives: tuple = (0.35, 0.5, 0.7, 1.0, 1.4)


def settings(quick):
    """Return the settings."""
    if not quick:
        return Settings()
    return Settings(
        thetas=(1.2, math.pi / 2, 1.87),
        atoms=(10, 20, 40),
        drives=tuple(np.geomspace(0.3, 20.0, 8)),
        transient_atoms=(10, 20),
        ntraj=300,
        shown_drives=(0.5, 1.0),
    )


def battery_at(theta, n_atoms, drive):
    """Return the battery with Omega_P = drive N gamma."""
    return tb.Battery(n_atoms, theta, drive * n_atoms)


def steady_errors(theta, n_atoms, drive):
    """Return the error of Eq. (7) in the energy per atom, and the trace distance."""
    check = tb.secular_check(battery_at(theta, n_atoms, drive), [0.0])
    return check.energy_difference, check.trace_distance


def classical_error(theta, drive):
    """Return the error of Eq. (7) in the energy per atom of a classical spin."""
    g = 0.5 / drive
    root = math.hypot(1 - g**2, 2 * g * math.cos(theta))
    return abs(math.cos(theta)) / 2 * (math.sqrt(2 / (1 - g**2 + root)) - 1)


def rotated_distance(theta, n_atoms, drive):
    """Return the trace distance to first order: that of a rotation by g sin(theta)."""
    battery = battery_at(theta, n_atoms, drive)
    populations = tb.steady_state(battery.charge()).populations
    k = np.arange(n_atoms)
    # The commutator of J'_x with the populations is tridiagonal, with nothing on its diagonal.
    links = np.sqrt((n_atoms - k) * (k + 1)) / 2 * np.diff(populations)
    norm = np.abs(eigvalsh_tridiagonal(np.zeros(n_atoms + 1), links)).sum()
    return math.sin(theta) / (4 * drive) * norm


def needed(theta, n_atoms, which, tolerance):
    """Return the Omega_P/gamma at which an error of `steady_errors` falls to the tolerance."""

    def excess(log_drive):
        return math.log(steady_errors(theta, n_atoms, math.exp(log_drive))[which] / tolerance)

    return n_atoms * math.exp(brentq(excess, *np.log(BRACKETS[which]), xtol=2e-3))


def ensemble_error(settings, drive):
    """Return by trajectories of Eq. (5) the error of Eq. (7), its sem, and both z-scores."""
    battery = battery_at(settings.theta, settings.shown, drive)
    model = battery.charge(secular=False)
    end = [16.0 / (settings.shown * abs(battery.gamma_net))]
    runs = tb.mcsolve(model, end, settings.ntraj, seed=settings.seed)
    exact = tb.mesolve(model, end, rtol=1e-8).energy[0]
    by_eq7 = tb.steady_state(battery.charge()).energy
    energy, sem = runs.energy[0], runs.energy_sem[0]
    per_atom = (by_eq7 - energy) / settings.shown, sem / settings.shown
    return *per_atom, (energy - exact) / sem, (energy - by_eq7) / sem


def compute(settings):
    """Compare the steady states, find what pump they need, then the transients."""
    steady = np.array(
        [[steady_errors(settings.theta, n, d) for d in settings.drives] for n in settings.atoms]
    )
    tolerances = settings.energy_tolerance, settings.state_tolerance
    thresholds = np.array(
        [
            [[needed(theta, n, i, tolerances[i]) for n in settings.atoms] for i in (0, 1)]
            for theta in settings.thetas
        ]
    )
    transients = []
    for n in settings.transient_atoms:
        for drive in settings.transient_drives:
            battery = battery_at(settings.theta, n, drive)
            times = np.linspace(0, battery.charging_time, 400)
            transients.append(tb.secular_check(battery, times, rtol=1e-7).transient_difference)
    return {
        "steady": steady,  # N, drive, (energy, trace distance)
        "thresholds": thresholds,  # theta, (energy, trace distance), N
        "fixed": [steady_errors(settings.theta, n, settings.fixed / n)[0] for n in settings.atoms],
        "transients": np.reshape(transients, (len(settings.transient_atoms), -1)),
        "ensembles": np.array([ensemble_error(settings, drive) for drive in settings.shown_drives]),
    }


def draw(settings, found):
    """Draw the two errors against the pump, and the pump that they ask for against N."""
    figure = Figure(figsize=(10, 3.9), layout="constrained")
    energy, state, need = figure.subplots(1, 3)
    drives, atoms = np.array(settings.drives), np.array(settings.atoms)
    fine = np.geomspace(drives[0], drives[-1], 200)
    shades = SHADES[-len(atoms) :]
    for n, shade, errors in zip(atoms, shades, found["steady"], strict=True):
        energy.loglog(drives, errors[:, 0], color=shade, label=f"$N={n}$")
        state.loglog(drives / math.sqrt(n), errors[:, 1], color=shade, label=f"$N={n}$")
    classical = [classical_error(settings.theta, drive) for drive in fine]
    energy.loglog(fine, classical, "--", color="#e69f00", lw=2, label="classical spin")
    error, sem = found["ensembles"][:, 0], found["ensembles"][:, 1]
    energy.errorbar(settings.shown_drives, error, sem, ls="", marker="o", ms=5,
                    color=ENSEMBLE_COLOR, label="trajectories of (5)")  # fmt: skip
    energy.axhline(settings.energy_tolerance, color="#999999", lw=0.8)
    energy.set_xlabel(r"$\Omega_P/(N\gamma)$")
    energy.set_ylabel(r"error of $E/N$ ($\hbar\omega_0$)")
    energy.set_title("Energy: Eq. (7) needs $N$", fontsize=11)
    energy.legend(fontsize=8, loc="lower left")

    largest = atoms[-1]
    reach = fine[fine > 2]
    rotated = [rotated_distance(settings.theta, largest, drive) for drive in reach]
    state.loglog(reach / math.sqrt(largest), rotated, "--", color="#e69f00", lw=2, label="rotation")
    state.axhline(settings.state_tolerance, color="#999999", lw=0.8)
    state.set_xlabel(r"$\Omega_P/(N^{3/2}\gamma)$")
    state.set_ylabel("trace distance of the states")
    state.set_title("State: Eq. (7) needs $N^{3/2}$", fontsize=11)
    state.legend(fontsize=8, loc="lower left")

    shown = [i for i, theta in enumerate(settings.thetas) if theta in (1.2, math.pi / 2, 1.87)]
    for i, style in zip(shown, STYLES, strict=True):
        theta = r"\pi/2" if settings.thetas[i] == math.pi / 2 else f"{settings.thetas[i]}"
        by_energy, by_state = found["thresholds"][i]
        need.loglog(atoms, by_state, style, marker="o", color="#cc79a7", ms=4,
                    label=rf"state, $\theta={theta}$")  # fmt: skip
        need.loglog(atoms, by_energy, style, marker="s", color="#222222", ms=4,
                    label=rf"energy, $\theta={theta}$")  # fmt: skip
    need.set_xlabel("$N$")
    need.set_ylabel(r"$\Omega_P/\gamma$ needed")
    need.set_title(
        f"Pump for {settings.energy_tolerance} per atom, distance {settings.state_tolerance}",
        fontsize=10.5,
    )
    need.legend(fontsize=7.5, loc="upper left")
    for axes in (energy, state):
        axes.set_ylim(1e-5 if axes is energy else 1e-3, 2.0)
    return figure


def judge(settings, found):
    """Judge what the paper asks of the pump."""
    atoms, thetas = np.array(settings.atoms), np.array(settings.thetas)
    by_energy, by_state = found["thresholds"][:, 0], found["thresholds"][:, 1]
    energy_exponents, state_exponents = (
        np.log2(needs[:, -1] / needs[:, -2]) / np.log2(atoms[-1] / atoms[-2])
        for needs in (by_energy, by_state)
    )
    resonant = thetas == math.pi / 2
    off = ~resonant
    ratios = by_energy[:, -1] / atoms[-1]
    at_half_pi = ratios[resonant][0]  # in units in which N Gamma is zero
    scales = np.abs(energy_exponents[off] - 1).max() < 0.1
    fixed = found["fixed"]
    return [
        Verdict(
            "Omega_P much above the rates does not do; it must grow with N (after Eq. 15).",
            HOLDS if fixed[-1] > 5 * fixed[0] else FAILS,
            f"At Omega_P = {settings.fixed:g} gamma and theta = {settings.theta} the steady energy "
            f"per atom by Eq. (7) is off by {fixed[0]:.4f} with {atoms[0]} atoms and by "
            f"{fixed[-1]:.3f} with {atoms[-1]}.",
            {"energy error, fixed pump": fixed},
        ),
        Verdict(
            "The steady energy needs Omega_P >> N Gamma.",
            FAILS if not scales else CONDITIONAL if at_half_pi > 0.25 else HOLDS,
            "N is right, Gamma is not: the condition is on N gamma. To "
            f"{settings.energy_tolerance} per atom it takes Omega_P = "
            + ", ".join(f"{ratio:.2f}" for ratio in ratios)
            + " N gamma at theta = "
            + ", ".join(f"{theta:.2f}" for theta in thetas)
            + f" (exponent of N {energy_exponents[off].min():.2f} to "
            f"{energy_exponents[off].max():.2f} but at pi/2). At pi/2 Gamma = 0, yet it takes "
            f"{at_half_pi:.2f} N gamma, and a classical spin N gamma/2.",
            {
                "Omega_P/(N gamma) for the energy": ratios,
                "exponent of N, energy": energy_exponents,
            },
        ),
        _judge_state(settings, found, state_exponents, off),
        _judge_transient(settings, found),
        _judge_trajectories(settings, found),
    ]


def _judge_state(settings, found, exponents, off):
    drive = settings.drives[-1]
    distances = found["steady"][:, -1, 1]
    predicted = [rotated_distance(settings.theta, n, drive) for n in settings.atoms]
    scaled = found["thresholds"][off, 1, -1] / settings.atoms[-1] ** 1.5
    enough = abs(exponents[off] - 1).max() < 0.1
    return Verdict(
        "With Omega_P >> N Gamma Eq. (7) predicts the steady state reliably.",
        HOLDS if enough else FAILS,
        f"Its energy, not the state: at Omega_P = {drive:g} N gamma and theta = {settings.theta} "
        f"the trace distance grows from {distances[0]:.3f} with {settings.atoms[0]} atoms to "
        f"{distances[-1]:.3f} with {settings.atoms[-1]} (rotation: {predicted[-1]:.3f}). For "
        f"{settings.state_tolerance} Omega_P must grow as N^{exponents[off].min():.2f} to "
        f"N^{exponents[off].max():.2f} over theta, in the end as N^(3/2), the pump's power as N^3; "
        f"only at pi/2 as N^{exponents[~off][0]:.2f}.",
        {
            "trace distance by N": distances,
            "trace distance by N, rotation": predicted,
            "exponent of N, state": exponents,
            "Omega_P/(N^(3/2) gamma) for the state": scaled,
        },
    )


def _judge_transient(settings, found):
    scaled = found["transients"] * np.array(settings.transient_drives)
    collapses = np.ptp(scaled) < 0.15 * scaled.mean()
    needed = scaled.mean() / settings.energy_tolerance
    return Verdict(
        "A pump that is strong enough for the steady energy is so while charging (Fig. 2).",
        FAILS if collapses else CONDITIONAL,
        f"The largest error per atom until T90 is {scaled.min():.2f} to {scaled.max():.2f} times "
        f"N gamma/Omega_P over all N and pumps, first order where the steady energy is second: "
        f"{settings.energy_tolerance} takes Omega_P = {needed:.0f} N gamma.",
        {
            "transient error times Omega_P/(N gamma)": scaled.ravel(),
            "Omega_P/(N gamma) for the transient": needed,
        },
    )


def _judge_trajectories(settings, found):
    of_eq5, of_eq7 = found["ensembles"][:, 2], found["ensembles"][:, 3]
    return Verdict(
        "Trajectories of Eq. (5) tell it from Eq. (7) where the pump is weak.",
        HOLDS if np.abs(of_eq5).max() < 4 and np.abs(of_eq7).max() > 10 else FAILS,
        f"{settings.ntraj} of them with {settings.shown} atoms, Omega_P/(N gamma) = "
        + ", ".join(f"{drive:g}" for drive in settings.shown_drives)
        + ": off Eq. (5) by "
        + ", ".join(f"{z:+.1f}" for z in of_eq5)
        + " standard errors, off Eq. (7) by "
        + ", ".join(f"{z:+.1f}" for z in of_eq7)
        + ".",
        {"z off Eq. (5)": of_eq5, "z off Eq. (7)": of_eq7},
    )


if __name__ == "__main__":
    study.main(sys.modules[__name__])

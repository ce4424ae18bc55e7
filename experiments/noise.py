r"""What noise of single atoms leaves of the paper's claims.

The paper's battery has no noise of its own. Here every atom also decays by itself, lambda times as
fast as it does collectively, or dephases, gamma_phi, with slow noise (which does not flip dressed
atoms) or white noise (which does). A charging takes a time of the order of 1/(N gamma), so what
counts is lambda/N and gamma_phi/(N gamma). Each battery is charged to the T90 that it would have
without noise; all numbers are the least, or the mean, over a period of Omega_P, and do not hang on
its phase. The work is that of one classical pulse, <J_z> + abs(<J>); the coherent fraction is Eq.
(19) over the energy, of a discharge of the charged state under the same noise.
"""

import sys
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

import trajbatt as tb
from experiments import study
from experiments.study import CONDITIONAL, FAILS, HOLDS, Verdict
from trajbatt.analysis.best_time import best_charging_time
from trajbatt.analysis.phase_free import estimates, exact_numbers
from trajbatt.models.noise import with_noise

KINDS = ("local", "slow", "white")
WORDS = {
    "local": "single-atom decay",
    "slow": "slow dephasing",
    "white": "white dephasing",
}
DRAINED_UNDER = ("local", "slow")  # with the pump off there is one dephasing
SHADES = ("#aac4e8", "#7799cc", "#4477aa", "#22507f", "#0a2a4a")
ENSEMBLE = "#cc3377"
MOST_JUMPS = 70.0  # of single atoms that the exact solution is asked to follow here
DRIVE = 10.0  # Omega_P/(N gamma_-)


@dataclass(frozen=True)
class Settings:
    """What is chosen; gamma_- = gamma_0 = 1.

    Attributes
    ----------
    theta, ratio : float
        The paper's battery; gamma_+ is `ratio`.
    atoms : tuple of int
    strengths : tuple of float
        lambda/N, or gamma_phi/(N gamma_-).
    fixed : tuple of float
        lambda, where it does not grow with N.
    drained : tuple of int
        Atoms of the discharges.
    ntraj, seed : int
    """

    theta: float = 1.87
    ratio: float = 10.0
    atoms: tuple = (10, 100, 1000, 10_000)
    strengths: tuple = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
    fixed: tuple = (1.0, 10.0)
    drained: tuple = (10, 30, 100)
    ntraj: int = 400
    seed: int = 20241217


def settings(quick):
    """Return the settings."""
    if not quick:
        return Settings()
    return Settings(
        atoms=(10, 30, 100), strengths=(0.0, 0.01, 0.1, 1.0), drained=(10, 30), ntraj=200
    )


def battery_at(settings, n_atoms, kind="local", strength=0.0):
    """Return a battery with noise of a kind, of lambda or gamma_phi = strength N."""
    clean = tb.Battery(n_atoms, settings.theta, DRIVE * n_atoms, 1.0, settings.ratio, 1.0)
    amount = strength * n_atoms
    if kind == "local":
        return with_noise(clean, local=amount)
    slow = {"dephasing_omega": 0.0} if kind == "slow" and amount else {}
    return with_noise(clean, dephasing=amount, **slow)


def is_followed(battery):
    """Whether the exact solution is quick: few jumps of single atoms, or few atoms."""
    model = battery.charge()
    if model.is_symmetric or battery.n_atoms <= 100:
        return True
    return model.shortening_rate() * battery.charging_time < MOST_JUMPS


def charged(settings, n_atoms, kind, strength):
    """Return P/N^2, work per atom, Delta E/E and waste of a charged battery, exactly, (4,)."""
    battery = battery_at(settings, n_atoms, kind, strength)
    if not is_followed(battery) or n_atoms > 1000:
        return np.full(4, np.nan)
    found, _ = exact_numbers(battery, battery.charging_time)
    power = found["lowest_energy_per_atom"] / (n_atoms * battery.charging_time)
    rest = ("ergotropy_rotation_per_atom", "relative_fluctuation", "waste_per_quantum")
    return np.array([power, *(found[name] for name in rest)])


def by_trajectories(settings, n_atoms, kind, strength):
    """Return P/N^2, Delta E/E and waste by trajectories and their errors, (3, 2)."""
    battery = battery_at(settings, n_atoms, kind, strength)
    found, _ = estimates(battery, battery.charging_time, settings.ntraj, settings.seed)
    energy = np.array(found["lowest_energy_per_atom"]) / (n_atoms * battery.charging_time)
    rest = ("relative_fluctuation", "waste_per_quantum")
    return np.array([energy, *(found[name] for name in rest)])


def coherent_fraction(settings, n_atoms, kind, strength):
    """Return Eq. (19) over the energy of the charged state, of a discharge under the noise."""
    battery = battery_at(settings, n_atoms, kind, strength)
    local = strength * n_atoms if kind == "local" else 0.0
    model = battery.discharge(1.0, local=local)
    times = np.linspace(0.0, 20.0 * np.log(n_atoms + 1.0) / n_atoms, 3)
    return tb.mesolve(model, times, rtol=1e-8).coherent_fraction[-1]


def compute(settings):
    """Charge batteries of all sizes under all noise, and discharge the smaller ones."""
    shape = len(KINDS), len(settings.atoms), len(settings.strengths)
    exact, sampled = np.empty((*shape, 4)), np.empty((*shape, 3, 2))
    for place in np.ndindex(shape):
        kind, n, s = (of[i] for of, i in zip((KINDS, settings.atoms, settings.strengths), place,
                                             strict=True))  # fmt: skip
        exact[place] = charged(settings, n, kind, s)
        sampled[place] = by_trajectories(settings, n, kind, s)
    fixed = [
        [by_trajectories(settings, n, "local", one / n)[0] for n in settings.atoms]
        for one in (0.0, *settings.fixed)
    ]
    coherent = [
        [[coherent_fraction(settings, n, kind, s) for s in settings.strengths[:-1]]
         for n in settings.drained]
        for kind in DRAINED_UNDER
    ]  # fmt: skip
    best = []
    for n in settings.drained[:2]:
        battery = battery_at(settings, n, "local", 0.1)
        found = best_charging_time(battery)
        late = tb.steady_state(battery.charge()).ergotropy_rotation
        best.append((found.time / battery.charging_time, found.ergotropy_rotation / n, late / n))
    return {
        "exact": exact,  # kind, N, strength, (power, work, fluctuation, waste)
        "sampled": sampled,  # kind, N, strength, (power, fluctuation, waste), (value, sem)
        "fixed": np.array(fixed),  # lambda, N, (power, sem)
        "coherent": np.array(coherent),  # decay or dephasing, drained, strength
        "best": np.array(best),  # N, (time over T90, work, work in the end)
    }


def draw(settings, found):
    """Draw what is left of power, work, fluctuation, coherent fraction and waste."""
    figure = Figure(figsize=(10, 6.4), layout="constrained")
    power, work, best, fluctuation, coherent, waste = figure.subplots(2, 3).ravel()
    x = np.array(settings.strengths[1:])
    for i, (n, shade) in enumerate(zip(settings.atoms, SHADES, strict=False)):
        label = f"$N={n}$"
        exact, sampled = found["exact"][0, i], found["sampled"][0, i]
        for axes, row, of in ((power, 0, 0), (fluctuation, 2, 1), (waste, 3, 2)):
            scale = np.sqrt(n) if axes is fluctuation else 1.0
            axes.semilogx(x, scale * exact[1:, row], color=shade, label=label)
            value, sem = scale * sampled[1:, of].T
            axes.errorbar(x, value, 2 * sem, ls="", marker=".", color=shade)
        known = np.isfinite(exact[1:, 1])
        if known.any():
            work.semilogx(x[known], exact[1:, 1][known], color=shade, label=label)
            for k, style in ((1, "--"), (2, ":")):
                more = found["exact"][k, i, 1:, 1]
                work.semilogx(x[known], more[known], style, color=shade)
    for i, (n, shade) in enumerate(zip(settings.drained, SHADES, strict=False)):
        for k, (style, words) in enumerate((("-", "single-atom decay"), ("--", "dephasing"))):
            label = f"$N={n}$, {words}" if i == len(settings.drained) - 1 else None
            coherent.semilogx(x[:-1], found["coherent"][k, i, 1:], style, color=shade, label=label)
    for axes, title, name in (
        (power, "Power hides it", r"$P/N^2$, least in a period"),
        (work, "Work shows it (–– slow, ··· white dephasing)", "work of one pulse per atom"),
        (fluctuation, "Fluctuations stay small", r"$\sqrt{N}\,\Delta E/E$"),
        (coherent, "Coherent fraction of the discharge", "$W/E$"),
        (waste, "Waste", "photons per stored quantum"),
    ):
        axes.set_title(title, fontsize=10.5)
        axes.set_ylabel(name)
        axes.set_ylim(bottom=0.0)
        axes.set_xlabel(r"$\gamma_{\rm loc}/(N\gamma)$, $\gamma_\varphi/(N\gamma)$")
    power.legend(fontsize=8)
    coherent.legend(fontsize=7)
    battery = battery_at(settings, settings.drained[1], "local", 0.1)
    times = np.linspace(0.0, 6.0 * battery.charging_time, 601)
    exact = tb.mesolve(battery.charge(), times, rtol=1e-8)
    swing = exact.energy_in_period[0] / battery.n_atoms
    period = max(1, round(2 * np.pi / battery.omega_p / times[1]))
    best.plot(times / battery.charging_time, swing, color="#22507f", label="energy")
    least = [exact.ergotropy_rotation[max(i - period, 0) : i + period + 1].min()
             for i in range(times.size)]  # fmt: skip
    best.plot(
        times / battery.charging_time,
        np.array(least) / battery.n_atoms,
        color=ENSEMBLE,
        label="work",
    )
    best.axvline(found["best"][1, 0], color="#999999", lw=0.8)
    best.set_title(f"There is a best time ($N={battery.n_atoms}$)", fontsize=10.5)
    best.set_xlabel("$t/T_{90}$")
    best.set_ylabel("per atom, least in a period")
    best.legend(fontsize=8)
    return figure


def judge(settings, found):
    """Judge the paper's claims under noise."""
    return [
        _judge_power(settings, found),
        _judge_work(settings, found),
        _judge_fluctuations(settings, found),
        _judge_coherent(settings, found),
        _judge_waste(settings, found),
        _judge_best_time(settings, found),
        _judge_agreement(found),
    ]


def _at(settings, strength):
    return settings.strengths.index(strength)


def _judge_power(settings, found):
    logs = np.log(settings.atoms)
    exponents, errors = [], []
    for value, sem in np.moveaxis(found["fixed"], -1, 1):
        # P = value N^2; the sems are of independent runs.
        weights = (logs - logs.mean()) / ((logs - logs.mean()) ** 2).sum()
        exponents.append(2.0 + weights @ np.log(value))
        errors.append(np.sqrt((weights**2 * (sem / value) ** 2).sum()))
    power = found["sampled"][0, :, :, 0, 0]
    left = power[:, _at(settings, 0.1)] / power[:, 0]
    deviation = np.abs(np.array(exponents) - 2.0)
    return Verdict(
        "The average power grows as N^2 (Eq. 16), with single-atom decay, too.",
        HOLDS if deviation.max() < 0.03 else FAILS,
        "By trajectories the exponent is "
        + ", ".join(
            f"{one:.4f} ± {error:.4f} at lambda = {of:g}"
            for one, error, of in zip(exponents, errors, (0.0, *settings.fixed), strict=True)
        )
        + f". At lambda = 0.1 N {left.min():.2f} to {left.max():.2f} of the power is left: it "
        "hardly tells of the damage.",
        {"exponent of the power": exponents, "power left at lambda = 0.1 N": left},
    )


def _judge_work(settings, found):
    work = found["exact"][:, :, :, 1]
    least = {}
    for kind, rows in zip(KINDS, work, strict=True):
        at = _at(settings, 0.1)
        left = rows[:, at] / rows[:, 0]
        least[kind] = left[np.isfinite(left)]
    one = found["exact"][0, :, _at(settings, 0.01), 1] / found["exact"][0, :, 0, 1]
    one = one[np.isfinite(one)]
    shares = ", ".join(
        f"{WORDS[kind]} {left.min():.2f} to {left.max():.2f}" for kind, left in least.items()
    )
    return Verdict(
        "What is stored can be extracted (Eqs. 10 to 12).",
        CONDITIONAL if one.min() > 0.9 else FAILS,
        f"If lambda is far below N: at lambda = 0.01 N a pulse still extracts {one.min():.2f} or "
        f"more of what it would without noise. At 0.1 N, or gamma_phi = 0.1 N gamma, what is left "
        f"is: {shares}.",
        {"work left at 0.01 N": one, **{f"work left at 0.1 N, {k}": v for k, v in least.items()}},
    )


def _judge_fluctuations(settings, found):
    scaled = found["sampled"][0, :, :, 1, 0] * np.sqrt(settings.atoms)[:, None]
    some = scaled[:, : _at(settings, 0.1) + 1]
    grows = some.max(axis=1) / some[:, 0]
    exponent = np.polyfit(np.log(settings.atoms), np.log(found["sampled"][0, :, -2, 1, 0]), 1)[0]
    return Verdict(
        "Delta E/E vanishes as N^(-1/2).",
        HOLDS if abs(exponent + 0.5) < 0.1 and grows.max() < 1.1 else FAILS,
        f"Single-atom decay makes it no larger: up to lambda = 0.1 N it is at most "
        f"{grows.max():.2f} times that without, and falls as N^{exponent:.2f} at lambda = "
        f"{settings.strengths[-2]:g} N. Independent atoms have N^(-1/2) as well: it shows nothing.",
        {"Delta E/E over that without": grows, "exponent of Delta E/E": exponent},
    )


def _judge_coherent(settings, found):
    at = _at(settings, 0.1)
    left = found["coherent"][:, -1, at]
    clean = found["coherent"][0, -1, 0]
    return Verdict(
        "Most of the energy comes out again coherently (Fig. 4).",
        CONDITIONAL if clean > 0.5 else FAILS,
        f"With {settings.drained[-1]} atoms {clean:.3f} of it without noise; at 0.1 N "
        + ", ".join(
            f"{value:.3f} with {words}"
            for words, value in zip(("single-atom decay", "dephasing"), left, strict=True)
        )
        + ". Noise must be far below N gamma.",
        {"coherent fraction without": clean, "coherent fraction at 0.1 N": left},
    )


def _judge_waste(settings, found):
    waste = found["sampled"][0, :, :, 2, 0]
    change = waste[:, _at(settings, 0.1)] / waste[:, 0]
    return Verdict(
        "It wastes several times what it stores.",
        HOLDS,
        f"No more and no less: {waste[:, 0].min():.2f} to {waste[:, 0].max():.2f} photons a "
        f"quantum without noise, {change.min():.2f} to {change.max():.2f} times that at lambda = "
        "0.1 N, single-atom photons included. It does not tell of the damage either.",
        {"waste without": waste[:, 0], "waste at 0.1 N over that": change},
    )


def _judge_best_time(settings, found):
    times, work, late = found["best"].T
    return Verdict(
        "Longer charging does no harm.",
        FAILS if np.all(work > 1.05 * late) else CONDITIONAL,
        "With any single-atom noise t → ∞ is another state. At lambda = 0.1 N the best time is "
        + ", ".join(
            f"{t:.2f} T90 with {n} atoms ({w:.3f} of work per atom then, {end:.3f} in the end)"
            for t, n, w, end in zip(times, settings.drained, work, late, strict=False)
        )
        + ".",
        {"best time over T90": times, "work then": work, "work in the end": late},
    )


def _judge_agreement(found):
    exact = found["exact"][..., [0, 2, 3]]
    value, sem = found["sampled"][..., 0], found["sampled"][..., 1]
    z = ((value - exact) / sem)[np.isfinite(exact)]
    return Verdict(
        "Trajectories and the exact solution agree under noise.",
        HOLDS if np.abs(z).max() < 5 and 0.7 < np.sqrt((z**2).mean()) < 1.3 else FAILS,
        f"{z.size} numbers are off by {np.sqrt((z**2).mean()):.2f} standard errors in the root "
        f"mean square, {np.abs(z).max():.1f} at most.",
        {"rms z": np.sqrt((z**2).mean()), "largest z": np.abs(z).max()},
    )


if __name__ == "__main__":
    study.main(sys.modules[__name__])

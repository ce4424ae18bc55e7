r"""The boundary time crystal: order, oscillations and light of many driven atoms on resonance.

With kappa = gamma N/2 and the Rabi frequency omega_0, mean-field theory has two phases (Carmichael
1980; Iemini et al., Phys. Rev. Lett. 121, 035301): below omega_0 = kappa the spin is at rest, with
<J_z> = -(N/2) sqrt(1 - (omega_0/kappa)^2); above, it turns for ever. The steady state on resonance
is known in closed form (Puri and Lawande 1979): rho ~ A A+ with A = (J_- - i omega_0/gamma)^(-1),

    rho_jj ~ S_j,     S_j = 1 + (N - j)(j + 1) (gamma/omega_0)^2 S_{j+1},

which is compared with the solvers, and used where they do not reach. Trajectories with photon
counting, and with homodyne detection by a strong local oscillator, are followed long after the
average has come to rest.
"""

import math
import sys
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import curve_fit

import trajbatt as tb
from experiments import study
from experiments.study import CONDITIONAL, FAILS, HOLDS, Verdict

COLORS = "#e69f00", "#cc79a7", "#0072b2", "#222222"
STRONG_LIGHT = 1.2  # g2(0) of a spin that points anywhere with the same probability


@dataclass(frozen=True)
class Settings:
    """What is chosen; times are in 1/kappa.

    Attributes
    ----------
    drives : tuple of float
        omega_0/kappa of the order parameter and of g2.
    atoms : tuple of int
        Of these.
    drive : float
        Of everything that oscillates.
    damped_atoms : tuple of int
        Of the damping of the average.
    duration : float
        Of that, at the first of them; it grows in proportion.
    shown : int
        Atoms of the single trajectories.
    watched : float
        How long they are followed: until the average has come to rest.
    largest : int
        Atoms of a few trajectories more, which are followed for `duration`.
    waiting_atoms : tuple of int
        Of the waiting times; the first also exactly.
    ntraj, seed : int
    """

    drives: tuple = tuple(np.linspace(0.1, 2.0, 39))
    atoms: tuple = (40, 400, 10_000)
    drive: float = 1.5
    damped_atoms: tuple = (50, 100, 200, 400)
    duration: float = 40.0
    shown: int = 400
    watched: float = 600.0
    largest: int = 10_000
    waiting_atoms: tuple = (40, 400)
    ntraj: int = 64
    seed: int = 20241217


def settings(quick):
    """Return the settings."""
    if not quick:
        return Settings()
    return Settings(
        drives=(0.4, 0.8, 1.2, 1.6),
        atoms=(20, 60),
        damped_atoms=(20, 40),
        duration=20.0,
        shown=30,
        watched=60.0,
        largest=100,
        waiting_atoms=(10, 40),
        ntraj=16,
    )


def model_of(n_atoms, drive):
    """Return the model at omega_0/kappa = `drive`, with kappa = 1."""
    return tb.DrivenDicke(n_atoms, rabi=drive, gamma=2.0 / n_atoms)


def closed_form(n_atoms, drive):
    """Return the populations of the steady state, (N+1,)."""
    ratio = (2.0 / (n_atoms * drive)) ** 2
    total = np.ones(n_atoms + 1)
    scale = np.zeros(n_atoms + 1)  # the logarithm of what was divided out
    for j in range(n_atoms - 1, -1, -1):
        total[j] = math.exp(-scale[j + 1]) + (n_atoms - j) * (j + 1.0) * ratio * total[j + 1]
        scale[j] = scale[j + 1] + math.log(total[j])
        total[j] = 1.0
    populations = np.exp(scale - scale.max())
    return populations / populations.sum()


def order_and_light(n_atoms, populations):
    """Return <J_z>/(N/2) and g2(0) of populations (N+1,)."""
    k = np.arange(n_atoms + 1.0)
    once = k * (n_atoms - k + 1.0)
    twice = once * (k - 1.0) * (n_atoms - k + 2.0)
    order = populations @ (2.0 * k / n_atoms - 1.0)
    return order, (populations @ twice) / (populations @ once) ** 2


def scan(settings):
    """Return order and g2 in closed form (nN, nd, 2), and how far the solvers are off it."""
    found, off = np.empty((len(settings.atoms), len(settings.drives), 2)), 0.0
    for i, n_atoms in enumerate(settings.atoms):
        for j, drive in enumerate(settings.drives):
            found[i, j] = order_and_light(n_atoms, closed_form(n_atoms, drive))
            if drive < 0.95 or n_atoms <= 400:
                steady = tb.steady_state(model_of(n_atoms, drive))
                solved = 2.0 * steady.energy / n_atoms - 1.0, steady.g2_zero
                off = max(off, np.abs(found[i, j] - solved).max())
    return found, off


def averages(settings):
    """Return times and <J_z>/(N/2) by the exact solver, for each of the damped ensembles."""
    found = []
    for n_atoms in settings.damped_atoms:
        end = settings.duration * n_atoms / settings.damped_atoms[0]
        times = np.linspace(0.0, end, 40 * math.ceil(end / (2.0 * math.pi)) + 1)
        exact = tb.mesolve(model_of(n_atoms, settings.drive), times, rtol=1e-7)
        found.append((times, 2.0 * exact.energy / n_atoms - 1.0))
    return found


def damping(times, order):
    """Return the damping rate and the frequency of an order parameter that comes to rest."""
    kept = times > 0.15 * times[-1]
    times, order = times[kept], order[kept]

    def swing(t, amplitude, rate, frequency, phase, rest):
        return amplitude * np.exp(-rate * (t - t[0])) * np.cos(frequency * t + phase) + rest

    spectrum = np.abs(np.fft.rfft(order - order.mean()))
    guess = 2.0 * np.pi * np.argmax(spectrum) / (times[-1] - times[0])
    start = [np.ptp(order) / 2.0, 3.0 / times[-1], guess, 0.0, order.mean()]
    (_, rate, frequency, *_), _ = curve_fit(swing, times, order, start, maxfev=20_000)
    return rate, frequency


def single_runs(settings, n_atoms, watched, ntraj):
    """Return what single trajectories do, by counting and by homodyne detection.

    Returns
    -------
    dict of str to ndarray
        The times (nt,), the order parameters (ntraj, nt) of both, and the current of one (nt-1,).
    """
    times = np.linspace(0.0, watched, 20 * round(watched / math.pi) + 1)
    counting = model_of(n_atoms, settings.drive)
    # An oscillator as bright as the light; the spin turns in the plane of this quadrature.
    beta = math.sqrt(2.0 / n_atoms) * n_atoms / math.sqrt(6.0)
    found = {"times": times}
    homodyne = tb.Homodyne(beta, 0.5 * math.pi).of(counting)
    for name, model in (("counting", counting), ("homodyne", homodyne)):
        runs = tb.mcsolve(model, times, ntraj, seed=settings.seed, keep_samples=("energy",))
        order = 2.0 * runs.samples["energy"] / n_atoms - 1.0
        found[name] = order
        if name == "homodyne":
            one = runs.replay(0)
            found["current"] = one.current[0] / n_atoms
    return found


def swing(order, times):
    """Return the r.m.s. of the order parameter about its mean in time, late in each run, (n,)."""
    late = times > 0.5 * times[-1]
    return order[..., late].std(axis=-1)


def waiting(settings):
    """Return the squared variation of the waiting times in the steady state, by runs and exactly.

    Returns
    -------
    list of (n_atoms, exact or nan, by runs, its error)
    """
    found = []
    for i, n_atoms in enumerate(settings.waiting_atoms):
        model = model_of(n_atoms, settings.drive)
        steady = tb.steady_state(model)
        rate = model.rate * steady.emission
        end = 400.0 / rate
        options = {"seed": settings.seed, "keep_clicks": True, "method": "banded"}
        # The kets of the mixture are spread over all levels: no frame holds them in few.
        runs = tb.mcsolve(model, [end], 20 * settings.ntraj, steady, **options)
        clicks = runs.clicks
        gaps = np.diff(clicks.time)
        # Between two clicks of one trajectory, the first of which came early enough.
        kept = (np.diff(clicks.trajectory) == 0) & (clicks.time[:-1] < 0.5 * end)
        owner = clicks.trajectory[:-1][kept]
        sums = np.array(
            [np.bincount(owner, gaps[kept] ** power, minlength=runs.ntraj) for power in (0, 1, 2)]
        )
        total = sums.sum(axis=1)
        variation = total[2] * total[0] / total[1] ** 2 - 1.0
        left_out = total[:, None] - sums
        each = left_out[2] * left_out[0] / left_out[1] ** 2 - 1.0
        error = math.sqrt((runs.ntraj - 1) * each.var())
        exact = _exact_variation(model, steady, rate) if i == 0 else math.nan
        found.append((n_atoms, exact, variation, error))
    return found


def _exact_variation(model, steady, rate):
    """Return <tau^2>/<tau>^2 - 1 of waiting times between clicks: <tau> = 1/rate.

    The second moment is 2/rate times the integral of the probability that no click comes.
    """
    nodes, weights = np.polynomial.legendre.leggauss(60)
    edges = np.concatenate(([0.0], np.geomspace(0.02, 400.0, 40))) / rate
    times = np.concatenate([0.5 * (b - a) * (nodes + 1.0) + a for a, b in pairwise(edges)])
    dark = tb.counting.survival(model, times, initial=steady)
    lengths = np.repeat(np.diff(edges), nodes.size) * 0.5 * np.tile(weights, edges.size - 1)
    return 2.0 * rate * (lengths @ dark) - 1.0


def compute(settings):
    """Scan the drive, follow averages and single trajectories, and wait for photons."""
    order, off = scan(settings)
    means = averages(settings)
    return {
        "order": order,
        "off": off,
        "means": means,
        "damping": np.array([damping(*one) for one in means]),
        "runs": single_runs(settings, settings.shown, settings.watched, settings.ntraj),
        "large": single_runs(settings, settings.largest, settings.duration, 4),
        "waiting": waiting(settings),
    }


def draw(settings, found):
    """Draw order and g2 against the drive, averages that are damped, and single runs."""
    figure = Figure(figsize=(10, 6.4), layout="constrained")
    (left, middle, right), (below, current, rates) = figure.subplots(2, 3)
    drives = np.array(settings.drives)
    for n_atoms, color, one in zip(settings.atoms, COLORS, found["order"], strict=False):
        left.plot(drives, one[:, 0], color=color, label=f"$N={n_atoms}$")
        middle.plot(drives, one[:, 1], color=color)
    fine = np.linspace(0.0, 1.0, 200)
    left.plot(fine, -np.sqrt(1.0 - fine**2), ":", color="#777777", label="mean field")
    left.set_xlabel(r"drive $\omega_0/\kappa$")
    left.set_ylabel(r"$\langle J_z\rangle/(N/2)$")
    left.set_title("Order parameter, steady state", fontsize=11)
    left.legend(fontsize=8)
    middle.axhline(STRONG_LIGHT, ls=":", color="#777777")
    middle.set_xlabel(r"drive $\omega_0/\kappa$")
    middle.set_ylabel(r"$g^{(2)}(0)$")
    middle.set_title("Light of the steady state", fontsize=11)

    for n_atoms, color, (times, order) in zip(
        settings.damped_atoms, COLORS, found["means"], strict=False
    ):
        kept = times <= settings.duration
        right.plot(times[kept], order[kept], color=color, label=f"$N={n_atoms}$")
    right.set_xlabel(r"$\kappa t$")
    right.set_title(rf"The average, $\omega_0={settings.drive:g}\,\kappa$", fontsize=11)
    right.legend(fontsize=8)

    runs, times = found["runs"], found["runs"]["times"]
    late = times > times[-1] - settings.duration
    for name, color in (("counting", COLORS[2]), ("homodyne", COLORS[0])):
        below.plot(times[late], runs[name][0, late], color=color, lw=1.0, label=name)
    mean = runs["counting"].mean(axis=0)
    below.plot(times[late], mean[late], color=COLORS[3], label="mean of the runs")
    below.set_xlabel(r"$\kappa t$")
    below.set_ylabel(r"$\langle J_z\rangle/(N/2)$")
    below.set_title(f"Single trajectories, $N={settings.shown}$", fontsize=11)
    below.legend(fontsize=8)
    large = found["large"]
    times = large["times"]
    middle_times = 0.5 * (times[1:] + times[:-1])
    current.plot(times, large["homodyne"][0], color=COLORS[3], label=r"$\langle J_z\rangle/(N/2)$")
    scale = np.abs(large["current"]).max()
    current.plot(middle_times, large["current"] / scale, color=COLORS[0], lw=0.8, label="current")
    current.set_xlabel(r"$\kappa t$")
    current.set_title(f"Homodyne detection, $N={settings.largest}$", fontsize=11)
    current.legend(fontsize=8)
    atoms = np.array(settings.damped_atoms, dtype=float)
    rates.loglog(atoms, found["damping"][:, 0], "o-", color=COLORS[3])
    rates.set_xticks(atoms, [f"{n:g}" for n in atoms])
    rates.minorticks_off()
    rates.set_xlabel("$N$")
    rates.set_ylabel(r"damping rate$/\kappa$")
    rates.set_title("Damping of the average", fontsize=11)
    return figure


def judge(settings, found):
    """Judge what has been said of the boundary time crystal."""
    return [
        _judge_order(settings, found),
        _judge_damping(settings, found),
        _judge_light(settings, found),
        _judge_runs(settings, found),
        _judge_waiting(settings, found),
    ]


def _judge_order(settings, found):
    drives, order = np.array(settings.drives), found["order"][-1, :, 0]
    below = drives < 0.85
    field = -np.sqrt(1.0 - drives[below] ** 2)
    apart = np.abs(order[below] - field).max()
    above = np.abs(order[drives > 1.3]).max()
    return Verdict(
        "Below omega_0 = kappa the atoms are magnetised as mean-field theory says, above not "
        "(Iemini et al. 2018).",
        HOLDS if apart < 0.02 and above < 0.1 else CONDITIONAL,
        f"At N = {settings.atoms[-1]} the order parameter is off the mean-field curve by at most "
        f"{apart:.2g} for omega_0 < 0.85 kappa, and at most {above:.2g} for omega_0 > 1.3 kappa. "
        f"Closed form and solvers agree to {found['off']:.1g}.",
        {"off mean field below": apart, "largest order above": above},
    )


def _judge_damping(settings, found):
    rates, frequencies = found["damping"].T
    atoms = np.array(settings.damped_atoms)
    exponent = np.log(rates[0] / rates[-1]) / np.log(atoms[-1] / atoms[0])
    expected = math.sqrt(settings.drive**2 - 1.0)
    return Verdict(
        "Above omega_0 = kappa the average oscillates, longer the more atoms there are (Iemini et "
        "al. 2018).",
        HOLDS if 0.7 < exponent < 1.3 else FAILS,
        f"The damping rate falls as N^-{exponent:.2f}, from {rates[0]:.3g} to {rates[-1]:.3g} "
        f"kappa at N = {atoms[-1]}; the frequency is {frequencies[-1]:.4f} kappa, where mean-field "
        f"theory has sqrt(omega_0^2 - kappa^2) = {expected:.4f} kappa for small swings. With a "
        "finite number of atoms the average always comes to rest.",
        {
            "exponent of the damping rate": exponent,
            "damping rates": rates,
            "frequency": frequencies[-1],
        },
    )


def _judge_light(settings, found):
    drives, light = np.array(settings.drives), found["order"][-1, :, 1]
    below, above = np.abs(light[drives < 0.85] - 1.0).max(), light[-1]
    return Verdict(
        "The light of the steady state is coherent below, g2(0) = 1, and goes to 6/5 far above "
        "(Carmichael 1980; Drummond and Carmichael 1978).",
        HOLDS if below < 0.01 and abs(above - STRONG_LIGHT) < 0.05 else CONDITIONAL,
        f"At N = {settings.atoms[-1]} g2(0) - 1 is at most {below:.1g} for omega_0 < 0.85 kappa, "
        f"and g2(0) = {above:.4f} at omega_0 = {drives[-1]:g} kappa.",
        {"off 1 below": below, "g2(0) far above": above},
    )


def _judge_runs(settings, found):
    runs = found["runs"]
    times = runs["times"]
    single = {name: swing(runs[name], times).mean() for name in ("counting", "homodyne")}
    every = {name: swing(runs[name].mean(axis=0), times) for name in single}
    large = found["large"]
    largest = swing(large["homodyne"], large["times"]).mean()
    return Verdict(
        "Single trajectories go on oscillating when the average has come to rest (Cabot et al. "
        "2023).",
        HOLDS if all(single[name] > 2.0 * every[name] for name in single) else CONDITIONAL,
        f"In the second half of {settings.watched:g}/kappa, at N = {settings.shown}, one "
        f"trajectory's order parameter swings by {single['counting']:.3f} (r.m.s.) under photon "
        f"counting and {single['homodyne']:.3f} under homodyne detection; the mean of "
        f"{settings.ntraj} by {every['counting']:.3f} and {every['homodyne']:.3f}. At N = "
        f"{settings.largest} it is {largest:.3f}.",
        {
            "swing of single runs": list(single.values()),
            "swing of their mean": list(every.values()),
            "swing of large runs": largest,
        },
    )


def _judge_waiting(settings, found):
    n_first, exact, first, first_error = found["waiting"][0]
    n_last, _, last, last_error = found["waiting"][-1]
    z = (first - exact) / first_error
    return Verdict(
        "In the time-crystal phase photons come in bunches: waiting times vary more than those of "
        "independent photons.",
        HOLDS if abs(z) < 4.0 and first > 1.0 + 3.0 * first_error else FAILS,
        f"The squared coefficient of variation, 1 for independent photons, is {exact:.3f} exactly "
        f"and {first:.3f} ± {first_error:.3f} by trajectories at N = {n_first}, and {last:.3f} ± "
        f"{last_error:.3f} at N = {n_last}.",
        {"variation exactly": exact, "variation by runs": [first, last], "z": z},
    )


if __name__ == "__main__":
    study.main(sys.modules[__name__])

r"""What charging wastes: photons per stored quantum, on average and in single runs.

For large N and x > 1 the level moves as <n> = -(N/2) tanh u, and the integrals of the click rates
A (N^2/4 - n^2), B (N^2/4 - n^2) and C n^2 give, for each quantum of the final charge N
sin^2(theta/2), with s = tanh(u) - cos(theta) and tau = N Gamma t/2,

    blue: A s/(2 Gamma sin^2(theta/2)),     red: B/A times that,
    center: (gamma_0/Gamma) 2 cos^2(theta/2) (tau - s).

In the end s = 2 sin^2(theta/2): the sidebands waste (x + 1)/(x - 1) photons per quantum, at least
one whatever theta and r, and several only near x = 1. The center line goes on: tau has no end.
With x < 1 all is mirrored: theta becomes pi - theta and r becomes 1/r. Photons count as one quantum
each, which is right for Omega_P far below the optical frequency.
"""

import math
import sys
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import chi2

import trajbatt as tb
from experiments import study
from experiments.study import CONDITIONAL, FAILS, HOLDS, Verdict
from trajbatt.plots.style import CHANNEL_COLORS, CHANNEL_MARKS

SEVERAL = 3.0


@dataclass(frozen=True)
class Settings:
    """What is chosen; gamma_- = 1.

    Attributes
    ----------
    theta, r : float
        The charging point.
    charges : tuple of float
        Final charges per atom sin^2(theta/2) of the scan, where x > 1.
    ratios : tuple of float
        gamma_+/gamma_- of the scan.
    atoms : tuple of int
        For the limit of large N.
    shown : int
        Atoms in the pictures.
    several_atoms : tuple of int
        Of the distributions over single runs.
    joint_atoms : int
        Of the joint distribution of two channels.
    ntraj, seed : int
    """

    theta: float = 1.87
    r: float = 10.0
    charges: tuple = tuple(np.linspace(0.05, 0.95, 37))
    ratios: tuple = (1.0, 10.0, 100.0)
    atoms: tuple = (10, 100, 1000, 10_000)
    shown: int = 100
    several_atoms: tuple = (10, 100, 400)
    joint_atoms: int = 20
    ntraj: int = 20_000
    seed: int = 20241217


def settings(quick):
    """Return the settings."""
    if not quick:
        return Settings()
    return Settings(atoms=(10, 100), several_atoms=(10, 100), shown=40, joint_atoms=8, ntraj=2000)


def battery_at(settings, n_atoms, theta=None, r=None, gamma_0=1.0):
    """Return a battery with gamma_- = 1, by default at the charging point; Omega_P = 10 N."""
    theta = settings.theta if theta is None else theta
    r = settings.r if r is None else r
    return tb.Battery(n_atoms, theta, 10.0 * n_atoms, gamma_0, gamma_plus=r)


def per_quantum(battery, t):
    """Return the photons (red, center, blue) by the time t per quantum of the final charge."""
    exact = tb.mesolve(battery.charge(), np.atleast_1d(t))
    return exact.counts / tb.steady_state(battery.charge()).energy


def large_n(battery, t):
    """Return the same for large N and x > 1, by the formulas above."""
    down, up, _ = battery.dressed_rates
    net, cos = battery.gamma_net, math.cos(battery.theta)
    tau = battery.n_atoms * net * t / 2
    s = np.tanh(tau + math.atanh(cos)) - cos
    sideband = s / (1 - cos) / net
    center = battery.gamma_0 / net * (1 + cos) * (tau - s)
    return np.array([up * sideband, center, down * sideband])


def scan(settings, r):
    """Return the charges where x > 1, and photons per quantum by T90 for large N (3, nE)."""
    charges = np.array([e for e in settings.charges if r * (1 - e) ** 2 > 1.02 * e**2])
    waste = []
    for charge in charges:
        battery = battery_at(settings, 1000, 2 * math.asin(math.sqrt(charge)), r)
        waste.append(large_n(battery, battery.charging_time))
    return charges, np.array(waste).T


def chi_square(counts, probabilities):
    """Return the p-value that `counts` (ntraj,) have the distribution `probabilities`."""
    expected = counts.size * probabilities
    seen = np.bincount(counts, minlength=expected.size)[: expected.size].astype(float)
    bins = np.minimum(np.cumsum(expected) // 20, (counts.size - 20) // 20).astype(int)
    expected, seen = np.bincount(bins, expected), np.bincount(bins, seen)
    kept = expected > 0
    statistic = np.sum((seen[kept] - expected[kept]) ** 2 / expected[kept])
    return chi2.sf(statistic, kept.sum() - 1)


def single_runs(settings, n_atoms):
    """Return the distribution of all photons by T90, and the totals of trajectories."""
    battery = battery_at(settings, n_atoms)
    probabilities = tb.counting.distribution(battery.charge(), battery.charging_time, "total")
    end = [battery.charging_time]
    runs = tb.mcsolve(battery.charge(), end, settings.ntraj, seed=settings.seed)
    return {
        "charge": tb.steady_state(battery.charge()).energy,
        "probabilities": probabilities,
        "totals": runs.final_counts.sum(axis=1),
    }


def joint(settings):
    """Return the correlation of center and blue photons exactly, by runs, and its error."""
    battery = battery_at(settings, settings.joint_atoms)
    model, end = battery.charge(), battery.charging_time
    table = tb.counting.joint_distribution(model, end, ("center", "blue"))
    center, blue = np.arange(table.shape[0]), np.arange(table.shape[1])
    mean = table.sum(axis=1) @ center, table.sum(axis=0) @ blue
    spread = table.sum(axis=1) @ (center - mean[0]) ** 2, table.sum(axis=0) @ (blue - mean[1]) ** 2
    exact = (center - mean[0]) @ table @ (blue - mean[1]) / math.sqrt(spread[0] * spread[1])
    runs = tb.mcsolve(model, [end], settings.ntraj, seed=settings.seed)
    by_runs = np.corrcoef(runs.final_counts[:, 1:].T)[0, 1]
    return exact, by_runs, (1 - exact**2) / math.sqrt(settings.ntraj)


def thinned(charges):
    """Return a few of the charges of a scan."""
    return charges[2 :: max(1, len(charges) // 3)]


def trajectory_waste(settings, place, r):
    """Return the photons per quantum by T90 at one point of the scan: mean, sem, and exactly."""
    battery = battery_at(settings, settings.shown, 2 * math.asin(math.sqrt(place)), r)
    end, ntraj = [battery.charging_time], settings.ntraj // 20
    runs = tb.mcsolve(battery.charge(), end, ntraj, seed=settings.seed)
    totals = runs.final_counts.sum(axis=1) / tb.steady_state(battery.charge()).energy
    return totals.mean(), totals.std(ddof=1) / math.sqrt(ntraj), per_quantum(battery, end).sum()


def compute(settings):
    """Count photons for large N, by N, over time and in single runs."""
    battery = battery_at(settings, settings.shown)
    times = np.linspace(0, 4, 81)[1:] * battery.charging_time
    runs = tb.mcsolve(battery.charge(), times, settings.ntraj // 10, seed=settings.seed)
    charge = tb.steady_state(battery.charge()).energy
    by_n = []
    for n_atoms in settings.atoms:
        one = battery_at(settings, n_atoms)
        by_n.append(per_quantum(one, one.charging_time)[:, 0])
    # Without a center line, long after charging: what the sidebands still waste.
    closed = battery_at(settings, settings.shown, gamma_0=0.0)
    later = per_quantum(closed, np.array([2.0, 4.0]) * closed.charging_time)
    marks = [
        [r, place, *trajectory_waste(settings, place, r)]
        for r in settings.ratios
        for place in thinned(scan(settings, r)[0])
    ]
    return {
        "times": times / battery.charging_time,
        "runs": runs.counts / charge,
        "exact": per_quantum(battery, times),
        "slope": battery.charging_time * _steady_flow(battery) / charge,
        "closed": (later[:, 1] - later[:, 0]) / 2.0,  # per T90
        "closed_flow": closed.charging_time * _steady_flow(closed) / charge,
        "atoms": np.array(by_n),
        "limit": large_n(battery, battery.charging_time),
        "scans": [scan(settings, r) for r in settings.ratios],
        "marks": np.array(marks),
        "single": [single_runs(settings, n) for n in settings.several_atoms],
        "joint": joint(settings),
    }


def _steady_flow(battery):
    """Return the mean photon rates (red, center, blue) in the steady state."""
    model = battery.charge()
    return model.click_rates @ tb.steady_state(model).populations


def draw(settings, found):
    """Draw the waste against the charge, over time, and in single runs."""
    figure = Figure(figsize=(10, 3.9), layout="constrained")
    scans, course, single = figure.subplots(1, 3)
    colors = "#222222", "#cc79a7", "#e69f00"
    for r, color, (charges, waste) in zip(settings.ratios, colors, found["scans"], strict=True):
        scans.semilogy(charges, waste.sum(axis=0), color=color, label=f"$r={r:g}$")
        scans.semilogy(charges, waste[[0, 2]].sum(axis=0), "--", color=color)
        marks = found["marks"][found["marks"][:, 0] == r].T
        scans.errorbar(marks[1], marks[2], marks[3], ls="", marker="o", ms=4, color=color)
    scans.axhspan(SEVERAL, 100, color="#eeeeee", zorder=-1)
    scans.text(0.05, 3.2, "several", color="#777777", fontsize=9)
    scans.set_ylim(0.8, 60)
    scans.set_yticks([1, 3, 10, 30], ["1", "3", "10", "30"])
    scans.set_xlabel(r"final charge per atom ($\hbar\omega_0$)")
    scans.set_ylabel("photons per stored quantum by T90")
    scans.set_title(r"All (full), sidebands (dashed)", fontsize=11)
    scans.legend(fontsize=8, loc="upper left")

    for i, name in enumerate(("red", "center", "blue")):
        color, mark = CHANNEL_COLORS[name], CHANNEL_MARKS[name]
        course.plot(found["times"], found["exact"][i], color=color)
        course.plot(found["times"][3::5], found["runs"][i, 3::5], ls="", marker=mark, ms=5,
                    color=color, mfc="white" if name == "red" else color, label=name)  # fmt: skip
    course.axvline(1.0, color="#999999", lw=0.8)
    course.set_xlabel("$t$/T90")
    course.set_ylabel("photons per stored quantum")
    course.set_title(f"The center line goes on, $N={settings.shown}$", fontsize=11)
    course.legend(fontsize=8)

    for n, color, runs in zip(settings.several_atoms, colors, found["single"], strict=False):
        charge = runs["charge"]
        grid = np.arange(runs["probabilities"].size) / charge
        single.plot(grid, runs["probabilities"] * charge, color=color, label=f"$N={n}$")
        step = max(1, round(0.12 * charge / math.sqrt(n / 10)))
        edges = np.arange(0, runs["totals"].max() + step + 1, step)
        seen, _ = np.histogram(runs["totals"], edges - 0.5)
        density = seen / settings.ntraj / step * charge
        middle = (edges[:-1] + (step - 1) / 2) / charge
        kept = seen > 0
        single.plot(middle[kept], density[kept], ls="", marker=".", ms=5, color=color)
    single.set_xlim(1, 8)
    single.set_xlabel("photons of one run per stored quantum")
    single.set_ylabel("probability density")
    single.set_title("Single runs (points) and exact", fontsize=11)
    single.legend(fontsize=8)
    return figure


def judge(settings, found):
    """Judge what the paper says of the waste."""
    return [
        _judge_several(settings, found),
        _judge_limit(settings, found),
        _judge_center(settings, found),
        _judge_single(settings, found),
        _judge_joint(settings, found),
    ]


def _judge_several(settings, found):
    everything = [(charges, waste.sum(axis=0)) for charges, waste in found["scans"]]
    least = [waste.min() for _, waste in everything]
    x = battery_at(settings, settings.shown).x
    charges = [charges[0] for charges, _ in found["scans"]]
    best = max(r * (1 / e - 1) ** 2 for r, e in zip(settings.ratios, charges, strict=True))
    first = [
        charges[np.append(np.flatnonzero(waste >= SEVERAL), -1)[0]] for charges, waste in everything
    ]
    always = min(least) >= SEVERAL
    at_point = found["limit"]
    where = "; ".join(
        f"r = {r:g}: at least {low:.2f}, from charge {charge:.2f} on {SEVERAL:g} or more"
        for r, low, charge in zip(settings.ratios, least, first, strict=True)
    )
    sidebands = (x + 1) / (x - 1)
    gamma_0 = (SEVERAL - at_point[0] - at_point[2]) / at_point[1]
    return Verdict(
        "The procedure wastes at least several times as much energy as it stores (conclusions).",
        HOLDS if always else CONDITIONAL if at_point.sum() >= SEVERAL else FAILS,
        "At least as much: one photon per quantum, so the efficiency is at most 1/2. The sidebands "
        "alone, of which the paper speaks (at omega_P, not omega_0, ± Omega_P), waste "
        f"(x + 1)/abs(x - 1): {SEVERAL:g} or more for 1/2 < x < 2 only, {sidebands:.2f} at the "
        f"charging point, {(best + 1) / (best - 1):.4f} at best in the scan. By T90 and with "
        f"gamma_0 = gamma_- the waste is {at_point.sum():.2f} at the charging point ({SEVERAL:g} "
        f"for gamma_0 = {gamma_0:.2f} gamma_-); {where}.",
        {
            "waste at the charging point": at_point,
            "waste of the sidebands": sidebands,
            "least waste in the scan by r": least,
            "charge from which it is several by r": first,
            "gamma_0/gamma_- for several": gamma_0,
        },
    )


def _judge_limit(settings, found):
    errors = np.abs(found["atoms"] - found["limit"]).max(axis=1)
    orders = np.log(errors[:-1] / errors[1:]) / np.log(
        np.divide(settings.atoms[1:], settings.atoms[:-1])
    )
    _, _, mean, sem, exact = found["marks"].T
    z = (mean - exact) / sem
    return Verdict(
        "Photons are scattered at a rate ~ N^2 over a time ~ 1/N (conclusions).",
        HOLDS if abs(orders[-1] - 1) < 0.1 and np.abs(z).max() < 4 else FAILS,
        f"Waste and charge both grow as N. The exact counts at N = {settings.atoms[0]} exceed the "
        f"formulas of this script by {(found['atoms'][0] - found['limit']).sum():.2f} in all; the "
        f"difference falls as N^-{orders[-1]:.2f}. Trajectories at {z.size} points of the scan "
        f"are off the exact counts by at most {np.abs(z).max():.1f} standard errors.",
        {"order in 1/N of the waste": orders[-1], "largest z of the scan": np.abs(z).max()},
    )


def _judge_center(settings, found):
    slope = (found["exact"][:, -1] - found["exact"][:, -21]) / (
        found["times"][-1] - found["times"][-21]
    )
    agrees = np.abs(slope / found["slope"] - 1).max() < 0.02
    return Verdict(
        "What charging wastes is all the waste (implied by the conclusions).",
        FAILS if agrees and slope[1] > 0.1 else HOLDS,
        f"In the steady state the center line scatters C <n^2> photons a time: {slope[1]:.2f} more "
        f"per quantum in every further T90 at N = {settings.shown}, for every N. With gamma_0 = 0 "
        f"the sidebands still waste {found['closed'].sum():.3f}, a share that falls as 1/N: the "
        "waste is bounded only if the pump is turned off.",
        {
            "photons per quantum and T90 in the steady state": slope,
            "the same without a center line": found["closed"].sum(),
            "the same without a center line, by the steady state": found["closed_flow"].sum(),
        },
    )


def _judge_single(settings, found):
    p_values, widths, ranges, above = [], [], [], []
    for runs in found["single"]:
        probabilities, charge = runs["probabilities"], runs["charge"]
        n = np.arange(probabilities.size)
        mean = probabilities @ n
        widths.append(math.sqrt(probabilities @ (n - mean) ** 2) / charge)
        cumulative = np.cumsum(probabilities)
        ranges.append([float(np.searchsorted(cumulative, q) / charge) for q in (0.05, 0.95)])
        above.append(probabilities[n >= SEVERAL * charge].sum())
        p_values.append(chi_square(runs["totals"], probabilities))
    exponent = np.log(widths[0] / widths[-1]) / np.log(
        settings.several_atoms[-1] / settings.several_atoms[0]
    )
    spread = "; ".join(
        f"N = {n}: {low:.2f} to {high:.2f}"
        for n, (low, high) in zip(settings.several_atoms, ranges, strict=True)
    )
    return Verdict(
        "A single run at the charging point wastes several times what it stores.",
        HOLDS if min(above) > 0.95 else CONDITIONAL,
        f"90 % of the runs waste, per quantum, {spread}; {SEVERAL:g} or more with probability "
        + ", ".join(f"{p:.4f}" for p in above)
        + f". The width falls as N^-{exponent:.2f}. The photons of {settings.ntraj} trajectories "
        "follow the exact distributions with p = " + ", ".join(f"{p:.2f}" for p in p_values) + ".",
        {
            "p-values of single runs": p_values,
            "standard deviation per quantum": widths,
            "probability of several": above,
        },
    )


def _judge_joint(settings, found):
    exact, by_runs, sem = found["joint"]
    return Verdict(
        "A run that scatters more blue photons scatters fewer at the center.",
        HOLDS if exact < -0.2 and abs(by_runs - exact) < 4 * sem else FAILS,
        f"Their correlation at T90 and N = {settings.joint_atoms} is {exact:.3f} by the joint "
        f"distribution, {by_runs:.3f} ± {sem:.3f} by trajectories: blue light comes from the "
        "middle of the ladder, the light at the center from its ends.",
        {"correlation of center and blue": exact, "the same by trajectories": by_runs},
    )


if __name__ == "__main__":
    study.main(sys.modules[__name__])

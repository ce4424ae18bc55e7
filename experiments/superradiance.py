r"""Superradiance: when the burst of inverted atoms comes, its fluctuations, and its light.

N inverted atoms decay together (Dicke 1954; Gross and Haroche, Phys. Rep. 93, 301, 1982). At first
each photon makes the next one likelier: the number of photons is that of a chaotic source, whose
amplitude grows until the atoms run out. In that picture an exponential number e decides,

    gamma N t_D = ln(N/e),     <t_D> = (ln N + 0.5772)/(gamma N),     Delta t_D = 1.2825/(gamma N),

a Gumbel distribution of the delay, and all bursts have one shape: gamma (N^2/4) sech^2(gamma N
(t - t_D)/2). Here that is judged by the exact distribution of the time at which half of the photons
have come, by exact correlations between all pairs of times, and by trajectories.
"""

import math
import sys
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

import trajbatt as tb
from experiments import study
from experiments.study import CONDITIONAL, FAILS, HOLDS, Verdict

EULER = 0.5772156649015329
GUMBEL_WIDTH = math.pi / math.sqrt(6.0)
COLORS = "#e69f00", "#cc79a7", "#0072b2", "#222222"


@dataclass(frozen=True)
class Settings:
    """What is chosen; gamma = 1, and times are in 1/(gamma N).

    Attributes
    ----------
    atoms : tuple of int
        Of the delay and of the height of the burst.
    shown : int
        Atoms of the correlations, and of the pictures.
    bins : int
        Of time, in the correlations.
    delayed : int
        Atoms of the whole distribution of the delay.
    points : int
        Of time, in that.
    end : float
        The last time, beyond ln(shown).
    ntraj, seed : int
    """

    atoms: tuple = (30, 100, 300, 900)
    shown: int = 900
    bins: int = 40
    delayed: int = 100
    points: int = 13
    end: float = 8.0
    ntraj: int = 20_000
    seed: int = 20241217


def settings(quick):
    """Return the settings."""
    if not quick:
        return Settings()
    return Settings(atoms=(20, 60), shown=60, bins=12, delayed=20, points=7, ntraj=2000)


def model_of(n_atoms):
    """Return the decay of N atoms at the rate 1/N, in units in which gamma N = 1."""
    return tb.Battery(n_atoms, 1.5, 1.0).discharge(gamma=1.0 / n_atoms)


def delay(n_atoms):
    """Return the exact mean and width of the time of photon N/2: waits add up."""
    k = np.arange(n_atoms // 2)
    rates = (n_atoms - k) * (k + 1.0) / n_atoms
    return (1.0 / rates).sum(), math.sqrt((1.0 / rates**2).sum())


def arrived(settings):
    """Return times, the exact probability that photon N/2 has come by then, and when it came.

    The last is that of each trajectory, inf where it came later.
    """
    n_atoms = settings.delayed
    times = np.linspace(0.6, 1.5, settings.points) * math.log(n_atoms)
    late = tb.counting.arrival(
        model_of(n_atoms), n_atoms // 2, times, "all", tb.excited_state(n_atoms)
    )
    initial = tb.excited_state(n_atoms)
    runs = tb.mcsolve(
        model_of(n_atoms), times, settings.ntraj, initial, seed=settings.seed, keep_clicks=True
    )
    return times, 1.0 - late, tb.photons.arrivals(runs.clicks, n_atoms // 2, "all")


def height(n_atoms):
    """Return the largest mean intensity, in units of gamma N^2/4, and when it is reached."""
    times = np.linspace(0.0, math.log(n_atoms) + 6.0, 1201)[1:]
    rate = tb.counting.intensity(model_of(n_atoms), times, tb.excited_state(n_atoms))[0]
    best = int(np.argmax(rate))
    return 4.0 * rate[best] / n_atoms, times[best]


def chaotic_picture(n_atoms, times):
    """Return the mean intensity of the chaotic picture, in units of gamma N^2/4, (nt,)."""
    nodes, weights = np.polynomial.laguerre.laggauss(120)
    delays = np.log(n_atoms / nodes)
    bursts = 1.0 / np.cosh(0.5 * (times[:, None] - delays)) ** 2
    return bursts @ weights


def compute(settings):
    """Solve for delays, heights and correlations, and draw clicks."""
    n_atoms = settings.shown
    model, initial = model_of(n_atoms), tb.excited_state(n_atoms)
    edges = np.linspace(0.0, math.log(n_atoms) + settings.end, settings.bins + 1)
    later = np.append(edges[1:], edges[-1] + 14.0)  # when the last burst has come
    pair = "all", "all"
    exact = tb.counting.g2_matrix(model, edges, pair, initial)
    runs = tb.mcsolve(model, later, settings.ntraj, initial, seed=settings.seed, keep_clicks=True)
    estimate = tb.photons.g2_matrix(runs.clicks, edges, pair)
    half = tb.photons.arrivals(runs.clicks, n_atoms // 2, "all")
    fine = np.linspace(0.0, edges[-1], 241)[1:]
    mean = 4.0 * tb.counting.intensity(model, fine, initial)[0] / n_atoms
    return {
        "delays": np.array([delay(n) for n in settings.atoms]),
        "arrived": arrived(settings),
        "heights": np.array([height(n) for n in settings.atoms]),
        "picture": chaotic_picture(n_atoms, fine),
        "edges": edges,
        "exact": exact,
        "runs": estimate.value,
        "error": estimate.sem,
        "half": half[np.isfinite(half)],
        "fine": fine,
        "mean": mean,
        "first": tb.counting.g2_matrix(model, [0.0, 1e-4], pair, initial)[0, 0],
        "single": [runs.clicks.of_trajectory(i).time for i in range(4)],
    }


def draw(settings, found):
    """Draw bursts, the distribution of their delay, and the correlations of their light."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    bursts, delays, pairs = figure.subplots(1, 3)
    n_atoms, fine, edges = settings.shown, found["fine"], found["edges"]
    for time, color in zip(found["single"], COLORS[:3], strict=False):
        counts, _ = np.histogram(time, edges)
        rate = 4.0 * counts / np.diff(edges) / n_atoms
        bursts.stairs(rate, edges, color=color, lw=1.0)
    bursts.plot(fine, found["mean"], color=COLORS[3], label="mean, exact")
    bursts.plot(fine, found["picture"], ":", color="#777777", label="chaotic picture")
    bursts.set_xlabel(r"$\gamma N t$")
    bursts.set_ylabel(r"photons per time$/(\gamma N^2/4)$")
    bursts.set_title(f"Bursts and their mean, $N={n_atoms}$", fontsize=11)
    bursts.legend(fontsize=8)

    times, probability, half = found["arrived"]
    half = np.sort(half[np.isfinite(half)])
    delays.plot(half, np.arange(1, half.size + 1) / settings.ntraj, color=COLORS[2], label="runs")
    delays.plot(times, probability, "o", ms=3, color=COLORS[3], label="exact")
    gumbel = np.exp(-settings.delayed * np.exp(-times))
    delays.plot(times, gumbel, ":", color="#777777", label="Gumbel")
    delays.set_xlim(times[0], times[-1])
    delays.set_xlabel(r"$\gamma N t$")
    delays.set_title(f"Half of the photons came, $N={settings.delayed}$", fontsize=11)
    delays.legend(fontsize=8)

    shown = np.where(np.isfinite(found["exact"]), found["exact"], 1.0)
    image = pairs.pcolormesh(edges, edges, shown.T, cmap="RdBu_r", vmin=0.0, vmax=2.0)
    pairs.plot(edges, edges, lw=0.6, color="#777777")
    figure.colorbar(image, ax=pairs)
    pairs.set_xlabel(r"$\gamma N t_1$")
    pairs.set_ylabel(r"$\gamma N t_2$")
    pairs.set_title(r"$g^{(2)}(t_1, t_2)$, exact", fontsize=11)
    return figure


def judge(settings, found):
    """Judge what has been said of superradiant bursts."""
    return [
        _judge_height(settings, found),
        _judge_delay(settings, found),
        _judge_chaos(settings, found),
        _judge_pairs(settings, found),
    ]


def _judge_height(settings, found):
    heights = found["heights"][:, 0]
    atoms = np.array(settings.atoms)
    exponent = 2.0 + np.log(heights[-1] / heights[-2]) / np.log(atoms[-1] / atoms[-2])
    limit = found["picture"].max()
    return Verdict(
        "The burst radiates as N^2 (Dicke 1954).",
        HOLDS if abs(exponent - 2.0) < 0.1 else CONDITIONAL,
        f"The largest mean rate of photons grows as N^{exponent:.3f} from N = {atoms[-2]} to "
        f"{atoms[-1]}, where it is {heights[-1]:.3f} gamma N^2/4; the chaotic picture has "
        f"{limit:.3f}. A single burst reaches gamma N^2/4: the mean is lower because they come at "
        "different times.",
        {"exponent of the height": exponent, "height": heights[-1], "chaotic picture": limit},
    )


def _judge_delay(settings, found):
    atoms = np.array(settings.atoms, dtype=float)
    mean, width = found["delays"].T
    off = mean - (np.log(atoms) + EULER)
    half = found["half"]
    exact_mean, exact_width = delay(settings.shown)
    z = (half.mean() - exact_mean) / (exact_width / math.sqrt(half.size))
    times, probability, came = found["arrived"]
    error = np.sqrt(probability * (1.0 - probability) / came.size)
    off_exact = (came[:, None] <= times).mean(axis=0) - probability
    far = np.abs(off_exact[error > 1e-4] / error[error > 1e-4]).max()
    return Verdict(
        "The delay of the burst is ln(N)/(gamma N), and fluctuates by 1.28/(gamma N) (Gross and "
        "Haroche 1982).",
        HOLDS if abs(off[-1]) < 0.1 and abs(width[-1] / GUMBEL_WIDTH - 1) < 0.05 else CONDITIONAL,
        f"At N = {settings.atoms[-1]} half of the photons have come, on average, at "
        f"{mean[-1]:.4f}/(gamma N), off ln N + 0.5772 by {off[-1]:.2g}; the width is "
        f"{width[-1]:.4f}/(gamma N) (Gumbel: {GUMBEL_WIDTH:.4f}). The mean of {half.size} "
        f"trajectories at N = {settings.shown} is off the exact one by {z:+.1f} standard errors; "
        f"at N = {settings.delayed} their distribution is off the exact one by {far:.1f} at most.",
        {
            "mean delays": mean,
            "widths of the delay": width,
            "z of the mean delay": z,
            "largest z of the distribution": far,
        },
    )


def _judge_chaos(settings, found):
    n_atoms, first = settings.shown, float(found["first"])
    return Verdict(
        "At first the light is chaotic, g2 = 2, and at the height of the burst much less so.",
        HOLDS if abs(first - 2.0) < 0.2 else CONDITIONAL,
        f"g2(0, 0) is {first:.5f} at N = {n_atoms}; with N atoms it is 2 - 2/N = "
        f"{2.0 - 2.0 / n_atoms:.5f}. In the bin of the largest mean rate g2 is "
        f"{_at_the_height(settings, found):.3f}.",
        {"g2 at the start": first, "g2 at the height": _at_the_height(settings, found)},
    )


def _at_the_height(settings, found):
    """Return g2 in the bin of the largest mean rate."""
    _, when = height(settings.shown)
    place = int(np.searchsorted(found["edges"], when)) - 1
    return float(found["exact"][place, place])


def _judge_pairs(settings, found):
    known = np.isfinite(found["error"]) & (found["error"] > 0.0) & np.isfinite(found["exact"])
    # Where few pairs are seen an estimate and its error are of no use.
    known &= found["error"] < 0.2 * np.abs(found["exact"])
    z = (found["runs"] - found["exact"])[known] / found["error"][known]
    least = np.nanmin(found["exact"])
    where = np.unravel_index(np.nanargmin(found["exact"]), found["exact"].shape)
    middle = 0.5 * (found["edges"][1:] + found["edges"][:-1])
    return Verdict(
        "Early and late photons exclude each other: a burst comes early or late.",
        HOLDS if least < 0.3 and np.abs(z).max() < 5.0 else FAILS,
        f"g2(t1, t2) falls to {least:.2g} at gamma N (t1, t2) = ({middle[where[0]]:.1f}, "
        f"{middle[where[1]]:.1f}). The correlations of {settings.ntraj} trajectories are off the "
        f"exact ones by at most {np.abs(z).max():.1f} standard errors in {z.size} pairs of bins.",
        {"least g2": least, "largest z of g2": np.abs(z).max(), "pairs of bins": z.size},
    )


if __name__ == "__main__":
    study.main(sys.modules[__name__])

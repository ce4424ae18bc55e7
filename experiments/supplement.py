r"""The supplement, equation by equation, and the next order of Eq. (14) in 1/N.

Every equation is put beside the exact Eq. (7), as printed in the text at hand (which was read by
machine, so that a sign may be its fault) and, where that fails, as it should read. Exact statements
must agree at every point, limits of large N with an error that halves when N doubles.
A = gamma_+ cos^4(theta/2), B = gamma_- sin^4(theta/2), C = gamma_0 sin^2(theta), j = N/2.

The next order comes from an expansion in the size of the system. With u = N Gamma t/2 + phi_0,
kappa = (A + B)/Gamma and G(u) = u/2 + sinh(2u)/4, the variance of n is j W(u) sech^4(u) to leading
order, W(u) = cosh^2(phi_0)/2 + kappa (G(u) - G(phi_0)). It acts back on the mean,

    <n> = -j tanh u + sech^2(u) (Q_1(u) - Q_1(phi_0)),     Q_s(u) = s tanh(u) W(u) - G(u),

while m, the mean of n - 1/2 weighted by the terms of y (S8), feels twice the variance:

    m = -j tanh u + sech^2(u) (sinh(2 phi_0)/4 + Q_2(u) - Q_2(phi_0)).

One more integral, of dy/dt = (i Omega_P - C/2 + Gamma m - (A + B)/2) y, gives y.
"""

import math
import sys
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from scipy.integrate import quad, solve_ivp
from scipy.linalg import expm

import trajbatt as tb
from experiments import study
from experiments.study import CONDITIONAL, FAILS, HOLDS, Verdict
from trajbatt.plots.style import ASYMPTOTIC_COLOR, ENSEMBLE_COLOR, EXACT_COLOR

EXACT = 1e-7  # relative: derivatives are by differences
STATEMENTS = {
    "before (S1)": "J_z = exp(i theta J_y) J'_z exp(-i theta J_y)",
    "S1": "<H_0> by <J'_z> and <J'_x>",
    "S2": "d<n>/dt by the populations",
    "S3": "d<n>/dt by <n> and <n^2>",
    "S4": "a - b tanh(ct + phi_0) solves (S3) with <n^2> = <n>^2",
    "S5": "<n> = -(N/2) cos(theta) at the start",
    "S6": "cos(theta) <J'_z> for large N",
    "S7": "<J'_x> by coherences",
    "S8": "<J'_x> = Re y",
    "S9": "dy/dt by the coherences",
    "S10": "dy/dt with n replaced by a number",
    "S11": "y(t): (S10), integrated",
    "S12": "y = -(N/2) sin(theta) at the start",
    "S13": "<J'_x> for large N",
    "S14": "<H_0> for large N",
    "S15": "<E> for large N, the same as Eq. (14)",
}
RIGHT_FORMS = {
    "before (S1)": "the signs of the two exponents change places, as in Eq. (13)",
    "S2": "minus before each n(n - 1) and n(n + 1), as <n|J'_+J'_-|n> = (N/2)(N/2 + 1) - n(n - 1)",
    "S3": "the first term is -(x - 1)(N/2)(N/2 + 1)",
    "S6": "the right-hand side lacks a factor cos(theta)",
    "S9": "dephasing -(1/2) sin^2(theta) gamma_0 y, not 1/8",
    "S10": "(i Omega_P - C/2 + Gamma n - A) y: 1/2 for 1/8, a minus sign between the two rates (a "
    "product of them is no rate), and n - 1 only with that of gamma_+, n with that of gamma_-",
    "S11": "the exponent is (i Omega_P - C/2 - c/(2b)) t",
}


@dataclass(frozen=True)
class Settings:
    """What is chosen.

    Attributes
    ----------
    few : int
        Atoms for the exact statements.
    points : tuple of (theta, r, gamma_0/gamma_-)
        The first is the one of the paper; the third has x < 1.
    beyond : (theta, r, gamma_0/gamma_-)
        Where, with `few` atoms, (S4) as printed has no real phi_0.
    atoms : tuple of int
        For the limits of large N; each the double of the one before.
    shown, ntraj, seed : int
        Atoms, trajectories and seed of the ensemble.
    """

    few: int = 10
    points: tuple = ((1.87, 10.0, 1.0), (1.2, 10.0, 1.0), (2.2, 1.0, 0.5), (0.6, 5.0, 2.0))
    beyond: tuple = (1.2, 0.25, 1.0)
    atoms: tuple = (50, 100, 200, 400, 800, 1600, 3200)
    shown: int = 100
    ntraj: int = 40_000
    seed: int = 20241217


def settings(quick):
    """Return the settings."""
    return Settings(atoms=(100, 200, 400), ntraj=4000) if quick else Settings()


def battery_at(point, n_atoms):
    """Return the battery of a point; gamma_- = 1 and Omega_P = 4 N."""
    theta, r, gamma_0 = point
    return tb.Battery(n_atoms, theta, 4.0 * n_atoms, gamma_0, gamma_plus=r)


def closed_form(battery):
    """Return a, b, c and tanh(phi_0) of (S4), without its approximations."""
    down, up, _ = battery.dressed_rates
    j = battery.n_atoms / 2
    a = (down + up) / (2 * (down - up))
    b = math.sqrt(j * (j + 1) + a**2)
    return a, b, battery.gamma_net * b, (a + j * math.cos(battery.theta)) / b


def closed_mean(battery, t):
    """Return <n> at the time t by (S3) with <n^2> = <n>^2, integrated numerically."""
    (down, up, _), j = battery.dressed_rates, battery.n_atoms / 2

    def slope(_, n):
        return battery.gamma_net * (n**2 - j * (j + 1)) - (up + down) * n

    start = [-j * math.cos(battery.theta)]
    return solve_ivp(slope, (0.0, t), start, "DOP853", rtol=1e-12, atol=1e-12 * j).y[0, -1]


def s11_log(battery, t, printed):
    """Return ln(y/y_0) by (S11), as printed or as it should read, without i Omega_P t."""
    _, b, c, tanh_phi = closed_form(battery)
    phi, x, dephasing = math.atanh(tanh_phi), battery.x, battery.dressed_rates[2]
    rate = -dephasing / 2 - c / (2 * b)
    if printed:
        rate = -dephasing / 8 + c / (2 * b) * (3 - x) / (x - 1)
    return rate * t + np.log(np.cosh(phi) / np.cosh(c * t + phi))


def next_order(battery, t):
    """Return the next order at times t: of E/N in units of 1/N, and relative of y in 2/N."""
    (down, up, dephasing), net = battery.dressed_rates, battery.gamma_net
    kappa, phi = (down + up) / net, math.atanh(math.cos(battery.theta))
    tau = battery.n_atoms * net * t / 2
    u = tau + phi

    def ramp(u):
        return u / 2 + np.sinh(2 * u) / 4

    def spread(u):
        return math.cosh(phi) ** 2 / 2 + kappa * (ramp(u) - ramp(phi))

    def bracket(u, weight):
        return weight * np.tanh(u) * spread(u) - ramp(u)

    def shifts(u):
        """The integral over u of what sech^2(u) adds to m."""
        start, tanh = np.sinh(2 * phi) / 4 - bracket(phi, 2), np.tanh(u)
        of_spread = tanh**2 * spread(u) - kappa * (np.sinh(2 * u) / 4 - u / 2)
        return start * tanh + of_spread - tanh * ramp(u) + np.sinh(u) ** 2 / 2

    level = (bracket(u, 1) - bracket(phi, 1)) / np.cosh(u) ** 2
    coherence = shifts(u) - shifts(phi) - (kappa + dephasing / net) * tau / 2
    swing = np.cos(battery.omega_p * t) / np.cosh(u)
    cos, sin = math.cos(battery.theta), math.sin(battery.theta)
    return cos * level - sin * swing * coherence, coherence


def exact_statements(battery, t):
    """Return the relative errors {name: (as printed, as it should read)} at the time t."""
    theta, omega, net, j = battery.theta, battery.omega_p, battery.gamma_net, battery.n_atoms / 2
    cos, sin, (down, up, dephasing) = math.cos(theta), math.sin(theta), battery.dressed_rates
    n, square = np.arange(battery.n_atoms + 1) - j, j * (j + 1)
    roots = np.sqrt(square - n[1:] * n[:-1])
    j_z, raising = np.diag(n), np.diag(roots, -1)
    j_x, j_y = (raising + raising.T) / 2, (raising - raising.T) / 2j
    turn = expm(1j * theta * j_y).real  # Eq. (4)

    step = 1e-3 / (battery.n_atoms * abs(net))
    times = np.append(0.0, t + step * np.arange(-2, 3))
    exact = tb.mesolve(battery.charge(), times, keep_states=True, rtol=1e-14)
    states = turn.T @ exact.states @ turn
    start, rho = states[0], states[3]
    slope = (states[1] - 8 * states[2] + 8 * states[4] - states[5]) / (12 * step)
    p, d_n = rho.diagonal().real, n @ slope.diagonal().real
    terms = roots * rho.diagonal(1)  # of (S8)
    y, d_y = terms.sum(), roots @ slope.diagonal(1)
    weighted = (n[1:] @ terms) / y  # the number that makes (S10) exact
    x_mean = np.trace(exact.states[3] @ (cos * j_x + sin * j_z)).real

    def s2(sign):
        below, above = np.append(0.0, p[:-1]), np.append(p[1:], 0.0)
        to_lower, to_upper = square + sign * n * (n - 1), square + sign * n * (n + 1)
        return n @ (
            up * (to_lower * below - to_upper * p) + down * (to_upper * above - to_lower * p)
        )

    def s3(sign):
        return net * (sign * square + n**2 @ p) - (up + down) * (n @ p)

    def s9(factor):
        phase = 1j * omega - factor * dephasing
        return phase * y - up * (n[1:] @ terms) + down * ((n[1:] - 1) @ terms)

    s10 = (
        1j * omega - dephasing / 8 - up * down * (weighted - 1),
        1j * omega - dephasing / 2 + net * weighted - down,
    )
    a, b, c, tanh_phi = closed_form(battery)
    phi = math.atanh(tanh_phi)
    s11 = quad(lambda s: net * (a - b * math.tanh(c * s + phi)) - down - dephasing / 2, 0, t)[0]
    flow, turning = abs(net) * j**2, abs(net) * j * abs(y)
    unturned = cos * j_z - sin * j_x
    pairs = {
        "before (S1)": [np.abs(u @ unturned @ u.T - j_z).max() / j for u in (turn, turn.T)],
        "S1": [(exact.energy[3] - j - cos * (n @ p) - sin * np.trace(rho @ j_x).real) / j],
        "S2": [(s2(sign) - d_n) / flow for sign in (1, -1)],
        "S3": [(s3(sign) - d_n) / flow for sign in (1, -1)],
        "S4": [(a - b * math.tanh(c * t + phi) - closed_mean(battery, t)) / j],
        "S5": [(n @ start.diagonal() + j * cos) / j],
        "S7": [(np.trace(rho @ j_x).real - x_mean) / j],
        "S8": [(y.real - x_mean) / j],
        "S9": [(s9(factor) - d_y) / turning for factor in (1 / 8, 1 / 2)],
        "S10": [(rate * y - d_y) / turning for rate in s10],
        "S11": [s11_log(battery, t, printed) - s11 for printed in (True, False)],
        "S12": [(np.trace(start @ raising) + j * sin) / j],
    }
    return {name: np.abs([pair[0], pair[-1]]) for name, pair in pairs.items()}


def limits(battery):
    """Return the largest errors over time {name: (as printed, as it should read)}, and others."""
    j, cos, sin = battery.n_atoms / 2, math.cos(battery.theta), math.sin(battery.theta)
    t = np.linspace(0.0, 4.0, 81) / (j * abs(battery.gamma_net))
    exact = tb.mesolve(battery.charge(), t, rtol=1e-12)
    j_z, dipole, energy = exact.energy - j, exact.dipole, exact.energy / battery.n_atoms
    n = cos * j_z - sin * dipole.real
    y = sin * j_z + cos * dipole.real + 1j * dipole.imag
    u = j * battery.gamma_net * t + math.atanh(cos)
    tanh, swing = np.tanh(u), np.cos(battery.omega_p * t) / np.cosh(u)
    formula = tb.asymptotics.energy(battery, t) / battery.n_atoms
    first, coherence = next_order(battery, t)
    size = (y * np.exp(-1j * battery.omega_p * t)).real / j
    pairs = {
        "S6": [cos * n / j + tanh, cos * n / j + cos * tanh],
        "S13": [y.real / j + swing],
        "S14": [j_z / battery.n_atoms + (cos * tanh + sin * swing) / 2],
        "S15": [energy - formula],
        "E": [energy - formula, energy - formula - first / battery.n_atoms],
        "y": [size + 1 / np.cosh(u), size + (1 + coherence / j) / np.cosh(u)],
        "y by S11": [size + sin * np.exp(s11_log(battery, t, one)) for one in (True, False)],
    }
    return {name: np.abs([pair[0], pair[-1]]).max(axis=1) for name, pair in pairs.items()}


def largest_variance(point, n_atoms, duration):
    """Return the largest Var(n): the dressed ladder, solved as if it were the bare one."""
    battery = battery_at(point, n_atoms)
    model = tb.LadderModel("dressed", n_atoms, 0.0, 0.0, battery.charge().channels)
    start = tb.coherent_state(n_atoms, math.pi - battery.theta)
    return tb.mesolve(model, np.linspace(0, duration, 60), start).energy_variance.max()


def compute(settings):
    """Check every equation, then the next order by N and by trajectories."""
    checks, errors = {}, {}
    for point in settings.points:
        battery = battery_at(point, settings.few)
        for tau in (0.4, 1.0, 2.5):
            t = 2 * tau / (settings.few * abs(battery.gamma_net))
            for name, pair in exact_statements(battery, t).items():
                checks[name] = np.maximum(checks.get(name, 0.0), pair)
        found = [limits(battery_at(point, n_atoms)) for n_atoms in settings.atoms]
        for name in found[0]:
            errors.setdefault(name, []).append([pairs[name] for pairs in found])

    far = battery_at(settings.beyond, settings.few)
    a, b, c, tanh_phi = closed_form(far)
    t = 1 / (settings.few * abs(far.gamma_net))
    by_coth = a - b / math.tanh(c * t + math.atanh(1 / tanh_phi))

    theta = settings.points[0][0]
    balanced = (theta, math.tan(theta / 2) ** 4, 1.0)
    battery = battery_at(settings.points[0], settings.shown)
    times = np.linspace(0.08, 8.0, 100) / (settings.shown * battery.gamma_net)
    runs = tb.mcsolve(battery.charge(), times, settings.ntraj, seed=settings.seed)
    durations = [times[-1] * settings.shown / n_atoms for n_atoms in settings.atoms]
    return {
        "checks": checks,
        "errors": {name: np.array(pairs) for name, pairs in errors.items()},  # point, N, pair
        "beyond": (tanh_phi, abs(by_coth - closed_mean(far, t)) / settings.few),
        "variances": [
            (largest_variance(settings.points[0], n, d), largest_variance(balanced, n, 3.0))
            for n, d in zip(settings.atoms, durations, strict=True)
        ],
        "tau": settings.shown * battery.gamma_net * times / 2,
        "first": next_order(battery, times)[0],
        "exact": tb.mesolve(battery.charge(), times).energy - tb.asymptotics.energy(battery, times),
        "runs": runs.energy - tb.asymptotics.energy(battery, times),
        "sem": runs.energy_sem,
    }


def draw(settings, found):
    """Draw the errors of every equation, those of Eq. (14) by N, and the term that it lacks."""
    figure = Figure(figsize=(10, 7.2), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.15))
    equations, (by_n, term) = left.subplots(), right.subplots(2, 1)
    last = {name: pairs[:, -1].max(axis=0) for name, pairs in found["errors"].items()}
    errors = np.array([{**last, **found["checks"]}[name] for name in STATEMENTS])
    printed, corrected = np.maximum(errors.T, 1e-16)
    rows = np.arange(len(errors))
    equations.hlines(rows, corrected, printed, color="#bbbbbb", lw=1.5)
    equations.plot(corrected, rows, "o", color="#56b4e9", ms=8, label="as it should read")
    equations.plot(printed, rows, "x", color="#222222", ms=7, mew=2, label="as printed")
    equations.set_xscale("log")
    equations.set_yticks(rows, list(STATEMENTS))
    equations.invert_yaxis()
    equations.set_xlabel("relative error against the exact Eq. (7)")
    equations.set_title("Which equations of the supplement hold", fontsize=11)
    equations.legend(loc="lower left", fontsize=9)

    colors = ("#222222", "#e69f00", "#56b4e9", "#cc79a7")
    for (theta, r, _), color, pairs in zip(
        settings.points, colors, found["errors"]["E"], strict=True
    ):
        label = rf"$\theta={theta}$, $r={r:g}$"
        by_n.loglog(settings.atoms, pairs[:, 0], "s-", color=color, ms=4, label=label)
        by_n.loglog(settings.atoms, pairs[:, 1], "o--", color=color, ms=4, mfc="white")
    by_n.set_xlabel("$N$")
    by_n.set_ylabel(r"largest error of $E/N$ ($\hbar\omega_0$)")
    by_n.set_title("Eq. (14) errs by 1/N (full), with the next term by 1/N² (open)", fontsize=10)
    by_n.legend(fontsize=8, ncols=2, loc="lower left")

    style = {"ls": "", "marker": ".", "color": ENSEMBLE_COLOR}
    label = f"{settings.ntraj:,} trajectories"
    term.errorbar(*(found[name][::2] for name in ("tau", "runs", "sem")), label=label, **style)
    term.plot(found["tau"], found["exact"], color=EXACT_COLOR, label="exact")
    term.plot(found["tau"], found["first"], color=ASYMPTOTIC_COLOR, ls="--", label="next order")
    term.axhline(0, color="#999999", lw=0.8)
    term.set_xlabel(r"$N\Gamma t/2$")
    term.set_ylabel(r"$E$ less Eq. (14), total ($\hbar\omega_0$)")
    term.set_title(f"What Eq. (14) lacks, N = {settings.shown}", fontsize=11)
    term.legend(fontsize=9)
    return figure


def judge(settings, found):
    """Judge each equation by its errors, as printed and as it should read."""
    verdicts = []
    for name, statement in STATEMENTS.items():
        if name in found["checks"]:
            errors = found["checks"][name]
            good, what = errors < EXACT, "Relative error"
        else:
            by_n = found["errors"][name]
            errors, what = by_n[:, -1].max(axis=0), f"Largest error at N = {settings.atoms[-1]}"
            good = (np.abs(by_n[:, -2] / by_n[:, -1] - 2) < 0.2).all(axis=0)
        outcome, text = HOLDS, f"{what} {errors[0]:.1e}."
        if not good[0]:
            right = RIGHT_FORMS[name] if good[1] else "the right form is not known"
            outcome = FAILS
            text = f"Misprint: {right}. {what} {errors[0]:.2g} as printed, {errors[1]:.1e} so."
        elif name == "S4" and found["beyond"][0] > 1 and found["beyond"][1] < EXACT:
            outcome, (theta, r, _) = CONDITIONAL, settings.beyond
            text += (
                " But phi_0 is real only for 2a cos(theta) < 1 + (N/2) sin^2(theta). At "
                f"theta = {theta}, r = {r}, N = {settings.few} its tanh would be "
                f"{found['beyond'][0]:.3f}, and coth must take the place of tanh, which then "
                f"solves (S3) to {found['beyond'][1]:.0e}."
            )
        claim = statement if name.startswith("before") else f"({name}) {statement}"
        numbers = {f"{name} as printed": errors[0], f"{name} as it should read": errors[1]}
        verdicts.append(Verdict(claim, outcome, text, numbers))
    return [*verdicts, _judge_closure(settings, found), *_judge_orders(settings, found)]


def _judge_closure(settings, found):
    by_s11, by_y = (settings.atoms[-1] * found["errors"][name][0, -1] for name in ("y by S11", "y"))
    names = "S11 as printed", "S11 as it should read", "S13", "next order"
    numbers = {f"N times error of y, {a}": b for a, b in zip(names, (*by_s11, *by_y), strict=True)}
    return Verdict(
        "(S10)-(S11): n may be replaced by its mean, and the terms beside c t kept.",
        CONDITIONAL if by_s11.max() < 10 and by_y[1] < 0.05 * by_s11.min() else FAILS,
        "To leading order only. N times the error of 2y/N at the charging point is "
        f"{by_s11[0]:.2f} by (S11) as printed, {by_s11[1]:.2f} as it should read, {by_y[0]:.2f} "
        f"without those terms (S13), {by_y[1]:.4f} with the next order derived here: the closure "
        "costs as much as the terms are worth.",
        numbers,
    )


def _judge_orders(settings, found):
    charging, balanced = np.log2(np.divide(found["variances"][-1], found["variances"][-2]))
    extensive = abs(charging - 1) < 0.05
    variance = Verdict(
        "<n^2> - <n>^2 is at most of the order of N (after S3).",
        FAILS if not extensive else HOLDS if balanced < 1.05 else CONDITIONAL,
        f"Its largest value grows as N^{charging:.3f} at the charging point, but as "
        f"N^{balanced:.3f} at x = 1, where it tends to N(N + 2)/12.",
        {"exponent of the variance": charging, "exponent of the variance, x = 1": balanced},
    )
    plain, better = np.log2(found["errors"]["E"][:, -2] / found["errors"]["E"][:, -1]).T
    before, after = (
        math.sqrt(np.mean(((found["runs"] - term) / found["sem"]) ** 2))
        for term in (0.0, found["first"])
    )
    confirmed = np.abs(plain - 1).max() < 0.1 and np.abs(better - 2).max() < 0.1
    order = Verdict(
        "Eq. (14) is the leading order in 1/N; the next term is the one derived here.",
        HOLDS if confirmed and after < 1.5 < before else FAILS,
        f"The error falls as N^-{plain.min():.3f} to N^-{plain.max():.3f} over the points, with "
        f"the next term as N^-{better.min():.3f} to N^-{better.max():.3f}. At N = "
        f"{settings.shown}, {settings.ntraj} trajectories are off Eq. (14) by {before:.0f} "
        f"standard errors (r.m.s. over the times), with the next term by {after:.2f}.",
        {
            "order of the error": plain,
            "order of the error with the next term": better,
            "z off Eq. (14)": before,
            "z off the next order": after,
            "largest coefficient of 1/N": settings.atoms[-1] * found["errors"]["E"][0, -1, 0],
        },
    )
    return [variance, order]


if __name__ == "__main__":
    study.main(sys.modules[__name__])

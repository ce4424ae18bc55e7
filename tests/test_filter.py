"""The filter against the reference records, and against the trajectories' own states."""

import itertools
from types import SimpleNamespace

import dense
import numpy as np
import oracles
import pytest
from scipy import special, stats
from scipy.linalg import expm

import trajbatt as tb
from trajbatt.numerics import spin


def record(*clicks):
    return SimpleNamespace(
        time=np.array([time for time, _ in clicks]), channel=[name for _, name in clicks]
    )


def setting(case):
    """Return the model and the initial state of a reference record."""
    n, theta, gamma = case["N"], case["theta"], case["gamma0"]
    if case["model"] == "eq7":
        return oracles.battery(case).charge(), None
    if case["model"] == "eq5":
        battery = tb.Battery(n, theta, case["Omega_P"], gamma, gamma, gamma)
        return battery.charge(secular=False), None
    if case["model"] == "dis_coherent":
        model = tb.Battery(n, np.pi / 2, 0.0, gamma).discharge()
        return model, tb.coherent_state(n, np.pi - theta)
    return tb.Battery(n, theta, 0.0, gamma, case["r"]).discharge(), None


@pytest.mark.parametrize(
    "case",
    oracles.load()["records"],
    ids=lambda c: f"{c['model']}-N{c['N']}-{c['efficiency']}-{len(c['clicks'])}",
)
def test_reference_records(case):
    model, initial = setting(case)
    at = case["cond"]
    times = [one["t"] for one in at]
    found = tb.filter(model, record(*case["clicks"]), times, case["efficiency"], initial)
    for name, key in [
        ("energy", "E"),
        ("energy_variance", "varE"),
        ("purity", "purity"),
        ("ergotropy", "ergotropy"),
        ("log_likelihood", "loglik_so_far"),
    ]:
        np.testing.assert_allclose(getattr(found, name), [one[key] for one in at], atol=1e-10)
    dipole = [complex(*one["Jp"]) for one in at]
    np.testing.assert_allclose(found.dipole, dipole, atol=1e-10)
    rates = [[one["rates"][name] for one in at] for name in model.channel_names]
    np.testing.assert_allclose(found.rates, rates, atol=1e-10)
    assert found.log_likelihood[-1] == pytest.approx(case["loglik"], abs=1e-10)


CASES = [pytest.param(case, id=case.name) for case in dense.cases()]
EFFICIENCIES = [[1.0], [0.6], [0.0], [0.3, 1.0, 0.0, 0.8]]  # of one channel after the other


def sampled(case, seed, ntraj):
    """Return the clicks (time, name) of some trajectories."""
    runs = tb.mcsolve(
        case.model, [case.end], ntraj, initial=case.initial, seed=seed, keep_clicks=True
    )
    return [
        [(t, case.model.channel_names[c]) for t, c in zip(one.time, one.channel, strict=True)]
        for one in (runs.clicks.of_trajectory(i) for i in range(ntraj))
    ]


def detected(clicks, efficiency, rng):
    """Return the clicks that detectors of some efficiency by channel see."""
    return [click for click in clicks if rng.random() < efficiency[click[1]]]


def check(case, clicks, efficiency, times, handed, dark=None):
    """Compare a filtered record with its dense twin."""
    found = tb.filter(case.model, record(*clicks), times, handed, case.initial, dark or 0.0)
    j_z, j_plus = dense.spin_operators(case.model.n_atoms)
    energy = j_z + case.model.n_atoms / 2 * np.eye(len(j_z))
    states = case.twin.filter(case.rho, clicks, times, efficiency, dark)
    for i, (time, (rho, log)) in enumerate(zip(times, states, strict=True)):
        mean = np.trace(rho @ energy).real
        levels = np.linalg.eigvalsh(rho)
        passive = levels[::-1] @ np.arange(levels.size)
        for name, expected in [
            ("energy", mean),
            ("energy_variance", np.trace(rho @ energy @ energy).real - mean**2),
            ("dipole", np.trace(rho @ j_plus)),
            ("log_likelihood", log),
            ("purity", np.trace(rho @ rho).real),
            ("ergotropy", mean - passive),
        ]:
            assert getattr(found, name)[i] == pytest.approx(expected, abs=1e-9), name
        rates = [case.twin.rate(rho, time, name) for name in case.model.channel_names]
        np.testing.assert_allclose(found.rates[:, i], rates, atol=1e-9)


def by_channel(names, values):
    """Return a number for each channel; short lists begin again."""
    return dict(zip(names, np.resize(values, len(names)).tolist(), strict=True))


@pytest.mark.parametrize("values", EFFICIENCIES, ids=str)
@pytest.mark.parametrize("case", CASES)
def test_records_against_the_dense_twin(case, values):
    efficiency = by_channel(case.model.channel_names, values)
    rng = np.random.default_rng(1)
    times = np.array([0.0, 0.1, 0.25, 0.375, 0.75, case.end])
    n = 0
    for i, clicks in enumerate(sampled(case, 5, 4)):
        handed = [efficiency, list(efficiency.values())][i % 2] if len(values) > 1 else values[0]
        seen = detected(clicks, efficiency, rng)
        # At first only the last time: many clicks in one go, and stages without a time.
        check(case, seen, efficiency, times if i else times[-1:], handed)
        n += len(seen)
    assert n > 0 or values != [1.0] or case.name in ("closed", "eq7-theta-0")


@pytest.mark.parametrize("case", CASES)
def test_dark_counts_against_the_dense_twin(case):
    names = case.model.channel_names
    rng = np.random.default_rng(2)
    times = np.array([0.0, 0.25, 0.6, case.end])
    for values, rates in ([1.0, 0.3], [0.5, 0.0]), ([0.0, 0.8], [0.4, 1.5]), ([1.0], [0.7]):
        efficiency, dark = by_channel(names, values), by_channel(names, rates)
        (clicks,) = sampled(case, 6, 1)
        clicks = detected(clicks, efficiency, rng)
        for stage, begin in zip(case.twin.stages, case.twin.starts, strict=False):
            end = min(begin + stage.duration, case.end)
            for name in stage.jumps:
                if dark[name]:
                    clicks += [(t, name) for t in rng.uniform(begin, end, 2)]
        check(case, sorted(clicks), efficiency, times, efficiency, dark)


# At the same time, at a time that is asked for, at the beginning, and where a stage ends.
RED_AND_BLUE = [(0.0, "center"), (0.25, "red"), (0.25, "blue"), (0.25, "red"), (1.0, "center")]
AWKWARD = {
    "eq7": RED_AND_BLUE,
    "eq7-mixed": RED_AND_BLUE,
    "eq7-theta-pi": [(0.0, "red"), (0.25, "red")],
    "eq7-one-atom": RED_AND_BLUE,
    "eq5": [(0.25, "all"), (0.25, "all"), (1.0, "all")],
    "eq5-one-atom": [(0.0, "all"), (0.25, "all"), (1.0, "all")],
    "discharge": [(0.0, "all"), (0.25, "all"), (0.25, "all")],
    "cycle": [
        *[(0.0, "center"), (0.25, "red"), (0.25, "blue"), (0.3, "dis"), (0.375, "dis")],
        *[(0.875, "all"), (1.0, "red"), (1.125, "blue"), (1.5, "dis"), (1.625, "dis")],
    ],
    "one-atom-cycle": [(0.5, "center"), (0.5, "blue"), (0.75, "red"), (1.25, "dis")],
}


@pytest.mark.parametrize("efficiency", [1.0, 0.7])
@pytest.mark.parametrize("case", [case for case in dense.cases() if case.name in AWKWARD])
def test_clicks_at_awkward_times(case, efficiency):
    by_name = dict.fromkeys(case.model.channel_names, efficiency)
    times = np.unique([0.0, 0.25, 0.5, 1.0, case.end])
    check(case, AWKWARD[case.name], by_name, times, efficiency)


def batteries():
    charge = tb.Battery(60, 1.87, 600.0, gamma_plus=10.0)
    odd = tb.Battery(7, 0.9, 5.0, 0.3, 0.0, 2.0)
    small = tb.Battery(5, 1.2, 30.0)
    cycle = tb.Protocol(
        [
            (tb.Battery(20, 1.87, 200.0, gamma_plus=8.0).charge(), 0.15),
            (tb.Battery(20, 1.87, 200.0).store(), 0.05),
            (tb.Battery(20, 1.87, 200.0).discharge(), 0.2),
        ]
    )
    driven = tb.Protocol([(small.charge(secular=False), 0.4), (small.discharge(), 0.3)])
    large = tb.Battery(100, 1.87, 1000.0, gamma_plus=10.0)
    bright = tb.Protocol(
        [(large.charge(), large.charging_time), (large.store(), 0.06), (large.discharge(), 0.06)]
    )
    return [
        pytest.param(charge.charge(), None, 0.1, 1e-10, id="eq7"),
        pytest.param(charge.charge(), tb.coherent_state(60, 1.1, 2.0), 0.1, 1e-10, id="coherent"),
        pytest.param(odd.charge(), None, 2.0, 1e-10, id="halting"),
        pytest.param(charge.discharge(), tb.coherent_state(60, 0.7, 1.0), 0.1, 1e-10, id="eq5-off"),
        pytest.param(cycle, None, 0.4, 1e-10, id="cycle"),
        # What is dropped before another basis matters by its amplitude: 1e-18 is not little.
        pytest.param(bright, None, bright.duration, 1e-11, id="bright-cycle"),
        pytest.param(small.charge(secular=False), None, 1.0, 1e-10, id="eq5"),
        pytest.param(driven, tb.coherent_state(5, 2.0, 1.0), 0.7, 1e-10, id="driven-cycle"),
    ]


@pytest.mark.parametrize(("model", "initial", "end", "close"), batteries())
def test_a_sampled_record_gives_back_its_trajectory(model, initial, end, close):
    times = np.linspace(0, end, 17)
    runs = tb.mcsolve(model, times, 4, initial=initial, seed=8, keep_clicks=True, rtol=1e-11)
    for i in range(runs.ntraj):
        one = runs.replay(i)
        assert len(one.clicks) > 0
        for clicks in (one.clicks, runs.clicks.of_trajectory(i)):
            found = tb.filter(model, clicks, times, initial=initial)
            np.testing.assert_allclose(found.energy, one.energy, atol=close)
            np.testing.assert_allclose(found.energy_variance, one.energy_variance, atol=10 * close)
            np.testing.assert_allclose(found.dipole, one.dipole, atol=10 * close)
        np.testing.assert_array_equal(found.purity, 1.0)
        np.testing.assert_array_equal(found.ergotropy, found.energy)


def test_another_model_reads_another_energy_off_the_record():
    # The negative control of the test above: one rate 5 % off.
    times = np.linspace(0, 0.1, 17)
    battery = tb.Battery(60, 1.87, 600.0, gamma_plus=10.0)
    one = tb.mcsolve(battery.charge(), times, 1, seed=8, keep_clicks=True).replay(0)
    for rates in [(1.05, 10.0, 1.0), (1.0, 10.5, 1.0), (1.0, 10.0, 1.05)]:
        found = tb.filter(tb.Battery(60, 1.87, 600.0, *rates).charge(), one.clicks, times)
        assert np.abs(found.energy - one.energy).max() > 1e-3


def test_a_mixture_is_filtered_as_a_whole():
    # Bayes: kets are weighed by the likelihood of the record under each.
    battery = tb.Battery(10, 1.5, 20.0, gamma_plus=4.0)
    cycle = tb.Protocol([(battery.charge(), 0.2), (battery.discharge(), 0.1)])
    kets = [tb.coherent_state(10, 0.4, 1.0), tb.coherent_state(10, 2.4, 0.2)]
    weights = 0.3, 0.7
    rho = sum(w * np.outer(ket, ket.conj()) for w, ket in zip(weights, kets, strict=True))
    for model in (battery.charge(), battery.discharge(), cycle):
        times = np.array([0.0, 0.1, 0.2, 0.25])
        one = tb.mcsolve(model, times, 1, initial=kets[1], seed=2, keep_clicks=True).clicks
        for efficiency in (1.0, 0.5):
            parts = [tb.filter(model, one, times, efficiency, ket) for ket in kets]
            whole = tb.filter(model, one, times, efficiency, rho)
            likelihoods = [
                w * np.exp(part.log_likelihood) for w, part in zip(weights, parts, strict=True)
            ]
            np.testing.assert_allclose(whole.log_likelihood, np.log(sum(likelihoods)), atol=1e-9)
            for name in ("energy", "dipole", "rates"):
                mean = sum(
                    p * getattr(part, name) for p, part in zip(likelihoods, parts, strict=True)
                ) / sum(likelihoods)
                np.testing.assert_allclose(getattr(whole, name), mean, atol=1e-8)
            assert whole.purity[0] < 0.6


def scores(model, records, times, detectors, exact):
    """Return z-scores of averages over records: of the energy, and of its whole variance."""
    efficiency, dark = detectors
    found = [tb.filter(model, one, times, efficiency, dark_rate=dark) for one in records]
    energy = np.array([one.energy for one in found])
    variance = np.array([one.energy_variance for one in found])
    n = len(found)
    mean, sem = energy.mean(axis=0), energy.std(axis=0) / np.sqrt(n)
    # What is left of Var(E) is what varies between the records.
    whole = variance + (energy - exact.energy) ** 2
    spread = (whole.mean(axis=0) - exact.energy_variance) / (whole.std(axis=0) / np.sqrt(n))
    return np.abs([(mean - exact.energy) / sem, spread])


@pytest.mark.parametrize(
    ("model", "end", "n"),
    [
        pytest.param(tb.Battery(8, 1.87, 40.0, gamma_plus=6.0).charge(), 0.2, 800, id="eq7"),
        pytest.param(tb.Battery(8, 1.87, 40.0, gamma_plus=6.0).discharge(), 0.2, 800, id="eq5-off"),
        pytest.param(tb.Battery(2, 1.2, 6.0).charge(secular=False), 1.0, 400, id="eq5"),
        pytest.param(
            tb.Protocol(
                [
                    (tb.Battery(4, 1.87, 20.0, gamma_plus=6.0).charge(), 0.2),
                    (tb.Battery(4, 1.87, 20.0).discharge(2.0), 0.2),
                ]
            ),
            0.4,
            400,
            id="cycle",
        ),
    ],
)
def test_the_filter_is_unbiased(model, end, n):
    times = np.linspace(0, end, 4)[1:]
    exact = tb.mesolve(model, times)
    runs = tb.mcsolve(model, times, n, seed=9, keep_clicks=True)
    rng = np.random.default_rng(10)
    names = np.array(model.channel_names)
    detectors = np.resize([0.5, 0.9, 0.7], names.size), np.resize([0.8, 0.0], names.size)
    if isinstance(model, tb.Protocol):
        detectors[1][:] = 0.0
    efficiency, dark = detectors
    records = []
    for i in range(n):
        clicks = runs.clicks.of_trajectory(i)
        seen = rng.random(len(clicks)) < efficiency[clicks.channel]
        more = rng.poisson(dark * end)
        time = np.append(clicks.time[seen], rng.uniform(0, end, more.sum()))
        channel = np.append(clicks.channel[seen], np.repeat(np.arange(names.size), more))
        order = np.argsort(time)
        records.append(SimpleNamespace(time=time[order], channel=channel[order]))
    assert scores(model, records, times, detectors, exact).max() < 5
    # Negative control: detectors said to be worse than they are.
    assert scores(model, records, times, (efficiency / 3, dark), exact).max() > 5


def simplex(n, points, weights):
    """Return ordered times in [0, 1] and their weights, for the integral over all of them."""
    if n == 0:
        return [((), 1.0)]
    # The last time is t; those before are t times ordered ones.
    return [
        ((*(t * s for s in times), t), w * weight * t ** (n - 1))
        for t, w in zip(points, weights, strict=True)
        for times, weight in simplex(n - 1, points, weights)
    ]


@pytest.mark.parametrize(("efficiency", "dark"), [(1.0, 0.0), (0.6, 0.0), (0.6, 0.3)])
@pytest.mark.parametrize(
    ("model", "initial", "end", "order"),
    [
        pytest.param(tb.Battery(1, 1.9, 4.0, 1.1, 2.0, 0.7).charge(), None, 0.6, 5, id="eq7"),
        pytest.param(
            tb.Battery(2, 1.0, 2.0).discharge(),
            tb.coherent_state(2, 0.8, 1.0),
            0.7,
            9,
            id="eq5-off",
        ),
        pytest.param(tb.Battery(2, 1.2, 3.0).charge(secular=False), None, 0.8, 9, id="eq5"),
    ],
)
def test_the_likelihood_integrates_to_the_numbers_of_photons(
    model, initial, end, order, efficiency, dark
):
    points, weights = np.polynomial.legendre.leggauss(order)
    points, weights = (points + 1) / 2, weights / 2
    names = model.channel_names
    pmf = tb.counting.distribution(model, end, "total", initial)
    n = np.arange(3)
    seen = stats.binom.pmf(n[:, None], np.arange(pmf.size), efficiency) @ pmf
    expected = np.convolve(seen, stats.poisson.pmf(n, len(names) * dark * end))[:3]
    probability = np.zeros(3)
    for n_clicks in range(3):
        for channels in itertools.product(names, repeat=n_clicks):
            if channels in [("red", "red"), ("blue", "blue")] and efficiency == 1.0:
                continue  # one atom does that only once
            for times, weight in simplex(n_clicks, points, weights):
                clicks = record(*((end * t, name) for t, name in zip(times, channels, strict=True)))
                found = tb.filter(model, clicks, [end], efficiency, initial, dark)
                density = np.exp(found.log_likelihood[0])
                probability[n_clicks] += weight * end**n_clicks * density
    np.testing.assert_allclose(probability, expected, atol=1e-7)
    if model.name == "discharge" and dark == 0.0:  # of two atoms, two photons at most
        assert probability.sum() == pytest.approx(1.0, abs=1e-7)


def by_hand(model, log, sign, clicks, times):
    """Yield energy, variance and log-likelihood of a dressed ket, branch by branch (README).

    `log` and `sign` (N+1,) are those of its real amplitudes; all branches are kept.
    """
    n = model.n_atoms
    k = np.arange(n + 1)
    elements = np.array(  # of J'_+, J'_z, J'_- from level k
        [np.sqrt((n - k) * (k + 1.0)), k - n / 2, np.sqrt(k * (n - k + 1.0))]
    )
    rates = np.array([channel.rate for channel in model.channels])
    decay, steps = 0.5 * rates @ elements**2, (1, 0, -1)
    with np.errstate(divide="ignore"):
        logs = np.log(np.abs(elements)) + 0.5 * np.log(rates)[:, None]
    start, log, sign = k, log.copy(), sign.copy()  # `start` + S is where the branches are
    now = left = climbed = 0

    def go_on(until):
        log[:] -= decay[start + climbed] * (until - now)

    for t in times:
        while left < clicks.time.size and clicks.time[left] <= t:
            go_on(clicks.time[left])
            now, channel = clicks.time[left], clicks.channel[left]
            log += logs[channel][start + climbed]
            sign *= np.sign(elements[channel][start + climbed])
            climbed += steps[channel]
            left += 1
            on = (start + climbed >= 0) & (start + climbed <= n)
            start, log, sign = start[on], log[on], sign[on]
        go_on(t)
        now, best = t, log.max()
        psi = np.zeros(n + 1, dtype=complex)
        psi[start + climbed] = sign * np.exp(log - best)
        weight = np.vdot(psi, psi).real
        psi *= np.exp(-1j * model.frequency * t * k) / np.sqrt(weight)
        x = np.sin(model.theta) * elements[0][:-1] / 2
        raised = np.cos(model.theta) * (k - n / 2) * psi
        raised[1:] += x * psi[:-1]
        raised[:-1] += x * psi[1:]
        mean = np.vdot(psi, raised).real
        yield mean + n / 2, np.vdot(raised, raised).real - mean**2, 2 * best + np.log(weight)


def dressed_ground_state(model):
    """Return the logarithms of its amplitudes, and their signs."""
    n, half = model.n_atoms, model.theta / 2
    k = np.arange(n + 1.0)
    log = 0.5 * (special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1))
    return log + k * np.log(np.sin(half)) + (n - k) * np.log(np.cos(half)), (-1.0) ** k


def test_ten_thousand_clicks_of_many_atoms():
    n = 2000
    model = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0).charge()
    one = tb.mcsolve(model, [0.02], 1, seed=1, keep_clicks=True).clicks
    clicks = SimpleNamespace(time=one.time[:10_000], channel=one.channel[:10_000].astype(int))
    assert clicks.time.size == 10_000
    times = np.array([0.3, 1.0]) * clicks.time[-1]
    found = tb.filter(model, clicks, times)
    for i, (energy, variance, likelihood) in enumerate(
        by_hand(model, *dressed_ground_state(model), clicks, times)
    ):
        assert found.energy[i] == pytest.approx(energy, abs=1e-8)
        assert found.energy_variance[i] == pytest.approx(variance, rel=1e-6)
        assert found.log_likelihood[i] == pytest.approx(likelihood, rel=1e-12)


@pytest.mark.parametrize("kind", ["of another model", "one by one", "at once", "all at the end"])
def test_untypical_records_do_not_overflow(kind):
    n, size = 300, 3000
    model = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0).charge()
    # All dressed levels alike, with all signs: no branch is negligible.
    rng = np.random.default_rng(3)
    sign = rng.choice([-1.0, 1.0], n + 1)
    initial = spin.rotation_matrix(n, model.theta) @ sign / np.sqrt(n + 1)
    time, channel = np.full(size, 0.1), np.resize([0, 1, 2, 2, 0], size)
    if kind == "of another model":
        other = tb.Battery(n, 1.2, 10.0 * n, 3.0, 1.0, 5.0).charge()
        one = tb.mcsolve(other, [0.2], 1, seed=1, keep_clicks=True).clicks
        time, channel = one.time[:size], one.channel[:size].astype(int)
        assert time.size == size
    elif kind == "one by one":
        time = np.sort(rng.uniform(0, 0.3, size))
    elif kind == "all at the end":
        time = np.full(size, 3.0)
    clicks = SimpleNamespace(time=time, channel=channel)
    times = np.array([0.5, 1.0]) * time[-1]
    found = tb.filter(model, clicks, times, initial=initial)
    log = np.full(n + 1, -0.5 * np.log(n + 1))
    expected = by_hand(model, log, sign, clicks, times)
    for i, (energy, variance, likelihood) in enumerate(expected):
        assert found.energy[i] == pytest.approx(energy, rel=1e-8)
        assert found.energy_variance[i] == pytest.approx(variance, rel=1e-6)
        assert found.log_likelihood[i] == pytest.approx(likelihood, rel=1e-10)


@pytest.mark.parametrize(
    ("name", "end", "n", "values"),
    [
        ("eq7", 150.0, 400, [1.0]),
        ("eq7", 150.0, 400, [0.7, 1.0, 0.4]),
        ("eq5", 300.0, 200, [1.0]),
        ("eq5", 300.0, 200, [0.5]),
    ],
)
def test_many_clicks_against_the_dense_twin(name, end, n, values):
    (case,) = (case for case in dense.cases() if case.name == name)
    case = case._replace(initial=tb.ground_state(case.model.n_atoms), end=end)
    (clicks,) = sampled(case, 4, 1)
    assert len(clicks) > n
    efficiency = by_channel(case.model.channel_names, values)
    seen = detected(clicks[:n], efficiency, np.random.default_rng(5))
    times = np.array([0.0, 0.4, 0.7, 1.0]) * seen[-1][0]
    check(case, seen, efficiency, times, efficiency)


def test_detectors_that_miss_next_to_nothing():
    model = tb.Battery(100, 1.87, 1000.0, gamma_plus=10.0).charge()
    clicks = tb.mcsolve(model, [0.5], 1, seed=5, keep_clicks=True).clicks
    assert len(clicks) > 1000
    times = np.array([0.02, 0.25, 0.5])
    best, nearly = (tb.filter(model, clicks, times, eta) for eta in (1.0, 1.0 - 1e-12))
    np.testing.assert_allclose(nearly.energy, best.energy, rtol=1e-7)
    np.testing.assert_allclose(nearly.energy_variance, best.energy_variance, rtol=1e-5)
    np.testing.assert_allclose(nearly.log_likelihood, best.log_likelihood, rtol=1e-8)


@pytest.mark.parametrize("efficiency", [1.0, 0.5])
def test_dark_times(efficiency):
    # No click for as long as thousands are expected, and then one.
    for model, end, name in [
        (tb.Battery(100, 1.87, 1000.0, gamma_plus=10.0).charge(), 2.0, "red"),
        (tb.Battery(40, 1.87, 400.0, gamma_plus=10.0).discharge(), 3.0, "all"),
        (tb.Battery(4, 1.2, 30.0).charge(secular=False), 50.0, "all"),
    ]:
        initial = tb.coherent_state(model.n_atoms, 2.0)
        for clicks in (record(), record((end, name))):
            once, often = (
                tb.filter(model, clicks, times, efficiency, initial)
                for times in ([end], np.linspace(0, end, 301))
            )
            assert once.energy[0] == pytest.approx(often.energy[-1], rel=1e-8)
            assert once.log_likelihood[0] == pytest.approx(often.log_likelihood[-1], rel=1e-9)


@pytest.mark.parametrize("end", [5.0, 50.0, 200.0])
def test_dark_times_under_eq5(end):
    battery = tb.Battery(4, 1.2, 30.0)
    hamiltonian, jumps, _ = dense.driving(battery, np.inf)
    lost = hamiltonian - 0.5j * jumps["all"].conj().T @ jumps["all"]
    turn = expm(-1j * lost * end / 1000)
    psi, log = np.eye(5)[0], 0.0
    for _ in range(1000):
        psi = turn @ psi
        norm = np.linalg.norm(psi)
        psi, log = psi / norm, log + 2 * np.log(norm)
    found = tb.filter(battery.charge(secular=False), record(), [end])
    assert found.log_likelihood[0] == pytest.approx(log, abs=1e-6)
    assert found.energy[0] == pytest.approx(np.abs(psi) ** 2 @ np.arange(5), abs=1e-7)


def test_a_record_of_another_battery():
    # A level that holds 1e-18 of the initial state may be the one that counts.
    n = 300
    other = tb.Battery(n, 1.2, 10.0 * n, 3.0, 1.0, 5.0).charge()
    one = tb.mcsolve(other, [0.12], 1, seed=1, keep_clicks=True).clicks
    clicks = SimpleNamespace(time=one.time, channel=one.channel.astype(int))
    model = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0).charge()
    found = tb.filter(model, clicks, [0.12])
    ((energy, variance, log),) = by_hand(model, *dressed_ground_state(model), clicks, [0.12])
    assert found.energy[0] == pytest.approx(energy, rel=1e-7)
    assert found.energy_variance[0] == pytest.approx(variance, rel=1e-5)
    assert found.log_likelihood[0] == pytest.approx(log, rel=1e-9)


@pytest.mark.parametrize("n", [20, 100, 300])
def test_narrow_states_between_stages(n):
    # Populations of most levels are zero, or less by rounding.
    battery = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0)
    short = tb.Protocol([(battery.charge(), 1e-9), (battery.discharge(), 1.0)])
    for efficiency in (1.0, 0.5):
        options = dict(initial=tb.excited_state(n), efficiency=efficiency)
        found = tb.filter(short, record(), [1e-9, 1.0], **options)
        assert found.energy[0] == pytest.approx(n)
    charge, discharge = (battery.charge(), battery.charging_time), (battery.discharge(), 6.0 / n)
    cycle = tb.Protocol([charge, discharge, charge])
    runs = tb.mcsolve(cycle, [cycle.duration], 3, seed=1, keep_clicks=True)
    for i in range(3):
        one = runs.replay(i)
        found = tb.filter(cycle, one.clicks, [cycle.duration])
        assert found.energy[0] == pytest.approx(one.energy[0], rel=1e-7)


def test_a_result_shows_itself():
    battery = tb.Battery(3, 1.87, 9.0, gamma_plus=4.0)
    cycle = tb.Protocol(
        [(battery.charge(), 0.5), (battery.store(), 0.2), (battery.discharge(), 0.3)]
    )
    found = tb.filter(cycle, record((0.1, "blue"), (0.2, "blue"), (0.9, "dis")), [0.5, 1.0], 0.5)
    card = str(found).splitlines()
    assert card[0] == "FilterResult: charge, store, discharge, N = 3"
    assert card[1].split(maxsplit=1) == ["clicks", "red 0, center 0, blue 2, dis 1"]
    assert len(card) == 5
    assert found.channels == ("red", "center", "blue", "dis")
    np.testing.assert_array_equal(found.efficiency, 0.5)
    np.testing.assert_array_equal(found.click_channel, [2, 2, 3])
    assert found.rates.shape == (4, 2)
    assert np.all(found.rates[3, 0] == 0.0)
    assert np.all(found.rates[:3, 1] == 0.0)
    stored = tb.filter(battery.store(), record(), [0.0, 1.0])
    assert "none" in str(stored)
    np.testing.assert_allclose(stored.log_likelihood, 0.0, atol=1e-12)
    np.testing.assert_allclose(stored.energy, stored.energy[0], rtol=1e-12)


def test_clicks_of_any_kind():
    battery = tb.Battery(3, 1.87, 9.0, gamma_plus=4.0)
    model, times = battery.charge(), [0.5]
    names = record((0.1, "blue"), (0.2, "center"), (0.3, "red"))
    expected = tb.filter(model, names, times)
    indices = SimpleNamespace(time=[0.1, 0.2, 0.3], channel=np.array([2, 1, 0], dtype=np.uint8))
    shuffled = SimpleNamespace(
        time=np.array([0.1, 0.2, 0.3]), channel=[1, 2, 0], channels=("red", "blue", "center")
    )
    table = np.rec.fromarrays([[0.1, 0.2, 0.3], ["blue", "center", "red"]], names="time,channel")
    for clicks in (indices, shuffled, table):
        found = tb.filter(model, clicks, times)
        assert found.log_likelihood[0] == expected.log_likelihood[0]
        np.testing.assert_array_equal(found.click_channel, [2, 1, 0])
    kept = names.time.copy()
    tb.filter(model, names, times, 0.5)
    np.testing.assert_array_equal(names.time, kept)


def refused(clicks, message, model=None, times=(0.1, 0.6), error=ValueError, **options):
    model = model or tb.Battery(3, 1.87, 9.0, gamma_plus=4.0).charge()
    with pytest.raises(error) as caught:
        tb.filter(model, clicks, times, **options)
    assert str(caught.value) == message


def test_clicks_that_are_wrong():
    refused(
        record((0.1, "red"), (0.3, "blue"), (0.2, "red")),
        "clicks must be in the order of time, but click 2 at 0.2 follows one at 0.3",
    )
    refused(
        record((0.1, "red"), (0.7, "blue")),
        "clicks must end by 0.6, but click 1 is at 0.7",
    )
    refused(record((-0.1, "red")), "clicks must have finite times >= 0, but click 0 is at -0.1")
    refused(
        record((0.1, "red"), (np.nan, "red")),
        "clicks must have finite times >= 0, but click 1 is at nan",
    )
    refused(
        record((0.1, "red"), (0.2, "green")),
        "clicks must be of the channels 'red', 'center', 'blue', but click 1 is of 'green'",
    )
    for wrong in (3, -1):
        refused(
            record((0.1, 0), (0.2, wrong)),
            f"clicks must be of the channels 'red', 'center', 'blue', but click 1 is of {wrong}",
        )
    refused(
        SimpleNamespace(time=[0.1], channel=[0], channels=("dis",)),
        "clicks must be of the channels 'red', 'center', 'blue', but click 0 is of 'dis'",
    )
    refused(
        record((0.1, 0.5)),
        "clicks must have the name of a channel each, or its number among `channels`, "
        "but click 0 has 0.5",
        error=TypeError,
    )
    refused(
        SimpleNamespace(time=["soon"], channel=["red"]),
        "clicks must have a number for each time, but have <U4",
        error=TypeError,
    )
    refused(
        SimpleNamespace(time=[0.1, 0.2], channel=["red"]),
        "clicks must have one trajectory, time and channel each, "
        "but the shapes are (2,), (2,) and (1,)",
    )
    refused(
        SimpleNamespace(time=[0.1, 0.2], channel=["red", None]),
        "clicks must have the name of a channel each, or its number among `channels`, "
        "but click 1 has None",
        error=TypeError,
    )
    refused(
        [(0.1, "red")],
        "`clicks` must have the arrays `time` and `channel`, but is a list",
        error=TypeError,
    )
    runs = tb.mcsolve(tb.Battery(3, 1.87, 9.0).charge(), [0.6], 5, seed=1, keep_clicks=True)
    refused(
        runs.clicks,
        "`clicks` must be of one trajectory, such as clicks.of_trajectory(0), but are of 5",
    )


def test_clicks_that_cannot_be():
    battery = tb.Battery(3, 1.87, 9.0, gamma_0=0.0, gamma_plus=4.0)
    rule = "`clicks` must be possible under the model, but click"
    zero = "has probability zero"
    up = record(*((0.1 * (i + 1), "red") for i in range(5)))
    for efficiency in (1.0, [0.5, 0.5, 1.0]):
        refused(up, f"{rule} 3 (red at t = 0.4) {zero}", battery.charge(), efficiency=efficiency)
        refused(
            record((0.05, "blue"), (0.2, "center")),
            f"{rule} 1 (center at t = 0.2) {zero}",
            battery.charge(),
            efficiency=efficiency,
        )
    refused(
        record((0.05, "red"), (0.2, "blue")),
        f"{rule} 1 (blue at t = 0.2) {zero}",
        battery.charge(),
        efficiency=[0.5, 0.5, 0.0],
    )
    # After four photons three atoms are empty, however many were missed.
    four = record(*((0.1 * (i + 1), "all") for i in range(4)))
    for efficiency in (1.0, 0.5):
        refused(
            four,
            f"{rule} 3 (all at t = 0.4) {zero}",
            battery.discharge(1.0),
            initial=tb.coherent_state(3, 0.5, 1.0),
            efficiency=efficiency,
        )
    driven = tb.Battery(1, 1.2, 5.0).charge(secular=False)
    refused(record((0.0, "all")), f"{rule} 0 (all at t = 0) {zero}", driven)
    for efficiency in (1.0, 0.5):
        refused(
            record((0.3, "all"), (0.3, "all")),
            f"{rule} 1 (all at t = 0.3) {zero}",
            driven,
            efficiency=efficiency,
        )
    refused(record((0.3, "all")), f"{rule} 0 (all at t = 0.3) {zero}", driven, efficiency=0.0)
    cycle = tb.Protocol(
        [(battery.charge(), 0.25), (battery.store(), 0.25), (battery.discharge(1.0), 0.5)]
    )
    for time, name, stage in [
        (0.1, "dis", "charge"),
        (0.25, "dis", "charge"),
        (0.3, "red", "store"),
        (0.3, "dis", "store"),
        (0.6, "red", "discharge"),
    ]:
        for efficiency in (1.0, 0.5):
            refused(
                record((0.1, "blue"), (time, name)),
                f"{rule} 1 ({name} at t = {time:g}) {zero} during '{stage}'",
                cycle,
                efficiency=efficiency,
            )
    dis = [(0.1, "blue"), *((0.6 + 0.05 * i, "dis") for i in range(5))]
    for efficiency in (1.0, 0.5):
        refused(
            record(*dis), f"{rule} 4 (dis at t = 0.75) {zero}", cycle, (1.0,), efficiency=efficiency
        )
    refused(
        record((0.3, "red")),
        "clicks must be of the channels none, but click 0 is of 'red'",
        battery.store(),
    )


def test_efficiencies_that_are_wrong():
    for efficiency, error, message in [
        (-0.1, ValueError, "`efficiency` must lie in [0, 1.0], but is -0.1"),
        (1.1, ValueError, "`efficiency` must lie in [0, 1.0], but is 1.1"),
        (np.nan, ValueError, "`efficiency` must lie in [0, 1.0], but is nan"),
        ([0.5, 0.5, 2.0], ValueError, "`efficiency` must lie in [0, 1.0], but is 2.0"),
        ("high", TypeError, "`efficiency` must lie in [0, 1.0], but is 'high'"),
        ({"red": 1.0}, ValueError, "`efficiency` must name every channel, but lacks 'center'"),
        (
            {"red": 1.0, "green": 0.5},
            ValueError,
            "`efficiency` must be 'red', 'center' or 'blue', but is 'green'",
        ),
        (
            [0.5, 0.5],
            ValueError,
            "`efficiency` must be one number or one for each of 3 channels, but has the shape (2,)",
        ),
    ]:
        refused(record(), message, error=error, efficiency=efficiency)
    battery = tb.Battery(3, 1.0, 2.0)
    refused(
        record(),
        f"`model` must be a model such as battery.charge(), but is {battery!r}",
        battery,
        error=TypeError,
    )
    cycle = tb.Protocol([(battery.charge(), 0.25)])
    refused(record(), "`tlist` must end by the end of the protocol, 0.25, but ends at 0.6", cycle)


def test_nobody_watched_after_the_record():
    model = tb.Battery(20, 1.87, 200.0, gamma_plus=10.0).charge()
    clicks = tb.mcsolve(model, [0.1], 1, seed=1, keep_clicks=True).clicks
    with pytest.raises(ValueError, match="`tlist` must end by the end of the record"):
        tb.filter(model, clicks, [0.05, 0.2])
    assert tb.filter(model, clicks, [0.1 * (1 + 1e-13)]).energy.size == 1
    # Clicks that do not say how long they were watched go on in the dark.
    bare = SimpleNamespace(time=clicks.time, channel=clicks.channel)
    hand_made = tb.Clicks(clicks.trajectory, clicks.time, clicks.channel, clicks.channels)
    a, b = (tb.filter(model, one, [0.05, 0.2]).log_likelihood for one in (bare, hand_made))
    np.testing.assert_array_equal(a, b)


def test_a_click_at_a_boundary_is_of_the_stage_that_can_emit_it():
    battery = tb.Battery(3, 1.87, 30.0, gamma_plus=5.0)
    cycle = tb.Protocol([(battery.charge(), 0.2), (battery.store(), 0.1), (battery.discharge(), 1)])
    start, end = cycle.stages()[2].start, cycle.duration
    found = tb.filter(cycle, record((start, "dis")), [end]).log_likelihood[0]
    just_after = tb.filter(cycle, record((start + 1e-9, "dis")), [end]).log_likelihood[0]
    assert found == pytest.approx(just_after, abs=1e-6)
    # One that the stage before can emit is its own, and one that neither can is impossible.
    end = cycle.stages()[0].end
    tb.filter(cycle, record((end, "red")), [0.5])
    with pytest.raises(
        ValueError, match=r"click 0 \(dis at .*\) has probability zero during 'char"
    ):
        tb.filter(cycle, record((end, "dis")), [0.5])

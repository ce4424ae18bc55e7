"""The filter behind detectors that miss photons and click in the dark."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from oracle import dense
from oracle.records import by_channel, check, check_result, detected, record, sampled
from scipy import stats

import trajbatt as tb

SLOW = pytest.mark.slow
CASES = dense.parameters()


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


@pytest.mark.parametrize("case", CASES)
def test_cross_talk_and_dark_counts_of_other_stages_against_the_dense_twin(case):
    # Every detector is on at all times, also in stages whose light is not its own.
    names = case.model.channel_names
    rng = np.random.default_rng(3)
    efficiency, dark = by_channel(names, [0.9, 0.6, 0.8]), by_channel(names, [0.3, 0.7])
    detectors = tb.Detectors(efficiency, dark, crosstalk=0.2)
    routes = np.eye(1) if len(names) == 1 else detectors.response(names)[0] / [*efficiency.values()]
    by_name = {(a, b): routes[i, j] for i, a in enumerate(names) for j, b in enumerate(names)}
    (clicks,) = sampled(case, 7, 1)
    clicks += [(t, str(rng.choice(names))) for t in rng.uniform(0, case.end, 4)]
    times = np.array([0.0, 0.25, 0.6, case.end])
    found = tb.filter(
        case.model, record(*sorted(clicks)), times, initial=case.initial, detectors=detectors
    )
    check_result(case, sorted(clicks), efficiency, found, dark, by_name)


def test_detectors_have_one_description():
    model = tb.Battery(3, 1.4, 9.0, gamma_plus=4.0).charge()
    clicks, times = record((0.1, "red"), (0.2, "blue")), [0.3]
    short = tb.filter(model, clicks, times, 0.4, dark_rate=[0.1, 0.2, 0.3])
    long = tb.filter(model, clicks, times, detectors=tb.Detectors(0.4, [0.1, 0.2, 0.3]))
    assert short.log_likelihood[0] == long.log_likelihood[0]
    np.testing.assert_array_equal(long.efficiency, 0.4)
    np.testing.assert_array_equal(long.dark_rate, [0.1, 0.2, 0.3])
    for wrong, error, message in [
        (tb.Detectors(dead_time=0.1), ValueError, "`detectors` must have no dead_time"),
        (tb.Detectors(jitter=0.1), ValueError, "`detectors` must have no jitter"),
        (0.4, TypeError, "`detectors` must be `Detectors`, but is 0.4"),
    ]:
        with pytest.raises(error, match=message):
            tb.filter(model, clicks, times, detectors=wrong)
    with pytest.raises(ValueError, match="must be left out where `detectors` are"):
        tb.filter(model, clicks, times, 0.4, detectors=tb.Detectors(0.4))


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "end", "n"),
    [
        pytest.param(tb.Battery(8, 1.87, 40.0, gamma_plus=6.0).charge(), 0.2, 800, id="eq7"),
        pytest.param(
            tb.Battery(8, 1.87, 40.0, gamma_plus=6.0).discharge(),
            0.2,
            800,
            id="eq5-off",
        ),
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("efficiency", "dark"),
    [pytest.param(1.0, 0.0, marks=SLOW), pytest.param(0.6, 0.0, marks=SLOW), (0.6, 0.3)],
)
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


def test_detectors_that_miss_next_to_nothing():
    model = tb.Battery(100, 1.87, 1000.0, gamma_plus=10.0).charge()
    clicks = tb.mcsolve(model, [0.5], 1, seed=5, keep_clicks=True).clicks
    assert len(clicks) > 1000
    times = np.array([0.02, 0.25, 0.5])
    best, nearly = (tb.filter(model, clicks, times, eta) for eta in (1.0, 1.0 - 1e-12))
    np.testing.assert_allclose(nearly.energy, best.energy, rtol=1e-7)
    np.testing.assert_allclose(nearly.energy_variance, best.energy_variance, rtol=1e-5)
    np.testing.assert_allclose(nearly.log_likelihood, best.log_likelihood, rtol=1e-8)


@pytest.mark.slow
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

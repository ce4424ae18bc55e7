"""Many stages of ladders by tensors, against coherence orders one stage after the other."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.exact import ladder_tensors, master_equation


def difference(model, times, **options):
    """Return how far tensors are from coherence orders, on the scale on which `rtol` is meant."""
    found = tb.mesolve(model, times, **options)
    assert found.method == "tensors"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(master_equation, "by_tensors", lambda *_: None)
        exact = tb.mesolve(model, times, **options | {"rtol": 1e-13})
    assert exact.method == "ladder"
    n, photons = model.n_atoms, max(1.0, exact.counts[:, -1].sum())
    scales = {"energy": n, "energy_variance": n, "dipole": n, "products": n**2, "counts": photons}
    np.testing.assert_array_equal(found.spin_distribution, exact.spin_distribution)
    return max(
        np.abs(getattr(found, name) - getattr(exact, name)).max(initial=0.0) / scale
        for name, scale in scales.items()
    )


def protocol_of(rng, n):
    """Return some random stages, and times in and between them, also at their boundaries."""
    stages, ends = [], [0.0]
    for _ in range(rng.integers(4, 9)):
        rates = rng.exponential(1.0, 3) * (rng.random(3) < 0.8)
        names = dict(zip(("gamma_0", "gamma_plus", "gamma_minus"), rates, strict=True))
        theta = rng.choice([0.0, np.pi, rng.uniform(0.0, np.pi)])
        warm = 0.3 * rng.integers(2)
        battery = tb.Battery(n, theta, rng.exponential(1e3), thermal_plus=warm, **names)
        model = rng.choice([battery.charge(), battery.store(), battery.discharge()])
        stages.append((model, rng.exponential(2.0) / n))
        ends.append(ends[-1] + stages[-1][1])
    times = np.unique([*ends[:-2:2], *rng.uniform(0.0, ends[-1], 6), ends[-1]])
    return tb.Protocol(stages), times


@pytest.mark.parametrize("seed", range(20))
def test_random_stages(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.choice([1, 2, 3, 7, 20, 60]))
    model, times = protocol_of(rng, n)
    initial = tb.coherent_state(n, *rng.uniform(0.0, np.pi, 2))
    for rtol in (1e-6, 1e-10):
        assert difference(model, times, initial=initial, rtol=rtol) < rtol


def ramp(n, stages=40):
    """Return a ramp of theta, and times."""
    battery = tb.Battery(n, 1.87, 20.0 * n, gamma_plus=10.0)
    duration = battery.charging_time
    return battery.ramp(duration, theta=(0.6, 2.4), stages=stages), np.linspace(0.0, duration, 33)


@pytest.mark.parametrize("direction", [(0.3, 1.0), (np.pi, 0.0), (2.0, 4.0)])
def test_ramps_from_coherent_states(direction):
    model, times = ramp(60)
    assert difference(model, times, initial=tb.coherent_state(60, *direction)) < 1e-10


def test_fewer_ranks_are_not_enough(monkeypatch):
    model, times = ramp(60)
    assert difference(model, times, rtol=1e-8) < 1e-8
    monkeypatch.setattr(ladder_tensors, "ELSEWHERE", (0.4, 1.0))
    assert difference(model, times, rtol=1e-8) > 1e-6


def test_channels_of_the_user():
    channels = [
        tb.Channel("a", rate=0.3, shift=-1),
        tb.Channel("b", rate=0.2, shift=-1),
        tb.Channel("c", rate=0.1, shift=1, photons=-1),
    ]
    models = [
        tb.LadderModel("mine", 12, theta, 3.0, channels) for theta in (0.2, 0.9, 1.7, 1.7, 0.0)
    ]
    protocol = tb.Protocol([(one, 0.1) for one in models])
    assert difference(protocol, [0.03, 0.1, 0.27, 0.5]) < 1e-11


def test_more_atoms_than_fit_a_density_matrix():
    battery = tb.Battery(2500, 1.87, 1e6)
    duration = battery.charging_time
    protocol = tb.Protocol([(battery.charge(), duration), (battery.discharge(), duration / 4)])
    times = duration * np.array([0.3, 1.0, 1.2])
    exact = tb.mesolve(protocol, times)
    assert exact.method == "tensors"
    alone = tb.mesolve(battery.charge(), times[:2])
    np.testing.assert_allclose(exact.energy[:2], alone.energy, rtol=1e-10)
    np.testing.assert_allclose(exact.energy_variance[:2], alone.energy_variance, rtol=1e-8)
    runs = tb.mcsolve(protocol, times, 200, seed=5)
    assert tb.compare(runs, exact).p_value > 1e-3


@pytest.mark.parametrize(
    ("change", "stages"),
    [({}, 3), ({"keep_states": True}, 5), ({"initial": np.eye(11)[4] + 0j}, 5)],
)
def test_what_is_left_to_coherence_orders(change, stages):
    model, times = ramp(10, stages)
    assert tb.mesolve(model, times, **change).method == "ladder"


@pytest.mark.parametrize("rtol", [1e-6, 1e-10])
@pytest.mark.parametrize("n", [300, 2500])
def test_long_stages(n, rtol, monkeypatch):
    # In long blocks rounding errors of many atoms explode.
    first, second = (tb.Battery(n, theta, 1e3).charge() for theta in (0.3, 1.0))
    duration = 100.0 / n
    stages = [(first, duration)] + [(second, 1e-3 / n)] * (39 if n < 2000 else 1)
    protocol, ground = tb.Protocol(stages), tb.ground_state(n)
    alone = tb.mesolve(first, [duration], initial=ground, rtol=1e-13)

    def off():
        found = tb.mesolve(protocol, [duration, protocol.duration], initial=ground, rtol=rtol)
        assert found.method == "tensors"
        difference = found.energy[0] - alone.energy[0], found.dipole[0] - alone.dipole[0]
        variance = found.energy_variance[0] - alone.energy_variance[0]
        return np.abs([*difference, variance]).max() / n

    assert off() < max(rtol, 5e-14 * n)
    monkeypatch.setattr(ladder_tensors, "LONGEST", 150.0)
    with np.errstate(all="ignore"):
        assert not off() < 1e3 * rtol


def test_photons_of_a_long_dark_stage():
    def lowering(theta):
        return tb.LadderModel("l", 5, theta, 1.0, [tb.Channel("a", shift=1, rate=1.0)])

    stages = [(lowering(2.0), 0.02), (lowering(np.pi), 600.0)] + [(lowering(2.0), 0.02)] * 38
    model = tb.Protocol(stages)
    assert difference(model, [0.02, 600.02, model.duration], rtol=1e-6) < 1e-6


@pytest.mark.parametrize("angle", [1e-5, 1e-7, 1e-9])
def test_starts_that_are_nearly_at_a_pole(angle):
    for first in (angle, np.pi - angle):
        models = [tb.Battery(100, theta, 1e3).charge() for theta in (first, 0.5, 1.0, 2.0)]
        protocol = tb.Protocol([(one, 0.003) for one in models])
        assert difference(protocol, [1e-4, 0.01]) < 1e-10

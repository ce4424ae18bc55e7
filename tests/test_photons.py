"""Statistics of clicks: by hand, against their exact twins, and with honest errors."""

import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.polynomial.legendre import leggauss
from scipy import stats

import trajbatt as tb
from trajbatt import counting, photons
from trajbatt.photons import currents, moments

NAMES = ("a", "b", "c")

# By hand ------------------------------------------------------------------------------------------


def hand_made(seed, ntraj=7, first=3, most=12, together=False):
    """Clicks at multiples of 1/16 up to 4, `together` if some of one record may coincide."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, most, ntraj) * (rng.random(ntraj) < 0.8)
    times = [np.sort(rng.choice(np.arange(1, 65), n, replace=together)) / 16 for n in sizes]
    return tb.Clicks(
        trajectory=first + np.repeat(np.arange(ntraj), sizes),
        time=np.concatenate(times),
        channel=rng.integers(0, 3, sizes.sum()).astype(np.int8),
        channels=NAMES,
        first=first,
        ntraj=ntraj,
        duration=4.25,
    )


def no_clicks(ntraj):
    return replace(hand_made(0).where(slice(0)), first=2, ntraj=ntraj)


DISTINCT = [hand_made(1), hand_made(2, first=0), hand_made(3, ntraj=2), hand_made(4, ntraj=20)]
ALONE = [hand_made(5, ntraj=1, most=30), hand_made(6, ntraj=1, most=50), no_clicks(1)]
RECORDS = [*DISTINCT, *ALONE, hand_made(7, most=40, together=True), no_clicks(4)]


def tracks(clicks):
    """The (time, channel) of each click, a list for each trajectory."""
    found = [[] for _ in range(clicks.ntraj)]
    for trajectory, at, channel in zip(clicks.trajectory, clicks.time, clicks.channel, strict=True):
        found[trajectory - clicks.first].append((at, clicks.channels[channel]))
    return found


def is_of(name, channel):
    return channel in (name, "total")


def number(track, channel, start, stop):
    return sum(is_of(name, channel) and start < at <= stop for at, name in track)


def mean_and_sem(values):
    values = np.asarray(values, dtype=float)
    n = len(values)
    sem = values.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.full(values.shape[1:], np.nan)
    return values.mean(axis=0), sem


def fraction(hits, ntraj):
    value = np.asarray(hits) / ntraj
    return value, np.sqrt(value * (1 - value) / ntraj)


def weighted(value, n):
    """A statistic of n trajectories, given as a function of their weights, and its error."""
    step = 1e-4 * np.eye(n)
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes = [(value(1 + up) - value(1 - up)) / 2e-4 for up in step]
        sem = n * np.std(slopes, axis=0) / np.sqrt(n - 1) if n > 1 else None
        return value(np.ones(n)), sem


def next_by_hand(clicks, first, wanted, start, stop):
    """The fraction of the first clicks after which comes one that is `wanted`."""
    firsts, found = np.zeros((2, clicks.ntraj))
    for k, track in enumerate(tracks(clicks)):
        for i, (at, name) in enumerate(track):
            if is_of(name, first) and start < at <= stop:
                firsts[k] += 1
                if i + 1 < len(track):
                    found[k] += wanted(track[i + 1][0] - at, track[i + 1][1])
    return weighted(lambda w: w @ found / (w @ firsts), clicks.ntraj)


def of_pairs(within, across):
    """What pairs within trajectories are to those across: functions of the weights."""
    n = len(within)

    def value(w):
        own = np.tensordot(w, within, 1) / w.sum()
        other = np.einsum("p,q,pq...->...", w, w, across) / (w.sum() ** 2 - w @ w)
        return np.where(other > 0, own / other, np.nan)

    return weighted(value, n)


def g2_by_hand(clicks, edges, a, b, start, stop):
    n, n_bins = clicks.ntraj, len(edges) - 1
    pairs = np.zeros((n, n, n_bins))
    for p, one in enumerate(tracks(clicks)):
        for q, other in enumerate(tracks(clicks)):
            for i, (t, x) in enumerate(one):
                for j, (u, y) in enumerate(other):
                    if is_of(x, a) and is_of(y, b) and start < t <= stop and (p != q or i < j):
                        for k in range(n_bins):
                            pairs[p, q, k] += edges[k] <= u - t < edges[k + 1]
    within = np.array([pairs[p, p] for p in range(n)])
    pairs[range(n), range(n)] = 0.0
    if n > 1:
        return of_pairs(within, pairs)
    # One trajectory is as bright at any time.
    firsts = number(tracks(clicks)[0], a, start, stop)
    seconds = number(tracks(clicks)[0], b, -1.0, clicks.duration)
    expected = firsts * seconds / clicks.duration * np.diff(edges)
    with np.errstate(invalid="ignore"):
        return within[0] / expected, None


def same(estimate, expected):
    value, sem = expected
    np.testing.assert_allclose(estimate.value, value, rtol=1e-12, atol=1e-12)
    if sem is not None:
        np.testing.assert_allclose(estimate.sem, sem, rtol=1e-7, atol=1e-9)
    assert estimate.value.shape == estimate.sem.shape


@pytest.mark.parametrize("clicks", RECORDS)
@pytest.mark.parametrize(("start", "stop"), [(0.0, 4.25), (0.5, 3.0), (2.0, 2.0)])
def test_numbers_by_hand(clicks, start, stop):
    found = photons.counts(clicks, stop, start)
    table = [[number(track, name, start, stop) for name in NAMES] for track in tracks(clicks)]
    np.testing.assert_array_equal(found, table)
    assert found.dtype == np.int64
    for channel in ("b", "total"):
        n = np.array([number(track, channel, start, stop) for track in tracks(clicks)])
        hits = [np.sum(n == k) for k in range(n.max() + 1)]
        same(photons.distribution(clicks, stop, channel, start), fraction(hits, clicks.ntraj))
        same(
            photons.factorial_moments(clicks, stop, channel, 3, start),
            mean_and_sem(np.transpose([n, n * (n - 1), n * (n - 1) * (n - 2)])),
        )
    n, m = np.array(table)[:, 2], np.sum(table, axis=1)
    hits = [[np.sum((n == j) & (m == k)) for k in range(max(m) + 1)] for j in range(max(n) + 1)]
    joint = photons.joint_distribution(clicks, stop, ("c", "total"), start)
    same(joint, fraction(hits, clicks.ntraj))
    assert joint.value.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("clicks", RECORDS)
@pytest.mark.parametrize("start", [0.0, 1.5])
@pytest.mark.parametrize("block", [2, 65_536])
def test_moments_by_hand(clicks, start, block, monkeypatch):
    monkeypatch.setattr(moments, "BLOCK", block)
    monkeypatch.setattr(currents, "BLOCK", block)
    ends = np.array([1.5, 2.0, 3.1, 4.25])
    for channel in ("a", "total"):
        n = np.array([[number(one, channel, start, t) for t in ends] for one in tracks(clicks)])
        same(photons.mean(clicks, ends, channel, start), mean_and_sem(n))
        if clicks.ntraj == 1:
            assert np.isnan(photons.variance(clicks, ends, channel, start)).all()
            assert np.isnan(photons.fano(clicks, ends, channel, start)).all()
            continue
        variance, mu_4 = n.var(axis=0, ddof=1), np.mean((n - n.mean(axis=0)) ** 4, axis=0)
        sem = np.sqrt(np.maximum(mu_4 - variance**2, 0.0) / clicks.ntraj)
        same(photons.variance(clicks, ends, channel, start), (variance, sem))
        with np.errstate(invalid="ignore"):
            same(photons.fano(clicks, ends, channel, start), (variance / n.mean(axis=0), None))
    edges = np.append(start, ends) if start < ends[0] else ends
    rates = [
        [
            [number(one, name, *edges[k : k + 2]) / (edges[k + 1] - edges[k]) for k in bins]
            for name in NAMES
        ]
        for bins in [range(edges.size - 1)]
        for one in tracks(clicks)
    ]
    same(photons.photocurrent(clicks, edges), mean_and_sem(rates))


def test_the_error_of_a_fano_factor_by_leaving_one_out():
    clicks = hand_made(8, ntraj=400, most=15)
    n = photons.counts(clicks, 3.0)[:, 1].astype(float)
    for numbers_ in (n, n**2):  # the second is skewed
        records = np.repeat(np.arange(400), numbers_.astype(int))
        some = replace(
            clicks,
            trajectory=records,
            time=np.linspace(0.1, 1.0, records.size),
            channel=np.zeros(records.size, dtype=np.int8),
            first=0,
        )
        without = np.array([np.delete(numbers_, i) for i in range(400)])
        factors = without.var(axis=1, ddof=1) / without.mean(axis=1)
        found = photons.fano(some, [2.0], "a")
        assert found.sem == pytest.approx(np.sqrt(399) * factors.std(), rel=0.05)


@pytest.mark.parametrize("clicks", RECORDS)
def test_next_clicks_by_hand(clicks):
    n = clicks.ntraj
    times = np.array([0.0, 0.125, 0.25, 1.0, 4.25])
    first = [min([at for at, _ in track], default=9.9) for track in tracks(clicks)]
    hits = np.sum(np.array(first)[:, None] <= times, axis=0)
    same(photons.first_click(clicks, times), fraction(hits, n))
    for start in (0.0, 1.0):
        later = [[name for at, name in track if at > start][:1] for track in tracks(clicks)]
        hits = [later.count([name]) for name in NAMES]
        same(photons.next_channel(clicks, start=start), fraction(hits, n))
    edges = np.array([0.0, 0.125, 0.25, 1.0])
    for a, b, window in [
        ("a", "b", (0.0, 3.25)),
        ("c", "c", (0.5, 2.0)),
        ("total", "a", (0.0, 3.25)),
        ("b", "total", (1.0, 3.25)),
    ]:
        start, stop = window
        for bins in (edges, edges[1:]):
            found = photons.waiting_time(clicks, bins, (a, b), start, stop)
            expected = [
                next_by_hand(
                    clicks,
                    a,
                    lambda delay, name, k=k, bins=bins, b=b: (
                        is_of(name, b) and bins[k] <= delay < bins[k + 1]
                    ),
                    start,
                    stop,
                )
                for k in range(len(bins) - 1)
            ]
            value, sem = zip(*expected, strict=True)
            width = np.diff(bins)
            same(found, (value / width, None if n == 1 else sem / width))
        expected = [
            next_by_hand(clicks, a, lambda _, name, c=c: name == c, start, stop) for c in NAMES
        ]
        value, sem = zip(*expected, strict=True)
        same(photons.next_channel(clicks, a, start, stop), (value, None if n == 1 else sem))
    # By default the longest delay ends in the record.
    for found, expected in (
        (
            photons.waiting_time(clicks, edges, ("a", "b")),
            photons.waiting_time(clicks, edges, ("a", "b"), 0.0, 3.25),
        ),
        (photons.next_channel(clicks, "a"), photons.next_channel(clicks, "a", 0.0, 4.25)),
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("clicks", [*DISTINCT, *ALONE, no_clicks(4)])
def test_g2_by_hand(clicks):
    for a, b in [("a", "b"), ("b", "a"), ("c", "c"), ("total", "total"), ("a", "total")]:
        for edges in ([0.0, 0.125, 0.5, 1.25], [0.25, 1.0]):
            found = photons.g2(clicks, edges, (a, b))
            same(found, g2_by_hand(clicks, edges, a, b, 0.0, 4.25 - edges[-1]))
            found = photons.g2(clicks, edges, (a, b), 0.5, 2.5)
            same(found, g2_by_hand(clicks, edges, a, b, 0.5, 2.5))


@pytest.mark.parametrize("clicks", [one for one in RECORDS if one.ntraj > 1])
def test_g2_matrix_by_hand(clicks):
    edges = np.array([0.25, 1.0, 1.5, 4.25])
    for a, b in [("a", "b"), ("c", "c"), ("total", "total"), ("a", "total")]:
        n_a, n_b, both = (
            np.array([[f(track, k) for k in range(3)] for track in tracks(clicks)])
            for f in (
                lambda track, k, a=a: number(track, a, *edges[k : k + 2]),
                lambda track, k, b=b: number(track, b, *edges[k : k + 2]),
                lambda track, k, a=a, b=b: sum(
                    is_of(x, a) and is_of(x, b) and edges[k] < t <= edges[k + 1] for t, x in track
                ),
            )
        )
        across = np.einsum("pi,qj->pqij", n_a, n_b).astype(float)
        within = np.array([across[p, p] - np.diag(both[p]) for p in range(clicks.ntraj)])
        across[range(clicks.ntraj), range(clicks.ntraj)] = 0.0
        same(photons.g2_matrix(clicks, edges, (a, b)), of_pairs(within, across))


def test_many_trajectories_in_groups():
    clicks = hand_made(9, ntraj=150, most=8)
    edges = [0.0, 0.25, 1.0]
    found = photons.g2(clicks, edges, ("a", "total"))
    value, sem = g2_by_hand(clicks, edges, "a", "total", 0.0, 3.25)
    np.testing.assert_allclose(found.value, value, rtol=1e-12)
    assert np.all(np.abs(np.log(found.sem / sem)) < 0.4)
    value, sem = next_by_hand(clicks, "a", lambda _, name: name == "b", 0.0, 4.25)
    found = photons.next_channel(clicks, "a")
    assert found.value[1] == pytest.approx(value)
    assert abs(np.log(found.sem[1] / sem)) < 0.4
    one, other = (photons.g2_matrix(clicks, [0.0, 4.25], (c, "total")) for c in ("a", "total"))
    n = photons.counts(clicks)
    for found, a in ((one, n[:, 0]), (other, n.sum(axis=1))):
        pairs, total = a * (n.sum(axis=1) - 1), np.outer(a, n.sum(axis=1)).astype(float)
        np.fill_diagonal(total, 0.0)
        value, sem = of_pairs(pairs, total)
        assert found.value[0, 0] == pytest.approx(value)
        assert abs(np.log(found.sem[0, 0] / sem)) < 0.4


def test_clicks_at_the_ends_of_a_window():
    clicks = tb.Clicks(
        np.zeros(4, dtype=int),
        np.array([0.0, 1.0, 2.0, 3.0]),
        np.zeros(4, dtype=np.int8),
        ("a",),
    )
    # (start, end]: a click belongs to the bin that ends with it.
    assert photons.counts(clicks, 2.0, 1.0) == 1
    assert photons.counts(clicks) == 3
    np.testing.assert_array_equal(photons.photocurrent(clicks, [0.0, 1.0, 3.0]).value, [[1.0, 1.0]])
    np.testing.assert_array_equal(photons.mean(clicks, [0.5, 1.0, 3.0], "a").value, [0, 1, 3])
    np.testing.assert_array_equal(photons.first_click(clicks, [0.0, 1.0]).value, [1.0, 1.0])
    # Delays belong to the bin that begins with them.
    found = photons.waiting_time(clicks, [0.5, 1.0, 1.5], ("a", "a"))
    np.testing.assert_array_equal(found.value, [0.0, 2.0])


# The exact twins ----------------------------------------------------------------------------------

POINTS, WEIGHTS = leggauss(4)
BATTERY = tb.Battery(4, 1.87, 40.0, gamma_plus=10.0)
DRIVEN = tb.Battery(2, 1.2, 10.0)


def scene(model, off, duration, pair, first, delays, **more):
    usual = {"initial": None, "off_initial": None, "ntraj": 40_000}
    usual["edges"] = np.linspace(0.0, duration, 4)
    return SimpleNamespace(
        model=model,
        off=off,
        duration=duration,
        pair=pair,
        first=first,
        delays=delays,
        **usual | more,
    )


def cycle(battery, gamma):
    return tb.Protocol(
        [(battery.charge(), 0.15), (battery.store(), 0.05), (battery.discharge(gamma), 0.3)]
    )


def scenes():
    """What is watched, and the same with one rate 5 % off; `sure` is what then must not agree."""
    plus, minus = replace(BATTERY, gamma_plus=10.5), replace(BATTERY, gamma_minus=1.05)
    fast = tb.Battery(2, 1.2, 10.0, 1.05, 1.05, 1.05)
    steady, off_steady = (tb.steady_state(one.charge()) for one in (BATTERY, minus))
    delays = np.linspace(0.0, 0.4, 7)
    return {
        "charge": scene(
            BATTERY.charge(), plus.charge(), 1.6, ("red", "blue"), (0.0, 1.2), delays,
            sure="mean photocurrent waiting_time g2 g2_matrix",
        ),
        "steady": scene(
            BATTERY.charge(), minus.charge(), 1.6, ("red", "blue"), (0.0, 1.2), delays,
            initial=steady, off_initial=off_steady,
            sure="mean variance factorial_moments photocurrent next_after g2 g2_matrix",
        ),
        "driven": scene(
            DRIVEN.charge(secular=False), fast.charge(secular=False), 4.0, ("all", "all"),
            (0.0, 3.0), np.linspace(0.0, 1.0, 5), edges=np.linspace(0.0, 1.5, 4), ntraj=8_000,
            sure="mean distribution factorial_moments",
        ),
        "discharge": scene(
            BATTERY.discharge(), BATTERY.discharge(1.05), 1.0, ("all", "all"), (0.0, 0.6), delays,
            initial=tb.excited_state(4), off_initial=tb.excited_state(4),
            sure="mean variance fano distribution factorial_moments photocurrent first_click "
            "waiting_time g2_matrix",
        ),
        # Windows and delays that do not cross into the next stage.
        "cycle": scene(
            cycle(BATTERY, 1.0), cycle(plus, 1.05), 0.5, ("blue", "dis"), (0.05, 0.15),
            np.linspace(0.15, 0.35, 4), edges=np.array([0.0, 0.15, 0.2, 0.35, 0.5]),
            sure="mean variance distribution joint photocurrent",
        ),
    }  # fmt: skip


def mean_in_bins(values):
    return (values.reshape(-1, POINTS.size) * WEIGHTS).sum(axis=1) / 2


def g2_in_bins(model, delays, pair, initial, first):
    pairs = counting.correlation(model, delays, pair, initial, first)
    product = pairs / counting.g2(model, delays, pair, initial, first)
    return mean_in_bins(pairs) / mean_in_bins(product)


def seen(clicks, s):
    """Every statistic of the clicks of a scene, by its name."""
    a, end, ends = s.pair[1], s.duration, s.duration * np.linspace(0.2, 1.0, 5)
    joint = {} if len(clicks.channels) == 1 else {
        "joint": photons.joint_distribution(clicks, end, s.pair, end / 10)
    }  # fmt: skip
    after = {} if isinstance(s.model, tb.Protocol) or len(clicks.channels) == 1 else {
        "next_after": photons.next_channel(clicks, a, 0.0, end / 4)
    }  # fmt: skip
    return joint | after | {
        "mean": photons.mean(clicks, ends, a),
        "variance": photons.variance(clicks, ends, a),
        "fano": photons.fano(clicks, ends, a, end / 10),
        "distribution": photons.distribution(clicks, end, a, end / 10),
        "factorial_moments": photons.factorial_moments(clicks, end, a, 3, end / 10),
        "photocurrent": photons.photocurrent(clicks, s.edges),
        "first_click": photons.first_click(clicks, ends / 10),
        "next": photons.next_channel(clicks, start=end / 10),
        "waiting_time": photons.waiting_time(clicks, s.delays, s.pair, *s.first),
        "g2": photons.g2(clicks, s.delays, s.pair, *s.first),
        "g2_matrix": photons.g2_matrix(clicks, s.edges, s.pair),
    }  # fmt: skip


def twins(model, initial, s, names):
    a, end, ends = s.pair[1], s.duration, s.duration * np.linspace(0.2, 1.0, 5)
    k = model.channel_names.index(a)
    delays = (s.delays[:-1, None] + np.diff(s.delays)[:, None] * (POINTS + 1) / 2).ravel()
    exact = {
        "mean": lambda: tb.mesolve(model, ends, initial).counts[k],
        "variance": lambda: tb.mesolve(model, ends, initial, covariances=True).counts_covariance[
            k, k
        ],
        "fano": lambda: counting.fano(model, ends, a, initial, end / 10),
        "distribution": lambda: counting.distribution(model, end, a, initial, end / 10),
        "joint": lambda: counting.joint_distribution(model, end, s.pair, initial, end / 10),
        "factorial_moments": lambda: counting.factorial_moments(
            model, end, a, 3, initial, end / 10
        ),
        "photocurrent": lambda: counting.photocurrent(model, s.edges, initial),
        "first_click": lambda: counting.first_click(model, ends / 10, initial),
        "next": lambda: counting.next_channel(model, initial=initial, at=end / 10),
        "next_after": lambda: counting.next_channel(model, a, initial, (0.0, end / 4)),
        "waiting_time": lambda: mean_in_bins(
            counting.waiting_time(model, delays, s.pair, initial, s.first)
        ),
        "g2": lambda: g2_in_bins(model, delays, s.pair, initial, s.first),
        "g2_matrix": lambda: counting.g2_matrix(model, s.edges, s.pair, initial),
    }
    return {name: exact[name]() for name in names}


def p_value(name, estimate, exact, ntraj):
    """One p-value of a statistic; of those that go on in time, by the largest z-score."""
    value, sem = estimate
    if name in ("distribution", "joint"):
        shape = tuple(min(sizes) for sizes in zip(value.shape, exact.shape, strict=True))
        part = tuple(slice(size) for size in shape)
        value, exact = value[part], exact[part]
        sem = np.sqrt(exact * (1 - exact) / ntraj) * (exact * ntraj > 10)
    used = (sem > 0) & np.isfinite(value)
    if name == "g2_matrix" and np.array_equal(value, value.T):
        used &= np.triu(used)
    assert used.any()
    z = (value[used] - np.broadcast_to(exact, value.shape)[used]) / sem[used]
    if name in ("distribution", "joint", "photocurrent", "waiting_time", "g2", "g2_matrix"):
        return stats.chi2.sf((z**2).sum(), z.size)
    return min(1.0, 2 * z.size * stats.norm.sf(np.abs(z).max()))


@pytest.mark.parametrize("name", ["charge", "steady", "driven", "discharge", "cycle"])
def test_trajectories_agree_with_their_exact_twin(name):
    s = scenes()[name]
    if name in ("charge", "steady"):  # so long that all next clicks are seen
        assert counting.survival(s.model, [3 * s.duration / 4], "total", s.initial, (0, 0.4)) < 1e-3
    runs = tb.mcsolve(s.model, [s.duration], s.ntraj, s.initial, seed=1, keep_clicks=True)
    estimates = seen(runs.clicks, s)
    if name in ("driven", "discharge"):
        del estimates["next"]  # a next photon comes for sure, but not within the record
    exact = twins(s.model, s.initial, s, estimates)
    for statistic, estimate in estimates.items():
        found = p_value(statistic, estimate, exact[statistic], s.ntraj)
        assert found > 1e-3, (statistic, found)
    # Negative control: one rate 5 % off.
    off = twins(s.off, s.off_initial, s, s.sure.split())
    for statistic in s.sure.split():
        found = p_value(statistic, estimates[statistic], off[statistic], s.ntraj)
        assert found < 1e-6, (statistic, found)


def test_which_photons_come_at_all_from_a_discharge():
    battery = tb.Battery(2, 2.4, 20.0, gamma_plus=100.0)
    off = replace(battery, gamma_plus=105.0)
    runs = tb.mcsolve(battery.discharge(), [6.0], 400_000, seed=2, keep_clicks=True)
    for after, start, controlled in ((None, 0.0, True), (None, 0.2, True), ("all", 0.0, False)):
        stop = None if after is None else 1.0
        found = photons.next_channel(runs.clicks, after, start, stop)
        window = start if after is None else (start, 1.0)
        exact, wrong = (
            counting.next_channel(one.discharge(), after, at=window) for one in (battery, off)
        )
        assert abs((found.value - exact) / found.sem) < 4
        assert abs((found.value - wrong) / found.sem) > 5 or not controlled


def test_one_long_record_of_the_steady_state():
    model = tb.Battery(3, 1.87, 30.0, gamma_plus=10.0).charge()
    off = tb.Battery(3, 1.87, 30.0, gamma_plus=10.0, gamma_minus=1.05).charge()
    runs = tb.mcsolve(
        model, [60_000.0], 1, initial=tb.steady_state(model), seed=3, keep_clicks=True
    )
    edges = np.linspace(0.0, 0.5, 7)
    delays = (edges[:-1, None] + np.diff(edges)[:, None] * (POINTS + 1) / 2).ravel()
    for name, pair in (("g2", ("red", "blue")), ("waiting_time", ("total", "blue"))):
        found = getattr(photons, name)(runs.clicks, edges, pair)
        expected, wrong = (
            mean_in_bins(getattr(counting, name)(one, delays, pair, tb.steady_state(one)))
            for one in (model, off)
        )
        assert p_value(name, found, expected, 1) > 1e-3
        assert p_value(name, found, wrong, 1) < 1e-6
    found = photons.next_channel(runs.clicks, "blue")
    expected, wrong = (
        counting.next_channel(one, "blue", tb.steady_state(one)) for one in (model, off)
    )
    assert p_value("next", found, expected, 1) > 1e-3
    assert p_value("next", found, wrong, 1) < 1e-6


def test_intensities_of_conditional_states():
    times = np.linspace(0.0, 1.0, 4)
    model, off = BATTERY.charge(), replace(BATTERY, gamma_0=1.05).charge()
    runs = tb.mcsolve(model, times, 2000, seed=4, keep_clicks=True)
    clicks = replace(runs.clicks, duration=1.5)
    few = replace(clicks.where(clicks.trajectory < 30), ntraj=30)
    rates = np.array([tb.filter(model, few.of_trajectory(i), times).rates for i in range(30)])
    same(photons.intensity(few, model, times), mean_and_sem(rates))
    # Only clicks until the last time are read.
    early = photons.intensity(few, model, times[:2])
    np.testing.assert_allclose(early.value, rates.mean(axis=0)[:, :2])

    found = photons.intensity(clicks, model, times)
    exact, wrong = counting.intensity(model, times), counting.intensity(off, times)
    np.testing.assert_allclose(found.value[:, 0], exact[:, 0])

    def worst(estimate, expected):
        return np.abs((estimate.value - expected)[:, 1:] / estimate.sem[:, 1:]).max()

    assert worst(found, exact) < 4
    assert worst(found, wrong) > 5
    # It is less noisy than the photocurrent.
    current = photons.photocurrent(clicks, times)
    assert np.all(current.sem > found.sem[:, 1:])
    # Detectors that see half of it: the same mean.
    half = tb.Detectors(0.5).see(clicks, seed=1)
    half = replace(half.where(half.trajectory < 300), ntraj=300)
    assert worst(photons.intensity(half, model, times, efficiency=0.5), exact) < 4
    assert worst(photons.intensity(half, model, times, efficiency=0.95), exact) > 5


# Errors -------------------------------------------------------------------------------------------

SETS, SIZE = 200, 200


def coverage(estimates, exact, factor=1.96):
    value, sem = (np.array(part) for part in zip(*estimates, strict=True))
    return np.mean(np.abs(value - exact) <= factor * sem)


def test_intervals_cover_the_exact_value():
    model = tb.Battery(3, 1.87, 30.0, gamma_plus=10.0).charge()
    runs = tb.mcsolve(model, [0.8], SETS * SIZE, seed=5, keep_clicks=True).clicks
    cuts = np.searchsorted(runs.trajectory, np.arange(SETS + 1) * SIZE)
    parts = [
        replace(runs.where(slice(*cuts[i : i + 2])), first=i * SIZE, ntraj=SIZE)
        for i in range(SETS)
    ]
    times, edges, bins = np.array([0.4, 0.8]), np.array([0.0, 0.1, 0.2]), np.array([0.0, 0.4, 0.8])
    delays = (edges[:-1, None] + np.diff(edges)[:, None] * (POINTS + 1) / 2).ravel()
    pair, window, b = ("center", "blue"), (0.0, 0.6), "blue"
    exact = tb.mesolve(model, times, covariances=True)
    waiting = mean_in_bins(counting.waiting_time(model, delays, pair, at=window))
    for function, expected in (
        (lambda c: photons.mean(c, times, b), exact.counts[2]),
        (lambda c: photons.variance(c, times, b), exact.counts_covariance[2, 2]),
        (lambda c: photons.fano(c, times, b), counting.fano(model, times, b)),
        (
            lambda c: photons.factorial_moments(c, 0.8, "total", 3),
            counting.factorial_moments(model, 0.8, "total", 3),
        ),
        (lambda c: photons.first_click(c, times / 4), counting.first_click(model, times / 4)),
        (lambda c: photons.photocurrent(c, bins), counting.photocurrent(model, bins)),
        (lambda c: photons.waiting_time(c, edges, pair, *window), waiting),
        (
            lambda c: photons.g2(c, edges, pair, *window),
            g2_in_bins(model, delays, pair, None, window),
        ),
        (
            lambda c: photons.g2(c, edges, ("total", "total"), *window),
            g2_in_bins(model, delays, ("total", "total"), None, window),
        ),
        (lambda c: photons.g2_matrix(c, bins, pair), counting.g2_matrix(model, bins, pair)),
        (lambda c: photons.g2_matrix(c, bins, (b, b)), counting.g2_matrix(model, bins, (b, b))),
    ):
        estimates = [function(part) for part in parts]
        assert 0.90 < coverage(estimates, expected) < 0.98
        # Negative control: errors that are too small, or too large.
        assert coverage(estimates, expected, 0.7 * 1.96) < 0.88
        assert coverage(estimates, expected, 1.5 * 1.96) > 0.97


def test_intervals_of_single_records_cover_the_exact_value():
    model = tb.Battery(3, 1.87, 30.0, gamma_plus=10.0).charge()
    steady = tb.steady_state(model)
    runs = tb.mcsolve(model, [500.0], SETS, initial=steady, seed=6, keep_clicks=True)
    parts = [runs.clicks.of_trajectory(i) for i in range(SETS)]
    edges = np.array([0.0, 0.1, 0.2, 0.4, 1.0])
    delays = (edges[:-1, None] + np.diff(edges)[:, None] * (POINTS + 1) / 2).ravel()
    for pair in (("center", "blue"), ("total", "total")):
        for function, exact in (
            (photons.g2, counting.g2),
            (photons.waiting_time, counting.waiting_time),
        ):
            estimates = [function(part, edges, pair) for part in parts]
            expected = mean_in_bins(exact(model, delays, pair, steady))
            assert 0.90 < coverage(estimates, expected) < 0.98
            # In every bin, errors are as large as values scatter.
            value, sem = np.moveaxis(estimates, 1, 0)
            assert np.all(np.abs(value.std(axis=0) / sem.mean(axis=0) - 1) < 0.2)
    estimates = [photons.next_channel(part, "red", 0.0, 490.0) for part in parts]
    assert 0.90 < coverage(estimates, counting.next_channel(model, "red", steady)) < 0.98


# Speed and bad input ------------------------------------------------------------------------------


def test_a_million_clicks():
    rng = np.random.default_rng(7)
    sizes = rng.poisson(100, 10_000)
    trajectory = np.repeat(np.arange(10_000), sizes)
    at = rng.random(sizes.sum())
    clicks = tb.Clicks(
        trajectory,
        at[np.lexsort((at, trajectory))],
        rng.integers(0, 3, at.size).astype(np.int8),
        NAMES,
        ntraj=10_000,
        duration=1.0,
    )
    edges = np.linspace(0.0, 0.1, 11)
    begin = time.perf_counter()
    z = [
        (estimate.value - expected) / estimate.sem
        for estimate, expected in (
            (photons.mean(clicks, edges[1:], "a"), 100 / 3 * edges[1:]),
            (photons.fano(clicks, edges[1:], "total"), 1.0),
            (photons.waiting_time(clicks, edges, ("a", "b")), None),
            (photons.next_channel(clicks, "a", 0.0, 0.5), 1 / 3),
            (photons.g2(clicks, edges, ("a", "b")), 1.0),
            (photons.g2_matrix(clicks, edges, ("a", "b")), 1.0),
            (photons.photocurrent(clicks, edges), 100 / 3),
        )
        if expected is not None
    ]
    assert time.perf_counter() - begin < 20
    assert max(np.abs(one).max() for one in z) < 4.5


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda c: photons.counts(None), "`clicks` must be the clicks of a run with keep_clicks"),
        (lambda c: photons.g2(3, [0, 1], ("a", "b")), "`clicks` must be the clicks of a run"),
        (lambda c: photons.counts(c, 9.0), "`t` must not be after the end of the record, 4.25, "),
        (lambda c: photons.counts(c, -1.0), "`t` must be a finite number, zero or positive, but"),
        (lambda c: photons.counts(c, 1.0, 2.0), r"`start` must lie in \[0.0, 1.0\], but is 2.0"),
        (lambda c: photons.counts(c, "x"), "`t` must be a finite number, zero or positive, but is"),
        (
            lambda c: photons.distribution(c, 1.0, "red"),
            "`channel` must be 'a', 'b', 'c' or 'total', but is 'red'",
        ),
        (
            lambda c: photons.joint_distribution(c, 1.0, "ab"),
            "`channels` must be a pair of channels, but is 'ab'",
        ),
        (lambda c: photons.joint_distribution(c, 1.0, ("a", "x")), "must be 'a', 'b', 'c' or 'tot"),
        (
            lambda c: photons.factorial_moments(c, 1.0, "a", 0),
            "`order` must be a positive integer, but is 0",
        ),
        (lambda c: photons.mean(c, [2.0, 1.0], "a"), "`tlist` must hold .* but 1.0 follows 2.0"),
        (lambda c: photons.mean(c, [1.0, 5.0], "a"), "`t` must not be after the end of the record"),
        (
            lambda c: photons.fano(c, [1.0, 3.0], "a", 2.0),
            "`tlist` must not begin before `start`, 2, but does at 1.0",
        ),
        (lambda c: photons.variance(c, [], "a"), "`tlist` must hold .* but is empty"),
        (lambda c: photons.first_click(c, [9.0]), "`stop` must leave room .* at 4.25, but is 9"),
        (
            lambda c: photons.waiting_time(c, [0.0, 1.0], ("a", "b"), 0.0, 4.0),
            "`stop` must leave room for the longest delay, 1, before the end of the record at 4.25",
        ),
        (
            lambda c: photons.waiting_time(c, [0.0, 1.0], ("a", "b"), 2.0, 2.0),
            "`start` must be below `stop`, 2, but is 2",
        ),
        (lambda c: photons.waiting_time(c, [0, 1], ("a", "b", "c")), "must be a pair of channels"),
        (lambda c: photons.next_channel(c, "x"), "`after` must be 'a', 'b', 'c' or 'total', but"),
        (lambda c: photons.g2(c, [0.0, 1.0, 1.0], ("a", "b")), "`edges` must hold .* 1.0 follows"),
        (lambda c: photons.g2(c, [-1.0, 1.0], ("a", "b")), "`edges` must hold .* starts at -1.0"),
        (lambda c: photons.g2(c, [0, 1], ("a", "x")), "`channels` must be 'a', 'b', 'c' or 'total"),
        (
            lambda c: photons.g2_matrix(c.of_trajectory(4), [0, 1], ("a", "b")),
            "`clicks` must be of two trajectories at least, but are of one",
        ),
        (lambda c: photons.g2_matrix(c, [0, 9], ("a", "b")), "`stop` must leave room"),
        (lambda c: photons.photocurrent(c, [0.0, 5.0]), "`stop` must leave room"),
        (lambda c: photons.intensity(c, BATTERY.charge(), [9.0]), "`stop` must leave room"),
    ],
)
def test_bad_input(function, message):
    with pytest.raises((ValueError, TypeError), match=message):
        function(hand_made(1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0], [0.1], [3]), "clicks must be of the channels 'a', 'b', 'c', but click 0 is of 3"),
        (([0], [0.1], [-1]), "clicks must be of the channels .*, but click 0 is of -1"),
        (([0], [0.1], [300]), "clicks must be of the channels .*, but click 0 is of 300"),
        (([0], [0.1], ["a"]), "clicks must have a number for each channel, but have <U1"),
        (([0.5], [0.1], [0]), "clicks must have a number for each trajectory, but have float64"),
        (([-1], [0.1], [0]), "clicks must have trajectories >= 0, but click 0 has -1"),
        (([0, 5], [0.1, 0.2], [0, 0], 0, 2), "of the trajectories 0 to 1, but click 1 has 5"),
        (([0, 3], [0.1, 0.2], [0, 0], 2, 2), "of the trajectories 2 to 3, but click 0 has 0"),
        (([1, 0], [0.1, 0.2], [0, 0]), "be sorted by trajectory, but click 1 of 0 follows one"),
        (
            ([0, 0], [0.2, 0.1], [0, 0]),
            "be in the order of time, but click 1 at 0.1 follows one at",
        ),
        (([0], [np.nan], [0]), "clicks must have finite times >= 0, but click 0 is at nan"),
        (([0], [0.5], [0], 0, 1, 0.4), "clicks must end by 0.4, but click 0 is at 0.5"),
        (([0], [0.5, 0.6], [0]), "one trajectory, time and channel each, but the shapes are"),
        (([0], [0.5], [0], 0, 0), "`ntraj` must be a positive integer, but is 0"),
        (([0], [0.5], [0], -1), "`first` must be a non-negative integer, but is -1"),
        (([0], [0.5], [0], 0, 1, np.inf), "`duration` must be a finite number"),
    ],
)
def test_clicks_that_are_none(arguments, message):
    trajectory, time, channel, *rest = arguments
    with pytest.raises((ValueError, TypeError), match=message):
        tb.Clicks(trajectory, time, channel, ("a", "b", "c"), *rest)


def test_hand_made_clicks():
    none = tb.Clicks([], [], [], ["a"])
    assert (none.ntraj, none.duration, len(none), repr(none)) == (1, 0.0, 0, "Clicks: a 0")
    assert (none.trajectory.dtype, none.channel.dtype) == (np.int64, np.int8)
    assert photons.mean(tb.Clicks([], [], [], ["a", "b"], duration=1.0), [1.0], "b").value == 0.0
    few = tb.Clicks([0, 2, 2], [0.3, 0.1, 0.1], [0, 0, 0], ("a",))
    assert (few.ntraj, few.duration) == (3, 0.3)
    with pytest.raises(TypeError, match="`channels` must be a sequence of names, but is 'red'"):
        tb.Clicks([0], [0.1], [0], "red")
    with pytest.raises(ValueError, match="`channels` must be at most 127, but are 128"):
        tb.Clicks([0], [0.1], [0], range(128))


def test_windows_that_are_too_long():
    few = tb.Clicks([0, 1], [0.3, 0.1], [0, 0], ("a",), duration=1.0)
    with pytest.raises(ValueError, match="the record must go on for longer than `start` and the l"):
        photons.g2(few, [0.0, 2.0], ("a", "a"))
    with pytest.raises(ValueError, match="`stop` must be left out where no photon is given"):
        photons.next_channel(few, stop=0.5)

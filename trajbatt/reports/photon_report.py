"""What the photons of an ensemble say, beside what they must: for the table and the picture."""

from dataclasses import dataclass

import numpy as np

from trajbatt import counting, photons
from trajbatt.exact.mesolve import mesolve
from trajbatt.light.checking import TOTAL
from trajbatt.numerics.scores import score_by_law
from trajbatt.photons.estimate import Estimate
from trajbatt.reports.row import Row

WINDOWS, BINS = 24, 30  # ends of windows for Fano factors; bins of delays
FINER = 4  # times as many points of the exact curves
FROM, TO, REACH = 0.2, 0.7, 0.3  # of a stage: where first photons are taken; the longest delay
WAITS = 6.0  # mean waiting times up to which waiting times are shown
ENOUGH = 10  # expected trajectories in each bin of a chi-squared test
RARE = 1e-9  # less probable first photons are not worth a row
LARGEST_SPANNING = 40  # atoms up to which numbers of photons of several stages are quick
LARGEST_DRIVEN = 20  # atoms up to which the exact curves of whole density matrices are quick


@dataclass(frozen=True, eq=False)
class Curve:
    """An estimate beside its exact twin.

    Attributes
    ----------
    x : ndarray (n,), float64
    estimate : Estimate
        Of arrays (n,).
    exact_x, exact : ndarray (m,), float64, or None
        On a grid of its own, which may be finer.
    """

    x: np.ndarray
    estimate: Estimate
    exact_x: np.ndarray
    exact: np.ndarray | None


@dataclass(frozen=True, eq=False)
class PhotonReport:
    """Statistics of the photons of each channel.

    Attributes
    ----------
    channels : tuple of str
        The model's, and "total" if there are several.
    ntraj : int
    duration : float
    numbers : dict of str to Curve
        Their distribution at the end, for each channel.
    p_values : dict of str to float
        Of a chi-squared test of that; nan without an exact one, or with too few trajectories.
    fano : dict of str to Curve
        Against the length of the window from t = 0.
    waiting : dict of str to Curve
        Density of the time from any photon to the next, if that is one of the channel.
    g2 : dict of str to Curve
        Of pairs of photons of the channel, against the delay.
    windows : dict of str to pair of float
        When the first photons of the waiting times and pairs came.
    rows : list of Row
    """

    channels: tuple[str, ...]
    ntraj: int
    duration: float
    numbers: dict
    p_values: dict
    fano: dict
    waiting: dict
    g2: dict
    windows: dict
    rows: list


def is_quick(model):
    """Whether the exact curves of a model take seconds: those of ladder models do."""
    is_small = model.n_atoms <= LARGEST_DRIVEN
    return is_small or all(one.model.clicks_from_populations for one in model.stages())


def photon_report(clicks, model, initial=None, with_exact=True):
    """Return the `PhotonReport` of clicks.

    Parameters
    ----------
    clicks : Clicks
    model : Model
        What they come from.
    initial : optional
        As in `mesolve`.
    with_exact : bool
        Compute the exact curves, too.

    Raises
    ------
    ValueError
        If the clicks end before the model emits any.
    """
    end = clicks.duration
    if end == 0.0 or not any(stage.places for stage in model.stages(end)):
        raise ValueError(f"the record must go on until there are photons, but ends at {end:g}")
    channels = (*clicks.channels, TOTAL) if len(clicks.channels) > 1 else clicks.channels
    stages = {name: _stage(model, name, end) for name in channels}
    lengths = np.linspace(0.0, end, WINDOWS + 1)[1:]
    fine_lengths = np.linspace(0.0, end, FINER * WINDOWS + 1)[1:]
    numbers, fano, waiting, g2, windows = {}, {}, {}, {}, {}

    def exact(function, *arguments, **options):
        return function(model, *arguments, initial=initial, **options) if with_exact else None

    known_means, factors = {}, {}
    if with_exact:
        known_means, factors = _exact_moments(model, fine_lengths, initial)
    for name in channels:
        found = photons.distribution(clicks, end, name)
        is_costly = name == TOTAL and _spans_stages(model, end)
        known = None if is_costly else exact(counting.distribution, end, name)
        numbers[name] = _padded(found, known)
        estimate = photons.fano(clicks, lengths, name)
        fano[name] = Curve(lengths, estimate, fine_lengths, factors.get(name))
        stage = stages[name]
        length = min(stage.end, end) - stage.start
        window = (stage.start + FROM * length, stage.start + TO * length)
        windows[name] = window
        edges = np.linspace(0.0, REACH * length, BINS + 1)
        pair = (name, name)
        fine = _finer(edges)
        g2[name] = Curve(
            _centres(edges),
            photons.g2(clicks, edges, pair, *window),
            fine,
            exact(counting.g2, fine, pair, at=window),
        )
        inside = (clicks.time > window[0]) & (clicks.time <= window[1])
        rate = np.count_nonzero(inside) / (clicks.ntraj * (window[1] - window[0]))
        edges = np.linspace(0.0, min(WAITS / rate if rate > 0 else np.inf, edges[-1]), BINS + 1)
        pair = (TOTAL, name)
        fine = _finer(edges)
        waiting[name] = Curve(
            _centres(edges),
            photons.waiting_time(clicks, edges, pair, *window),
            fine,
            exact(counting.waiting_time, fine, pair, at=window),
        )
    p_values = {
        name: np.nan if curve.exact is None else _p_value(curve, clicks.ntraj)
        for name, curve in numbers.items()
    }
    first = photons.next_channel(clicks), exact(counting.next_channel, until=end)
    return PhotonReport(
        channels=channels,
        ntraj=clicks.ntraj,
        duration=end,
        numbers=numbers,
        p_values=p_values,
        fano=fano,
        waiting=waiting,
        g2=g2,
        windows=windows,
        rows=_rows(clicks, numbers, known_means, fano, first),
    )


def _stage(model, channel, end):
    """Return the stage whose photons of a channel are looked at: the first that has them."""
    names = model.channel_names
    stages = [stage for stage in model.stages(end) if stage.places]
    having = (s for s in stages if channel == TOTAL or names.index(channel) in s.places)
    return next(having, stages[0])


def _spans_stages(model, end):
    """Whether the sum of all photons takes whole matrices from stage to stage, of many atoms."""
    emitting = [stage for stage in model.stages(end) if stage.places]
    return len(emitting) > 1 and model.n_atoms > LARGEST_SPANNING


def _exact_moments(model, lengths, initial):
    """Return the means and the Fano factors of all channels, and of all together, by name.

    The means are those at the end, the Fano factors arrays (nt,).
    """
    exact = mesolve(model, lengths, initial, covariances=True)
    counts = np.vstack([exact.counts, exact.counts.sum(axis=0)])
    variances = np.diagonal(exact.counts_covariance).T
    variances = np.vstack([variances, exact.counts_covariance.sum(axis=(0, 1))])
    with np.errstate(invalid="ignore", divide="ignore"):
        factors = np.where(counts > RARE, variances / counts, np.nan)
    names = (*exact.channels, TOTAL)
    return dict(zip(names, counts[:, -1], strict=True)), dict(zip(names, factors, strict=True))


def _finer(edges):
    return np.linspace(edges[0], edges[-1], FINER * (edges.size - 1) + 1)


def _centres(edges):
    return 0.5 * (edges[1:] + edges[:-1])


def _padded(found, known):
    """Return a distribution beside its exact one, both as long as the longer one."""
    n = max(found.value.size, 0 if known is None else known.size)

    def longer(array):
        return np.pad(array, (0, n - array.size))

    estimate = Estimate(*map(longer, found))
    numbers = np.arange(float(n))
    return Curve(numbers, estimate, numbers, None if known is None else longer(known))


def _p_value(curve, ntraj):
    """Return the p-value of a chi-squared test of a distribution, its rare numbers together."""
    from scipy.stats import chi2

    common = curve.exact * ntraj >= ENOUGH
    expected = np.append(curve.exact[common], max(0.0, 1.0 - curve.exact[common].sum())) * ntraj
    seen = curve.estimate.value[common] * ntraj
    seen = np.append(seen, ntraj - seen.sum())
    if expected[-1] < ENOUGH:  # so few are left over that they join the rarest
        expected = np.append(expected[:-2], expected[-2:].sum())
        seen = np.append(seen[:-2], seen[-2:].sum())
    if expected.size < 2:
        return np.nan
    return float(chi2.sf(((seen - expected) ** 2 / expected).sum(), expected.size - 1))


def _rows(clicks, numbers, known_means, fano, first):
    rows, n = [], clicks.ntraj
    for name, curve in numbers.items():
        mean = _last(photons.mean(clicks, [clicks.duration], name))
        known = float(known_means[name]) if known_means else None
        z = None if known is None else score_by_law(mean[0], known, n, curve.x - known, _law(curve))
        rows.append(Row(f"mean_{name}", f"photons, {name}", *mean, known, z))
    for name, curve in numbers.items():
        factor, known, z = _last(fano[name].estimate), None, None
        if known_means:
            mean, known = known_means[name], float(fano[name].exact[-1])
            # The delta method of Var(n)/<n> about the exact values.
            shares = ((curve.x - mean) ** 2 - known * curve.x) / mean
            z = score_by_law(factor[0], known, n, shares, _law(curve))
        rows.append(Row(f"fano_{name}", f"Fano factor, {name}", *factor, known, z))
    estimate, probabilities = first
    for i, name in enumerate(clicks.channels if len(clicks.channels) > 1 else ()):
        value, sem = float(estimate.value[i]), float(estimate.sem[i])
        known = z = None
        if probabilities is not None:
            known = float(probabilities[i])
            law = np.array([1.0 - known, known])
            z = score_by_law(value, known, n, np.array([-known, 1.0 - known]), law)
        if max(value, known or 0.0) < RARE:
            continue
        rows.append(Row(f"first_{name}", f"the first photon is {name}", value, sem, known, z))
    return rows


def _last(estimate):
    return float(estimate.value[-1]), float(estimate.sem[-1])


def _law(numbers):
    """Return the exact distribution of a number, or else that which was seen."""
    return numbers.estimate.value if numbers.exact is None else numbers.exact

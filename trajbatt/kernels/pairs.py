"""Pairs of clicks by their delay: within trajectories, and across all of them."""

from trajbatt.kernels.compile import kernel


@kernel
def pairs_within(time, trajectory, is_first, is_second, groups, edges, found):
    """Count pairs of clicks of one trajectory by their delay.

    Parameters
    ----------
    time, trajectory, is_first, is_second, groups : *in* (n,)
        Sorted by trajectory, then by time; what clicks may be the first and the second of a pair;
        the group of each.
    edges : *in* (n_bins+1,) float64
        Delays.
    found : *in, out* (n_groups, n_bins) int64
    """
    n_bins = edges.size - 1
    for i in range(time.size):
        if not is_first[i]:
            continue
        for j in range(i - 1, -1, -1):  # the order of clicks at the same time means nothing
            if trajectory[j] != trajectory[i] or time[j] < time[i] or edges[0] > 0.0:
                break
            found[groups[i], 0] += is_second[j]
        k = 0
        for j in range(i + 1, time.size):
            delay = time[j] - time[i]
            if trajectory[j] != trajectory[i] or delay >= edges[n_bins]:
                break
            if is_second[j] and delay >= edges[0]:
                while delay >= edges[k + 1]:
                    k += 1
                found[groups[i], k] += 1


@kernel
def is_before(time, edge, sign):
    """Whether a time is below an edge that belongs to the later (1) or the earlier (-1) bin."""
    return time < edge if sign > 0 else time <= edge


@kernel
def pairs_across(first, second, groups, edges, sign, found):
    """Count pairs of clicks of any trajectories by their delay, and by the group of the first.

    Parameters
    ----------
    first, second : *in* (n,), (m,) float64
        Sorted times.
    groups : *in* (n,)
        Of the first ones.
    edges : *in* (n_bins+1,) float64
        Delays.
    sign : int
        1 if the delay is from the first to the second, -1 if it is the other way round.
    found : *in, out* (n_groups, n_bins) int64
    """
    n_bins = edges.size - 1
    for k in range(edges.size):
        # How many are before the edge: what one bin has more, its neighbour has less.
        edge = edges[k] * sign
        n = 0
        for i in range(first.size):
            while n < second.size and is_before(second[n], first[i] + edge, sign):
                n += 1
            if k < n_bins:
                found[groups[i], k] -= sign * n
            if k > 0:
                found[groups[i], k - 1] += sign * n


@kernel
def outside_dead_time(trajectory, time, channel, dead_time, ready, alive):
    """Say which clicks a detector sees that is blind for a while after each one it has seen.

    Parameters
    ----------
    trajectory, time, channel : *in* (n,)
        Sorted by trajectory, then by time.
    dead_time : *in* (nc,) float64
    ready : *scratch* (nc,) float64
        When each detector sees again.
    alive : *out* (n,) bool
    """
    for i in range(time.size):
        if i == 0 or trajectory[i] != trajectory[i - 1]:
            ready[:] = 0.0
        c = channel[i]
        alive[i] = time[i] >= ready[c]
        if alive[i]:
            ready[c] = time[i] + dead_time[c]

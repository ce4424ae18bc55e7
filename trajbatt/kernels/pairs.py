"""Pairs of clicks by their delay, and clicks that come too soon after another."""

from trajbatt.kernels.compile import kernel


@kernel
def pairs_by_delay(
    first,
    first_offsets,
    first_groups,
    second,
    second_offsets,
    second_groups,
    edges,
    shorter,
    longer,
):
    """Count the pairs of clicks of one record that have a shorter or a longer delay than edges.

    Parameters
    ----------
    first, second : *in* (n,), (m,) float64
        Times of what clicks may be the first and the second of a pair, sorted in each record.
    first_offsets, second_offsets : *in* (n_records+1,) int64
        Where the records begin and end.
    first_groups, second_groups : *in* (n,), (m,)
        The group of each click.
    edges : *in* (n_edges,) float64
        Delays.
    shorter : *in, out* (n_edges, n_groups) int64
        Pairs of less delay than the edge, by the group of the first click.
    longer : *in, out* (n_edges, n_groups) int64
        The others, by the group of the second click.
    """
    for r in range(first_offsets.size - 1):
        begin, end = second_offsets[r], second_offsets[r + 1]
        for k in range(edges.size):
            j = begin
            for i in range(first_offsets[r], first_offsets[r + 1]):
                edge = first[i] + edges[k]
                while j < end and second[j] < edge:
                    longer[k, second_groups[j]] += i - first_offsets[r]
                    j += 1
                shorter[k, first_groups[i]] += j - begin
            for rest in range(j, end):
                longer[k, second_groups[rest]] += first_offsets[r + 1] - first_offsets[r]


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

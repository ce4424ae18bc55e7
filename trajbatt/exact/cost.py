"""What the exact solution costs, before it is begun."""


def driven_seconds(model, times):
    """Return about how long the exact solution of the driven Eq. (5) takes, in seconds.

    It takes about two steps for each shortest time of the model, and one for each requested time.

    Parameters
    ----------
    model : Model
    times : ndarray (nt,)
    """
    steps = times.size + 2.0 * times[-1] / model.timescale
    return 12.0 * steps * (5e-6 + 6e-9 * model.n_levels**2)

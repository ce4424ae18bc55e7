"""Pictures of photons: their statistics, and the energy that they tell."""

import numpy as np

from trajbatt.models.swing import is_followed
from trajbatt.plots import layout, panels, records
from trajbatt.plots.style import NOTE, NOTE_COLOR, plain_text


def photons_figure(found, model):
    """Return the picture of a `PhotonReport`: numbers, Fano factors, waiting times, g2.

    Parameters
    ----------
    found : PhotonReport
    model : Model
        What the photons are of.

    Returns
    -------
    Figure
    """
    figure, ((numbers, fano), (waiting, g2)) = layout.square()
    of_time, of_rate = layout.units(model)
    panels.draw_numbers(numbers, found)
    panels.draw_curves(fano, found.fano, found.channels)
    fano.axhline(1.0, color=NOTE_COLOR, lw=0.8, ls=":")
    fano.set_xlabel(f"length of the window from $t = 0${of_time}")
    fano.set_ylabel("Fano factor, Var(n)/⟨n⟩")
    of_channels = {name: found.waiting[name] for name in model.channel_names}
    panels.draw_curves(waiting, of_channels, found.channels)
    if any(_is_positive(curve) for curve in of_channels.values()):
        waiting.set_yscale("log")
    else:
        waiting.text(0.5, 0.6, "no photon after another", transform=waiting.transAxes, **NOTE)
    waiting.set_xlabel(f"time from any photon to the next{of_time}")
    waiting.set_ylabel(f"density, by the next one's channel{of_rate}")
    panels.draw_curves(g2, found.g2, found.channels)
    g2.axhline(1.0, color=NOTE_COLOR, lw=0.8, ls=":")
    g2.set_xlabel(f"delay $\\tau$ of pairs in one channel{of_time}")
    g2.set_ylabel(r"$g^{(2)}(\tau)$")
    for one in (fano, waiting, g2):
        one.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4))
        one.set_xlim(left=0.0)
    handles, labels = fano.get_legend_handles_labels()
    has_exact = any(curve.exact is not None for curve in found.fano.values())
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=5,
        frameon=False,
        title="marks: with two standard errors" + ("; lines: exact" if has_exact else ""),
        title_fontsize=9,
    )
    figure.suptitle(
        f"Photons of {found.ntraj:,} trajectories ({plain_text(model.label)}), "
        f"{layout.parameters(model)}",
        **layout.TITLE,
    )
    return figure


def _is_positive(curve):
    """Whether a logarithmic axis shows anything of a `Curve`."""
    return any(
        np.any(values > 0.0) for values in (curve.estimate.value, curve.exact) if values is not None
    )


def filter_figure(found, unseen, what):
    """Return the picture of a filtered record: energy as the photons tell it, and the photons.

    Parameters
    ----------
    found : FilterResult
    unseen : MasterEquationResult
        Of the same model without a detector.
    what : str
        What the battery does, and the detectors.

    Returns
    -------
    Figure
    """
    figure, (energy, clicks) = layout.stack([3, layout.raster_height(found.model.lit_channels)])
    panels.draw_conditional_energy(energy, found, unseen)
    followed = is_followed(found.model, found.times)
    layout.legend_above(energy, title=None if followed else layout.TOO_FAST)
    records.draw_seen(clicks, found)
    layout.label_time(clicks, found.times, layout.units(found.model)[0])
    figure.suptitle(
        f"The charge as its photons tell it: {what}\n{layout.parameters(found.model)}",
        **layout.TITLE,
    )
    return figure

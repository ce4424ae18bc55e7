"""
Bunched and antibunched photons
===============================

Given a photon, how likely is another one after a delay? One atom cannot emit two photons of the
same sideband in a row, so its g2 begins at 0. A collective battery can, and photons of one color
come in bunches. Lines are exact, marks are clicks.
"""

# %%
# The battery is in its steady state from the start, so delays can be taken from any click.

import matplotlib.pyplot as plt
import numpy as np

import trajbatt as tb

figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.8), sharey=True, layout="constrained")
for ax, n in zip(axes, (1, 20), strict=True):
    model = tb.Battery(n, theta=1.87, omega_p=50.0 * n, gamma_plus=10.0).charge()
    steady = tb.steady_state(model)
    longest = 3.0 / n
    delays, edges = np.linspace(0.0, longest, 121), np.linspace(0.0, longest, 16)
    runs = tb.mcsolve(model, [4 * longest], 1000, initial=steady, seed=n, keep_clicks=True)
    for pair, color in ((("red", "red"), "#d55e00"), (("red", "blue"), "#0072b2")):
        seen = tb.photons.g2(runs.clicks, edges, pair)
        exact = tb.counting.g2(model, delays, pair, initial=steady)
        middle = (edges[:-1] + edges[1:]) / 2
        ax.errorbar(middle, seen.value, seen.sem, fmt="o", ms=4, color=color)
        ax.plot(delays, exact, color=color, label=f"{pair[0]}, then {pair[1]}")
    ax.axhline(1.0, color="0.6", ls="--", lw=1)
    ax.set(title=f"N = {n}", xlabel=r"delay ($1/\gamma_-$)", ylim=(0, None))
axes[0].set_ylabel(r"$g^{(2)}$ of the pair")
axes[0].legend(frameon=False)
plt.show()

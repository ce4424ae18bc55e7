"""
The three lines of the light
============================

A charged battery in its steady state emits a Mollow triplet. With one atom the lines are as wide as
the decay rates. With fifty atoms the sidebands are much broader, because their photons come from
collective jumps, and nearly all light of the center line is elastic.
"""

# %%
# `counting.spectrum` gives each line by itself, from its own frequency on. A channel that steps the
# ladder by s shines at the pump's frequency minus s times Omega_P.

import matplotlib.pyplot as plt
import numpy as np

import trajbatt as tb

colors = {"red": "#d55e00", "center": "#009e73", "blue": "#0072b2"}
figure, axes = plt.subplots(2, 1, figsize=(8, 5.5), layout="constrained")
for ax, n, omega_p in ((axes[0], 1, 30.0), (axes[1], 50, 500.0)):
    model = tb.Battery(n, theta=1.87, omega_p=omega_p, gamma_plus=10.0).charge()
    offsets = np.linspace(-0.45, 0.45, 901) * omega_p
    for channel in model.channels:
        line = tb.counting.spectrum(model, offsets, channel.name)
        place = -channel.shift * omega_p
        label = channel.name
        if channel.name == "center":
            label += f",\nelastic {line.elastic:.3g} $\\gamma_-$"
        ax.semilogy(place + offsets, line.density, color=colors[channel.name], label=label)
    ax.set_ylabel("photons per time\nand frequency")
    ax.set_title(rf"N = {n}, $\Omega_P = {omega_p:.0f}\,\gamma_-$")
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
axes[1].set_xlabel(r"angular frequency from the pump's ($\gamma_-$)")
plt.show()

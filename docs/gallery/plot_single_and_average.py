"""
Single batteries and their average
==================================

A hundred atoms are charged by Eq. (7). ``runs.plot()`` draws the average over an ensemble beside
the exact solution, the clicks of one battery, and the mean photon counts.
"""

# %%
# The model and the ensemble. The seed fixes the result.

import matplotlib.pyplot as plt
import numpy as np

import trajbatt as tb

battery = tb.Battery(n_atoms=100, theta=1.87, omega_p=1000.0, gamma_plus=10.0)
times = np.linspace(0.0, battery.charging_time, 101)
runs = tb.mcsolve(battery.charge(), times, ntraj=300, seed=1, keep_clicks=True)

# %%
# The picture is a matplotlib figure. It computes the exact solution and replays three runs. The
# energy swings with Omega_P; the swing fades as the battery nears its steady state. The figure is
# not one of pyplot's, so it is handed over; that needs matplotlib 3.11.

figure = runs.plot()
plt.figure(figure)
plt.show()

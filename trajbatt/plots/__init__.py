"""Pictures: results in by attribute, artists out.

For axes of your own, each of `energy`, `counts`, `clicks`, `energy_distribution` takes results and
`ax=`, and returns its artists; `run_figure` gives the whole picture of a run, `animate` a film of
one. Results themselves have `plot()`.
"""

from trajbatt.plots.animation import animate
from trajbatt.plots.on_axes import clicks, counts, energy, energy_distribution
from trajbatt.plots.runs import run_figure

__all__ = ["animate", "clicks", "counts", "energy", "energy_distribution", "run_figure"]

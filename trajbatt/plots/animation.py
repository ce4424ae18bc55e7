r"""A film of one battery: its state on the sphere, its photons as flashes, its energy.

The state is shown by the Husimi function Q(theta, phi) = abs(<theta, phi|psi>)^2 of the conditional
state, in the Mollweide projection: up is the excited state, and phi runs around. The dots are the
two ends of the dressed axis, about which the state turns by Omega_P.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from matplotlib.colors import to_rgba

from trajbatt.base import checks
from trajbatt.base.types import ComplexArray, PathLike
from trajbatt.numerics import spin_blocks
from trajbatt.plots import layout, panels
from trajbatt.plots.on_axes import Result
from trajbatt.plots.style import (
    EXACT_COLOR,
    NOTE_COLOR,
    TRAJECTORY_COLOR,
    channel_style,
    plain_text,
)

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation

LATITUDES, LONGITUDES = 61, 121
FADES = 6  # frames in which a flash goes out
ROOMY = 4  # channels whose names stand side by side in the usual size
WRITERS = {".gif": "pillow", ".mp4": "ffmpeg"}


def husimi(kets, n_latitudes=LATITUDES, n_longitudes=LONGITUDES):
    """Return the Husimi function of bare kets on a grid of the sphere.

    Parameters
    ----------
    kets : ndarray (nt, N+1)
    n_latitudes, n_longitudes : int

    Returns
    -------
    latitude : ndarray (n_latitudes,), float64
        pi/2 - theta, from the ground state up, in radians.
    longitude : ndarray (n_longitudes,), float64
        phi from -pi to pi.
    q : ndarray (nt, n_latitudes, n_longitudes), float64
        From 0 to 1.
    """
    n_atoms = kets.shape[1] - 1
    latitude = np.linspace(-np.pi / 2, np.pi / 2, n_latitudes)
    longitude = np.linspace(-np.pi, np.pi, n_longitudes)
    k = np.arange(n_atoms + 1)
    half = (np.pi / 2 - latitude[:, None]) / 2
    binomial = [
        math.lgamma(n_atoms + 1) - math.lgamma(i + 1) - math.lgamma(n_atoms - i + 1) for i in k
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        upper = np.where(k > 0, k * np.log(np.cos(half)), 0.0)
        lower = np.where(k < n_atoms, (n_atoms - k) * np.log(np.sin(half)), 0.0)
    magnitudes = np.exp(0.5 * np.array(binomial) + upper + lower)
    # <theta, phi|k> has the phase exp(-i (N - k) phi).
    phases = np.exp(-1j * np.outer(n_atoms - k, longitude))
    q = [np.abs((magnitudes * ket) @ phases) ** 2 for ket in kets]
    return latitude, longitude, np.array(q)


def _husimi_of(trajectory, shown):
    """Return the Husimi functions at some times; with noise of single atoms for the J then."""
    states, n_atoms = trajectory.states[shown], trajectory.n_atoms
    if trajectory.spin is None:
        return husimi(states)
    found = []
    for ket, n in zip(states, trajectory.spin[shown].tolist(), strict=True):
        latitude, longitude, q = husimi(ket[None, spin_blocks.excited(n_atoms, n)])
        found += list(q)
    return latitude, longitude, np.array(found)


class WithStates(Result, Protocol):
    """A result that may have its states."""

    @property
    def states(self) -> ComplexArray | None:
        """The states (nt, N+1)."""


def animate(
    trajectory: WithStates,
    exact: Result | None = None,
    path: PathLike | None = None,
    frames: int | None = None,
    fps: int = 20,
    dpi: int = 100,
) -> "FuncAnimation":
    """Return a film of a trajectory, and write it if a path is given.

    Parameters
    ----------
    trajectory : Trajectory
        With its states, `runs.replay(i, tlist, keep_states=True)`: each time is a frame.
    exact : MasterEquationResult, optional
        The average, for the energy.
    path : path, optional
        Ends in .gif, or .mp4 where ffmpeg is.
    frames : int, optional
        At most so many of the times, evenly.
    fps : int
        Frames a second.
    dpi : int

    Returns
    -------
    matplotlib.animation.FuncAnimation

    Raises
    ------
    ValueError, TypeError
        If the states were not kept, or the path has another ending or cannot be written.
    """
    if type(trajectory).__name__ != "Trajectory":
        raise TypeError(f"`trajectory` must be one of a run, but is {checks.shown(trajectory)}")
    if trajectory.states is None:
        raise ValueError("the states must be kept for that: replay(..., keep_states=True)")
    if exact is not None and type(exact).__name__ != "MasterEquationResult":
        raise TypeError(f"`exact` must be a result of mesolve, but is {type(exact).__name__}")
    fps, dpi = checks.integer("fps", fps, 1), checks.integer("dpi", dpi, 1)
    writer = None if path is None else writer_of(path)
    from matplotlib.animation import FuncAnimation

    n = trajectory.times.size
    wanted = n if frames is None else min(n, checks.integer("frames", frames, 1))
    shown = np.unique(np.linspace(0, n - 1, wanted).round().astype(int))
    scene = _Scene(trajectory, exact, shown)
    film = FuncAnimation(scene.figure, scene.draw, frames=shown.size, interval=1000.0 / fps)
    if path is not None:
        film.save(Path(path), writer=writer, fps=fps, dpi=dpi)
    return film


def writer_of(path, name="path"):
    """Return the name of matplotlib's writer for a file; `name` is what a message calls it.

    Raises
    ------
    ValueError
        If there is none, or no folder for it.
    """
    from matplotlib import animation

    ending = Path(path).suffix.lower()
    if ending not in WRITERS:
        raise ValueError(f"`{name}` must end in {' or '.join(WRITERS)}, but is {str(path)!r}")
    if not animation.writers.is_available(WRITERS[ending]):
        raise ValueError(f"`{name}` must end in .gif, because there is no {WRITERS[ending]} here")
    parent = Path(path).parent
    if not parent.is_dir():
        raise ValueError(f"`{name}` must be in a folder, but {parent} is none")
    return WRITERS[ending]


class _Scene:
    """The figure, and what changes in it from frame to frame."""

    def __init__(self, trajectory, exact, shown):
        self._trajectory, self._shown = trajectory, shown
        self.figure, (self._sphere, self._energy, self._clicks) = _axes(trajectory)
        latitude, longitude, self._q = _husimi_of(trajectory, shown)
        self._mesh = self._sphere.pcolormesh(
            longitude, latitude, self._q[0], cmap="magma_r", shading="gouraud", vmin=0.0
        )
        _draw_axis(self._sphere, trajectory.model, trajectory.times[shown])
        self._words = self._sphere.set_title(" ", fontsize=10, pad=18)
        if exact is not None:
            panels.draw_exact_energy(self._energy, exact)
            self._energy.lines[-1].set(label="average", color=EXACT_COLOR)
        (self._line,) = self._energy.plot(
            [], [], color=TRAJECTORY_COLOR, lw=1.4, label="this battery"
        )
        (self._now,) = self._energy.plot([], [], "o", color=TRAJECTORY_COLOR)
        self._energy.set_ylabel(r"energy per atom ($\hbar\omega_0$)")
        self._energy.set_ylim(-0.03, 1.05)
        self._energy.legend(frameon=False, fontsize=9, loc="best")
        self._channels = _light(trajectory.model)
        names = [trajectory.channels[channel] for channel in self._channels]
        self._small = 9 if len(names) <= ROOMY else 7
        self._dots = self._draw_lines(names)
        layout.label_time(self._clicks, trajectory.times, layout.units(trajectory.model)[0])
        below = {"transform": self._sphere.transAxes, "clip_on": False}
        self._flashes = self._sphere.scatter([], [], s=[], **below)
        self._places = (np.arange(len(names)) + 1) / (len(names) + 1)
        for place, name in zip(self._places, names, strict=True):
            color = channel_style(name, trajectory.channels).color
            words = {"ha": "center", "fontsize": self._small, "color": color}
            self._sphere.text(place, -0.27, plain_text(name), **words, **below)
        self.draw(0)
        self.figure.canvas.draw()
        self.figure.set_layout_engine("none")  # it would be found anew for every frame

    def _draw_lines(self, names):
        """Return the artist of the clicks so far in each channel that is shown."""
        channels, dots = self._trajectory.channels, []
        for row, name in enumerate(names):
            look = channel_style(name, channels)
            dots += self._clicks.plot([], [], "|", ms=9, color=look.color, alpha=0.6)
            self._clicks.axhline(row, color="#eeeeee", lw=0.8, zorder=0)
        labels = [plain_text(name) for name in names]
        self._clicks.set_yticks(range(len(names)), labels, fontsize=self._small)
        for label, name in zip(self._clicks.get_yticklabels(), names, strict=True):
            label.set_color(channel_style(name, channels).color)
        self._clicks.set_ylim(-0.6, len(names) - 0.4)
        return dots

    def draw(self, frame):
        """Draw one frame; return the artists that have changed."""
        one, at = self._trajectory, self._shown[frame]
        now, clicks = one.times[at], one.clicks
        self._mesh.set_array(self._q[frame])
        self._mesh.set_clim(0.0, max(float(self._q[frame].max()), 1e-12))
        energies = one.energy[: at + 1] / one.n_atoms
        self._line.set_data(one.times[: at + 1], energies)
        self._now.set_data([now], energies[-1:])
        seen = 0
        for row, (channel, dots) in enumerate(zip(self._channels, self._dots, strict=True)):
            times = clicks.time[(clicks.channel == channel) & (clicks.time <= now)]
            dots.set_data(times, np.full(times.size, row))
            seen += times.size
        self._flash(frame)
        self._words.set_text(f"$t = {now:.4g}$, {seen} photons so far")
        return [self._mesh, self._line, self._now, self._flashes, self._words, *self._dots]

    def _flash(self, frame):
        """Show the photons of the last frames below the sphere, the more of them the larger."""
        one, offsets, sizes, colors = self._trajectory, [], [], []
        for back in range(min(FADES, frame)):
            since, until = one.times[self._shown[[frame - back - 1, frame - back]]]
            new = (one.clicks.time > since) & (one.clicks.time <= until)
            for row, channel in enumerate(self._channels):
                number = int(np.count_nonzero(one.clicks.channel[new] == channel))
                if number:
                    color = channel_style(one.channels[channel], one.channels).color
                    offsets.append((self._places[row], -0.12))
                    sizes.append((60.0 + 40.0 * min(number, 20)) * (1.0 - back / FADES))
                    colors.append(to_rgba(color, 1.0 - back / FADES))
        self._flashes.set_offsets(np.reshape(offsets, (-1, 2)))
        self._flashes.set_sizes(sizes)
        self._flashes.set_color(colors)


def _light(model):
    """Return the indices of the channels that emit light; of all, if nothing tells them apart."""
    light = np.flatnonzero(model.photons > 0)
    return light.tolist() if light.size else list(range(len(model.channel_names)))


def _axes(trajectory):
    """Return a figure and its axes: the sphere, the energy and the clicks."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 2, width_ratios=[1.15, 1.0], height_ratios=[3.0, 1.0])
    sphere = figure.add_subplot(grid[:, 0], projection="mollweide")
    sphere.set_xticks([]), sphere.set_yticks([])
    energy = figure.add_subplot(grid[0, 1])
    clicks = figure.add_subplot(grid[1, 1], sharex=energy)
    energy.tick_params(labelbottom=False)
    for one in (energy, clicks):
        one.spines[["top", "right"]].set_visible(False)
    figure.suptitle(layout.parameters(trajectory.model), **layout.TITLE)
    return figure, (sphere, energy, clicks)


def _draw_axis(sphere, model, times):
    """Draw the two ends of the dressed axes of the stages, and name the poles."""
    for stage in model.latest_stages(times[-1]):
        theta = stage.model.theta
        if math.sin(theta) < 1e-12:
            continue
        # J'_z = cos(theta) J_z - sin(theta) J_x: its upper end is at phi = pi.
        for latitude, longitude, mark in (
            (np.pi / 2 - theta, np.pi - 0.06, "+"),
            (np.pi / 2 - theta, 0.06 - np.pi, "+"),
            (theta - np.pi / 2, 0.0, "x"),
        ):
            sphere.plot([longitude], [latitude], mark, color=NOTE_COLOR, ms=9, mew=1.6)
    for latitude, words, place in ((np.pi / 2, "full", "bottom"), (-np.pi / 2, "empty", "top")):
        sphere.text(0.0, latitude, words, ha="center", va=place, fontsize=9, color=NOTE_COLOR)

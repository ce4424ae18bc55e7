"""Pictures of models that users build from channels: any names, any number of them."""

import warnings

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.commandline.main import main
from trajbatt.plots import layout, runs, style

TIMES = np.linspace(0.0, 0.5, 21)
NAMES = ("red", "_emit", "a$b", "a rather long name of a channel", "ümlaut")
SHIFTS = (-1, 1, 0, 1, -1)


def ladder(n_channels, name="heat", n_atoms=6, **options):
    channels = [tb.Channel(NAMES[i], SHIFTS[i], 0.3 + 0.2 * i) for i in range(n_channels)]
    return tb.LadderModel(name, n_atoms, 0.0, 1.0, channels, **options)


BATTERY = tb.Battery(6, 1.87, 60.0, gamma_plus=10.0)
BEAM = tb.LadderModel("beam", 6, 0.0, 1.0, [tb.Channel("light", -1, 2.0)], coherent_rate=2.0)
MODELS = {
    **{f"{n} channels": ladder(n) for n in range(6)},
    "one atom": ladder(2, n_atoms=1),
    "storage": BATTERY.store(),
    "beam": BEAM,
    "driven": tb.BandedModel("kick $up", 6, 1.2, 30.0, 0.5),
    "protocol": tb.Protocol([(ladder(2, "a"), 0.2), (ladder(0, "_b"), 0.1), (BEAM, 0.3)]),
    "stored": tb.Protocol([(BATTERY.store(), 0.5)]),
}


def drawn(model, ntraj=20, times=TIMES, **options):
    """Return the picture of a run, drawn without a warning, and the run."""
    ensemble = tb.mcsolve(model, times, ntraj, seed=1, **options)
    exact = tb.mesolve(model, times, ensemble.initial)
    figure = runs.run_figure(ensemble, exact, [ensemble.replay(0)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert style.as_bytes(figure).startswith(b"\x89PNG")
    return figure, ensemble


@pytest.mark.slow
@pytest.mark.parametrize("which", MODELS)
def test_every_model_has_a_picture(which):
    model = MODELS[which]
    figure, ensemble = drawn(model)
    discharges = any(stage.model.is_discharge for stage in model.stages())
    wanted = 1 + discharges + (2 if ensemble.channels else 0)
    assert len(figure.axes) == wanted
    assert figure.axes[-1].get_xlim() == (0.0, TIMES[-1])


@pytest.mark.slow
@pytest.mark.parametrize("times", [[0.0], [0.5]])
def test_one_time_and_one_trajectory(times):
    drawn(ladder(2), ntraj=1, times=times)


@pytest.mark.slow
def test_the_title_tells_the_users_own_parameters():
    figure, _ = drawn(ladder(2))
    title = figure.get_suptitle()
    assert title.startswith("heat: $N = 6$, ")
    assert "rate_red = 0.3" in title
    assert figure.axes[-1].get_xlabel() == "time $t$"
    figure, _ = drawn(BATTERY.charge())
    assert figure.get_suptitle().startswith(
        r"Charging $N = 6$: $\theta = 1.87$, $\gamma_+/\gamma_-"
    )
    assert figure.axes[-1].get_xlabel() == r"time $t$ ($1/\gamma_-$)"


def has_asymptote(figure):
    return "Eq. (14)" in " ".join(figure.axes[0].get_legend_handles_labels()[1])


@pytest.mark.slow
def test_eq_14_is_drawn_where_it_holds_only():
    fine = np.linspace(0.0, 0.5, 81)
    assert has_asymptote(drawn(BATTERY.charge(), times=fine)[0])
    for model, initial in (
        (ladder(2), None),
        (BATTERY.store(), None),
        (BATTERY.charge(), tb.excited_state(6)),
    ):
        assert not has_asymptote(drawn(model, times=fine, initial=initial)[0])


def test_stages_are_shaded_by_what_they_do():
    shades = [style.stage_color(model) for model in (ladder(1), ladder(0), BEAM)]
    assert shades == [style.STAGE_COLORS[name] for name in ("charge", "store", "discharge")]
    for verb in ("charge", "store", "discharge"):
        assert style.stage_color(getattr(BATTERY, verb)()) == style.STAGE_COLORS[verb]


def test_channels_have_their_own_colours_and_marks():
    names = (*NAMES, "total")
    styles = [style.channel_style(name, names) for name in names]
    assert len({one.color for one in styles}) == len(names)
    assert len({one.mark for one in styles}) == len(names)
    assert styles == [style.channel_style(name, list(names)) for name in names]
    assert style.channel_style("red", names).color == style.CHANNEL_COLORS["red"]
    assert not set(style.OTHER_COLORS) & set(style.CHANNEL_COLORS.values())
    assert not set(style.OTHER_MARKS) & set(style.CHANNEL_MARKS.values())


def test_long_lists_of_parameters_take_several_lines():
    listed = layout.parameters(ladder(5))
    assert listed.count("\n") == 1
    assert max(map(len, listed.splitlines())) <= layout.WIDEST_TITLE + 1


@pytest.mark.slow
@pytest.mark.parametrize("which", ["2 channels", "one atom", "protocol", "beam", "driven"])
def test_commands_show_stores_of_users_models(which, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tb.mcsolve(MODELS[which], TIMES, 20, seed=1, store="d", keep_clicks=True)
    assert main(["show", "d", "--out", "a", "--json", "a.json"]) == 0
    assert "20 trajectories, seed 1" in capsys.readouterr().out
    assert main(["photons", "d", "--out", "b", "--json", "b.json"]) == 0
    for name in ("x.csv", "x.h5", "x.nc"):
        assert main(["export", "d", name]) == 0
    assert {"show.png", "results.json"} == {path.name for path in (tmp_path / "a").iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("which", ["0 channels", "storage", "stored"])
def test_commands_say_where_there_are_no_photons(which, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tb.mcsolve(MODELS[which], TIMES, 20, seed=1, store="d")
    assert main(["show", "d", "-q", "--out", "a"]) == 0
    assert main(["export", "d", "x.nc", "-q"]) == 0
    for command in (["photons", "d"], ["export", "d", "x.csv"], ["export", "d", "x.h5"]):
        assert main(command) == 2
        message = capsys.readouterr().err
        assert message.startswith("trajbatt: `run` must have photons")
        assert message.count("\n") == 1

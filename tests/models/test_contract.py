"""What every kind of model answers, and the models that users build from channels."""

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.models.channel import photon_energies
from trajbatt.models.recognised import battery_of, recognised
from trajbatt.states.json_form import plain, rebuilt

BATTERY = tb.Battery(8, 1.2, 40.0, gamma_0=0.7, gamma_plus=3.0)
EQUAL = tb.Battery(8, 1.2, 40.0)
HEAT = tb.LadderModel(
    "heat", 8, 0.0, 2.0, (tb.Channel("emit", -1, 1.3), tb.Channel("absorb", 1, 0.3))
)
MODELS = {
    "charge": BATTERY.charge(),
    "store": BATTERY.store(),
    "discharge": BATTERY.discharge(1.5),
    "driven": EQUAL.charge(secular=False),
    "heat": HEAT,
    "noisy": tb.Battery(
        8, 1.2, 40.0, 0.7, 3.0, 1.0, 0.2, 0.3, 0.4, 0.5, 0.1, 0.6, 0.1, 0.2, 0.3
    ).charge(),
    "cycle": tb.Protocol([(BATTERY.charge(), 0.2), (BATTERY.store(), 0.1), (HEAT, 0.3)]),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_contract(model):
    assert model.n_levels == model.n_atoms + 1 == 9
    first, *later = stages = model.stages()
    assert first.start == 0.0
    assert stages == model.stages(math.inf)
    for stage, before in zip(later, stages, strict=False):
        assert stage.start == before.end
        assert not stage.model.is_staged
    assert model.stages(1e-9) == (first,)
    for stage in stages:
        names = [model.channel_names[place] for place in stage.places]
        expected = stage.model.names_in_protocol if model.is_staged else stage.model.channel_names
        assert tuple(names) == expected
        # No state clicks faster than the largest rate.
        if not stage.model.is_symmetric:
            rates = [stage.model.jump_rates(n).sum(axis=0).max() for n in range(0, 9, 2)]
            assert max(rates) <= model.largest_rate * (1 + 1e-12)
            continue
        decay = np.einsum("csk,csk->k", stage.model.jump_bands, stage.model.jump_bands)
        assert decay.max(initial=0.0) <= model.largest_rate * (1 + 1e-12)
    assert pickle.loads(pickle.dumps(model)) == model
    assert hash(model) == hash(pickle.loads(pickle.dumps(model)))


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_parameters_can_be_told_and_changed(model):
    known = model.parameters()
    assert model.with_parameters(**known) == model
    for name, value in known.items():
        changed = model.with_parameters(**{name: 0.9 * value})
        assert changed.parameters()[name] == pytest.approx(0.9 * value)
        assert changed != model or value == 0.0
    with pytest.raises(ValueError, match="`parameters` must be"):
        model.with_parameters(nonsense=1.0)


def test_parameters_of_a_battery_are_those_of_the_battery():
    changed = BATTERY.charge().with_parameters(theta=0.9, gamma_plus=2.0)
    assert changed == replace(BATTERY, theta=0.9, gamma_plus=2.0).charge()
    assert BATTERY.discharge(2.0).with_parameters(gamma=3.0) == BATTERY.discharge(3.0)
    # A ladder of one's own has its own: the angle alone changes, not the rates.
    own = replace(BATTERY.charge(), name="mine")
    turned = own.with_parameters(theta=0.9)
    assert turned.theta == 0.9
    assert turned.channels == own.channels


def test_channels_that_no_ladder_has_are_refused():
    for shift in (2, -2, 0.5, True, "1"):
        with pytest.raises(ValueError, match=r"`shift` of channel 'a' must be \+1, 0 or -1"):
            tb.Channel("a", shift, 1.0)
    with pytest.raises(ValueError, match="must be a finite number, zero or positive, but is -1"):
        tb.Channel("a", 1, -1.0)
    with pytest.raises(TypeError, match="`name` of a channel must be a str"):
        tb.Channel(1, 1, 1.0)
    one = tb.Channel("a", 1, 1.0)
    with pytest.raises(ValueError, match="`channels` must have different names, but have a, a"):
        tb.LadderModel("mine", 3, 0.0, 1.0, (one, one))
    with pytest.raises(TypeError, match="`channels` must be a sequence of Channel, but holds 'a'"):
        tb.LadderModel("mine", 3, 0.0, 1.0, ("a",))
    with pytest.raises(TypeError, match="must be a single model"):
        tb.LadderModel("mine", 3, 0.0, 1.0, (one,), start=MODELS["cycle"])


def test_batteries_of_models():
    for name in ("charge", "store", "discharge", "cycle"):
        assert tb.Battery.from_model(MODELS[name]) == BATTERY
    assert tb.Battery.from_model(MODELS["driven"]) == EQUAL
    assert battery_of(HEAT) is None
    with pytest.raises(ValueError, match="`model` must be one that a battery makes, but 'heat'"):
        tb.Battery.from_model(HEAT)
    # One that is built from numbers, without a word of its battery.
    by_hand = replace(BATTERY.charge())
    assert by_hand.origin is None
    found = tb.Battery.from_model(by_hand)
    assert found.gamma_plus == pytest.approx(3.0, rel=1e-14)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_models_come_back_from_files(model):
    found = recognised(rebuilt(plain(model)))
    assert found == model
    assert found.parameters().keys() == model.parameters().keys()


def test_photons_of_any_ladder_have_their_energy():
    # At theta = 0 in the pump frame J_- emits at omega_0 itself.
    np.testing.assert_allclose(photon_energies(BATTERY.discharge(), 1000.0), [1.0])
    np.testing.assert_allclose(photon_energies(HEAT, 1000.0), [1.0, 0.996])
    np.testing.assert_array_equal(photon_energies(HEAT), [1.0, 1.0])

"""States, and what is observed in them."""

from trajbatt.states import observables as observables  # public as `trajbatt.observables`

"""The contract: what every kind of model answers."""

from dataclasses import fields


class WithoutTables:
    """What pickles its fields only, not the tables that were made of them."""

    def __getstate__(self):
        """Return the fields."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

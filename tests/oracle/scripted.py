"""A generator whose draws are given beforehand; only plain Python can call it."""


class Scripted:
    def __init__(self, uniforms=(), exponentials=()):
        self._uniforms, self._exponentials = list(uniforms), list(exponentials)

    def random(self):
        return self._uniforms.pop(0)

    def standard_exponential(self):
        return self._exponentials.pop(0)

    @property
    def used_up(self):
        return not self._uniforms and not self._exponentials

"""Cards: what results show of themselves in a notebook."""

import html
import re


class Card:
    """Shows the lines of `repr` as a table: a heading, then names and values."""

    def _repr_html_(self):
        """Return HTML; text that is no such card stands as it is."""
        heading, *lines = repr(self).splitlines()
        rows = [re.fullmatch(r"  (\S.*?)  +(\S.*)", line) for line in lines]
        if not rows or None in rows:
            return f"<pre>{html.escape(repr(self))}</pre>"
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for name, value in (row.groups() for row in rows)
        )
        return f"<div><strong>{html.escape(heading)}</strong><table>{cells}</table></div>"

"""What the experiments share: verdicts, how one script is run, and how it reports.

A study is a module with a docstring, whose first line is its title, and four functions:

    settings(quick)          -> a frozen dataclass: every number that is chosen
    compute(settings)        -> a dict of arrays and numbers: every number that is found
    draw(settings, found)    -> a matplotlib Figure
    judge(settings, found)   -> a list of Verdict

so that a picture can be drawn again without computing, and a verdict is a function of numbers.
"""

import argparse
import io
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.markup import escape
from rich.table import Table

HOLDS, CONDITIONAL, FAILS = "holds", "holds with conditions", "does not hold"
COLORS = 128  # of a picture: a third of the size, and nobody sees it
DIGITS = 10  # of the numbers in the report: beyond them kinds of processor may differ


@dataclass(frozen=True)
class Verdict:
    """What became of one claim.

    Attributes
    ----------
    claim : str
        In one sentence, with its place in the paper.
    outcome : str
        `HOLDS`, `CONDITIONAL` or `FAILS`.
    finding : str
        One or two sentences with the numbers, and the conditions.
    numbers : dict of str to float
        What the finding rests on, by name.
    """

    claim: str
    outcome: str
    finding: str
    numbers: dict = field(default_factory=dict)

    def __post_init__(self):
        if self.outcome not in (HOLDS, CONDITIONAL, FAILS):
            raise ValueError(f"no such outcome: {self.outcome!r}")


@dataclass(frozen=True)
class Outcome:
    """What one study gave: its verdicts, its picture, and how long it took in seconds."""

    name: str
    title: str
    text: str
    verdicts: list
    figure: object
    seconds: float

    @property
    def numbers(self):
        """The numbers of all verdicts, rounded to `DIGITS` digits."""
        return {
            name: rounded(value)
            for verdict in self.verdicts
            for name, value in verdict.numbers.items()
        }


def run(study, quick):
    """Run one study and return its `Outcome`."""
    start = time.perf_counter()
    chosen = study.settings(quick)
    found = study.compute(chosen)
    verdicts = study.judge(chosen, found)
    figure = study.draw(chosen, found)
    title, _, text = study.__doc__.strip().partition("\n")
    return Outcome(
        name=study.__spec__.name.rpartition(".")[2],
        title=title.rstrip("."),
        text=text.strip(),
        verdicts=verdicts,
        figure=figure,
        seconds=time.perf_counter() - start,
    )


def rounded(value):
    """Return a number, or numbers, as JSON keeps them."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if np.ndim(value):
        return [rounded(one) for one in np.asarray(value).tolist()]
    return value if isinstance(value, int | str) else float(f"{float(value):.{DIGITS}g}")


def save_picture(outcome, folder):
    """Write the picture of a study as a small PNG file and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path, buffer = folder / f"{outcome.name}.png", io.BytesIO()
    outcome.figure.savefig(buffer, dpi=110, format="png")
    Image.open(buffer).convert("RGB").quantize(COLORS).save(path, optimize=True)
    return path


def show(outcome):
    """Print the verdicts of a study as a table."""
    table = Table(title=outcome.title, show_lines=True)
    for heading in ("claim", "verdict", "finding"):
        table.add_column(heading)
    for verdict in outcome.verdicts:
        table.add_row(*map(escape, (verdict.claim, verdict.outcome, verdict.finding)))
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def beside_report(study, outcome):
    """Return the numbers of an outcome beside those that the stored report has.

    Returns
    -------
    dict of str to dict
        `now`; `report`, if it has the number; `goal`, if the study asks for one.
    """
    stored = json.loads((Path(__file__).parent / "report.json").read_text())["studies"]
    known = stored.get(outcome.name, {})
    goals = getattr(study, "GOALS", {})
    return {
        name: {
            "now": value,
            **({"report": known[name]} if name in known else {}),
            **({"goal": goals[name]} if name in goals else {}),
        }
        for name, value in outcome.numbers.items()
    }


def main(study, argv=None):
    """Run one study from the shell: its table, its picture, its numbers."""
    parser = argparse.ArgumentParser(description=study.__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller and faster, for a first look")
    parser.add_argument("--folder", type=Path, default=Path("."), help="where the picture goes")
    parser.add_argument("--json", type=Path, help="write the numbers, beside those in report.json")
    options = parser.parse_args(argv)
    outcome = run(study, options.quick)
    show(outcome)
    if options.json:
        options.json.write_text(json.dumps(beside_report(study, outcome), indent=1) + "\n")
    print(f"{save_picture(outcome, options.folder)} ({outcome.seconds:.1f} s)")

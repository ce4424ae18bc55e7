"""Run every study and write the report: `python -m experiments [--quick] [--only NAME ...]`.

Writes `REPORT.md`, with every verdict and picture, and `report.json`, with every number, beside
this file, or into another folder. The numbers are the same again in every run, but for the times
that `benchmark` measures.
"""

import argparse
import importlib
import json
from pathlib import Path

import trajbatt as tb
from experiments import study

STUDIES = (
    "fig1",
    "fig2",
    "fig3",
    "fig4",
    "secular",
    "waste",
    "fluctuations",
    "power",
    "bounds",
    "supplement",
    "trajectories",
    "noise",
    "time_crystal",
    "superradiance",
    "control",
    "benchmark",
)
INTRODUCTION = """# The paper, reproduced and judged

Pokhrel and Gea-Banacloche, *Large collective power enhancement in dissipative charging of a quantum
battery* (2024), claim by claim. Written by `python -m experiments`; the numbers behind each verdict
are in `report.json`.
"""


def main(argv=None):
    """Run the studies and write the report."""
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller and faster, for a first look")
    parser.add_argument("--only", nargs="+", choices=STUDIES, metavar="NAME", default=STUDIES)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent)
    options = parser.parse_args(argv)
    outcomes = []
    for name in options.only:
        outcome = study.run(importlib.import_module(f"experiments.{name}"), options.quick)
        study.show(outcome)
        outcomes.append(outcome)
        print(f"{name}: {outcome.seconds:.1f} s", flush=True)
    write(outcomes, options.folder)


def write(outcomes, folder):
    """Write the report, the numbers and the pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {outcome.name: outcome.numbers for outcome in outcomes}
    content = {"trajbatt": tb.__version__, "studies": numbers}
    (folder / "report.json").write_text(json.dumps(content, indent=1) + "\n")
    text = "\n".join([INTRODUCTION, *_sections(outcomes, folder)])
    (folder / "REPORT.md").write_text("\n".join(map(_escaped, text.split("\n"))))


def _sections(outcomes, folder):
    for outcome in outcomes:
        picture = study.save_picture(outcome, folder / "figures")
        yield f"## {outcome.title}\n\n{outcome.text}\n"
        yield f"![{outcome.title}](figures/{picture.name})\n"
        yield "| claim | verdict | finding |\n|---|---|---|"
        for verdict in outcome.verdicts:
            cells = (verdict.claim, f"**{verdict.outcome}**", verdict.finding)
            yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
        yield ""


def _escaped(line):
    """Keep Markdown from taking a mean, <n>, for a tag; indented lines are literal."""
    return line if line.startswith("    ") else line.replace("<", "&lt;")

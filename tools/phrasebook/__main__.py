"""Write the phrasebook: ``python -m tools.phrasebook --output data/phrasebook``."""

import argparse
from pathlib import Path

from tools.phrasebook.corpus import SEED, build, write


def main() -> None:
    """Read the options and write the corpus."""
    parser = argparse.ArgumentParser(prog="python -m tools.phrasebook", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("data/phrasebook"), help="folder to write to")
    parser.add_argument("--seed", type=int, default=SEED, help="seed of the grammar")
    arguments = parser.parse_args()
    write(build(arguments.seed), arguments.output)


if __name__ == "__main__":
    main()

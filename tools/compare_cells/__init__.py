"""Every recurrent cell of the recipe, trained under one budget: quality, speed and size, written to `docs/cells.md`."""

"""Programs to run and to read: `python -m bocmat.examples.digits`."""

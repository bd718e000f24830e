"""Long trials, started by hand or by the bench: python -m tests.drills.NAME --json."""

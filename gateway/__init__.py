"""The hospital's front-end machine: acknowledges, deduplicates and applies in one transaction."""

"""For technicians: install, enrol, discover, self-test, update, diagnose."""

"""The tests against the running program; each function `test_*` gets a `World`."""

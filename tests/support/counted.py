"""The properties of crash tests that the end of a test run reports, apart so that nothing else is imported for them."""

COUNTED = "crashes: "
"""Before the name of each property of a test that is a count, and is added up."""
SEED = "CRASH_SEED"
"""The variable that sets what the fault runs draw, and the property of a test that reports what did."""

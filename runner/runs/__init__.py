USUAL = ".runner/runs"
"""The folder of runs that is used where none is named."""

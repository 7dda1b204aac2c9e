"""The version of the program, the only place where it is written, and that of replaying."""

VERSION = "0.2.0"

REPLAY = 11
"""Raised when the engine would play an older journal back otherwise. Only a program with its number resumes a run."""

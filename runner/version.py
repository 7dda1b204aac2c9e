"""The version of the program, the one place where it stands."""

VERSION = "0.2.0"

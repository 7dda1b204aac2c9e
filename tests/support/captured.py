"""The output that a test reads: the fixture of pytest by a short name."""

import pytest

Capture = pytest.CaptureFixture[str]

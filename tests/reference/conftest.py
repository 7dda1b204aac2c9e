from chromium import browser, chromium

__all__ = ["browser", "chromium"]

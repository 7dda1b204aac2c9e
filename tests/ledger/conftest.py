from postgres import fleet, postgres

__all__ = ["fleet", "postgres"]

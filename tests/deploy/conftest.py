from postgres import fleet, own_cluster, postgres

__all__ = ["fleet", "own_cluster", "postgres"]

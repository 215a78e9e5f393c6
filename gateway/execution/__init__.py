"""Running statements on a database: the only place that waits on one."""

"""Privacy metrics, one file per idea."""

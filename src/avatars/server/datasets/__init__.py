"""Datasets: uploaded, read by a worker, kept in one normal form, downloaded."""

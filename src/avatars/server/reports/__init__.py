"""Reports: asked for by users, written by workers, kept with the job that they are about."""

"""Jobs: what users ask for, the thread that hands it out, the workers that do it."""

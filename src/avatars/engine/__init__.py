"""The method: one table of people in, one table of avatars of the same shape, names and types out."""

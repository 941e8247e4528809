"""How long things take, beside a reference stack measured in the same run: `make bench`."""

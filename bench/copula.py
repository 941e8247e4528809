"""A Gaussian copula's fit and sample, as SDV makes it: rdt transforms, copulas fits and samples.

Run by an interpreter of its own (`make bench` sees to it), for these packages want an older pandas. Their licence, the
Business Source License 1.1, allows this use; nothing of ours depends on them. Prints the seconds as JSON.
"""

import json
import sys
import time
import warnings

import pandas as pd
from copulas.multivariate import GaussianMultivariate
from copulas.univariate import BetaUnivariate
from rdt import HyperTransformer


def main(path: str) -> None:
    warnings.simplefilter("ignore")
    table = pd.read_parquet(path)
    started = time.perf_counter()
    transformer = HyperTransformer()
    transformer.detect_initial_config(table)
    model = GaussianMultivariate(distribution=BetaUnivariate)
    model.fit(transformer.fit_transform(table))
    fitted = time.perf_counter()
    transformer.reverse_transform(model.sample(len(table)))
    json.dump({"fit": fitted - started, "sample": time.perf_counter() - fitted}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])

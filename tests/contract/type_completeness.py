"""Is every public name of the package fully typed, for someone who checks their own code against it?

pyright's completeness report, over the package as an installed one would be seen. Types that other packages
leave unknown are theirs; the platform and the command are programs that nobody imports, so mypy's word is enough
for them. Exits 1 and names the gaps where there are some.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

HOUSE = Path(__file__).parents[2]
PROGRAMS = ("avatars.server.", "avatars.cli.", "avatars.__main__.")


def gaps() -> list[str]:
    """Return one line for each public name whose type is not known."""
    command = [
        str(Path(sys.executable).with_name("basedpyright")),
        "--pythonpath",
        sys.executable,
        "--verifytypes",
        "avatars",
        "--ignoreexternal",
        "--outputjson",
    ]
    # The report looks packages up on the path; it does not follow an editable installation.
    path = os.pathsep.join([str(HOUSE / "src"), sysconfig.get_path("purelib")])
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(command, env=environment, cwd=HOUSE, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    if not report["typeCompleteness"]["exportedSymbolCounts"]["withKnownType"]:
        return [entry["message"] for entry in report["generalDiagnostics"]] or ["nothing was examined"]
    return [
        f"{symbol['name']}: {finding['message']}"
        for symbol in report["typeCompleteness"]["symbols"]
        if symbol["isExported"] and not symbol["name"].startswith(PROGRAMS)
        for finding in symbol["diagnostics"]
        if finding["severity"] == "error"
    ]


if __name__ == "__main__":
    found = gaps()
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    sys.exit(bool(found))

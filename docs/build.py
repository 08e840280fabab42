"""Build the documentation site: `python docs/build.py [FOLDER]`, by default docs/_build/html.

Needs no network, and the pages ask nothing of it. A warning is an error. Nothing is executed here:
docs/run_pages.py and the tests run every block and compare what it prints.
"""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent


def build(folder: Path) -> int:
    """Build the site into a folder, pages below `html`; return 0 when there was no warning."""
    from sphinx.cmd.build import main

    # -E: pages change with docs/conf.py and docstrings too, so all of them are read anew
    options = ["-q", "-E", "-W", "--keep-going", "-b", "html", "-d", str(folder / "doctrees")]
    return int(main([*options, str(DOCS), str(folder / "html")]))


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS / "_build"
    code = build(target)
    print(f"The site: {target / 'html' / 'index.html'}" if code == 0 else "The site has warnings.")
    sys.exit(code)

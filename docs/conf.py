"""How the documentation is built: `python -m sphinx -W docs docs/_build/html`."""

from __future__ import annotations

import re
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent / "wagtail_triggers"
_version = re.search(r'__version__ = "(.+)"', (_PACKAGE / "__init__.py").read_text("utf-8"))

project = "wagtail_triggers"
author = "wagtail_triggers contributors"
copyright = author
release = version = _version[1] if _version else ""
language = "en"

extensions = ["myst_parser", "sphinx_copybutton", "sphinx_wagtail_theme"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# Liquid has no lexer under its own name in every version of Pygments.
highlight_language = "text"

html_theme = "sphinx_wagtail_theme"
html_title = "wagtail_triggers"
html_theme_options = {
    "project_name": "wagtail_triggers",
    "logo": "",
    "footer_links": "",
    "github_url": "",
}
html_show_sourcelink = False
html_show_copyright = False

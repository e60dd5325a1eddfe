"""Prefect's own server without its newer UI: started as a module, with the words of the command ``prefect``.

The older UI offers the newer one, by a menu entry and a banner, wherever that is there, and no setting of Prefect takes
it away (3.8.8: ``ui.v2_enabled`` only says which of the two comes first). Its pages call an analytics host.
"""

from __future__ import annotations

from pathlib import Path

import prefect


def without_newer_ui() -> None:
    """Let the server find no files of the newer UI: it then serves, and tells its pages of, the older one alone."""
    assert hasattr(prefect, "__ui_v2_static_path__"), "Prefect keeps its newer UI elsewhere now"
    prefect.__ui_v2_static_path__ = Path(__file__).parent / "no-newer-ui"


if __name__ == "__main__":
    without_newer_ui()
    from prefect.cli import app

    app()

"""What all figures have in common: the look, and files that are the same whenever the data are."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seq2seq.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Okabe and Ito's colours, which colour-blind people tell apart.
BLUE, ORANGE, GREEN, PURPLE, GREY, SKY, BLACK, RED = (
    "#0072B2", "#D55E00", "#009E73", "#AA4499", "#7F7F7F", "#56B4E9", "#222222", "#C1121F",
)  # fmt: skip

#: Endings of files that :func:`encoded` makes.
FORMATS = ("png", "svg", "pdf")

#: Tried after DejaVu Sans, which matplotlib brings, for scripts that it lacks.
_OTHER_FONTS = ("Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans Arabic", "Noto Sans Devanagari", "Arial Unicode MS")

#: Of a PNG that is drawn while a training waits: a third larger, and compressed in a quarter of the time.
_QUICK = {"compress_level": 1}

_LOOK: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be found, copied and read aloud
    "svg.hashsalt": "seq2seq",  # the ids in an SVG are otherwise random
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.labelcolor": BLACK,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": "#E3E3E3",
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "legend.frameon": False,
}


def require_matplotlib() -> None:
    """Raise UsageError, with the way to mend it, where the package was installed without its dependencies."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise UsageError("drawing needs matplotlib, which is not installed; pip install matplotlib brings it") from None


@contextmanager
def look() -> Iterator[None]:
    """The look of the project's figures, while one is made and saved. Raises UsageError without matplotlib."""
    require_matplotlib()
    import matplotlib
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    families = ["DejaVu Sans", *(name for name in _OTHER_FONTS if name in installed)]
    with matplotlib.rc_context({**_LOOK, "font.family": families}):
        yield


def new_figure(width: float, height: float, *, tight: bool = False) -> Figure:
    """An empty figure of so many inches, which belongs to no window.

    It is laid out so that nothing is cut off or overlaps; with `tight`, axes stay where they are put.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout=None if tight else "constrained")


def png(figure: Figure, *, dpi: int, tight: bool = False) -> bytes:
    """The figure as a PNG; with `tight`, cut to what is drawn, or widened to it."""
    content = io.BytesIO()
    with _any_script():
        if tight:
            figure.savefig(content, format="png", dpi=dpi, bbox_inches="tight", pad_inches=0.12, pil_kwargs=_QUICK)
        else:
            figure.savefig(content, format="png", dpi=dpi, pil_kwargs=_QUICK)
    return content.getvalue()


def encoded(figure: Figure, kind: str) -> bytes:
    """The figure as one of :data:`FORMATS`, byte for byte the same for the same figure."""
    content = io.BytesIO()
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    with _any_script():
        figure.savefig(content, format=kind, dpi=160, metadata=metadata)
    return content.getvalue()


@contextmanager
def _any_script() -> Iterator[None]:
    """A script for which no font is installed: boxes in the PNG, while an SVG's text is whole, and no warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)
        yield


def save(figure: Figure, prefix: Path) -> tuple[Path, Path]:
    """Write `prefix`.png and `prefix`.svg, byte for byte the same for the same figure; returns both paths.

    Raises:
        UsageError: the folder cannot be written to.
    """
    bitmap, drawing = prefix.with_name(prefix.name + ".png"), prefix.with_name(prefix.name + ".svg")
    try:
        prefix.parent.mkdir(parents=True, exist_ok=True)
        with _any_script():
            figure.savefig(bitmap, dpi=160, bbox_inches="tight", pad_inches=0.12)
            figure.savefig(drawing, bbox_inches="tight", pad_inches=0.12, metadata={"Date": None})
    except OSError as error:
        raise UsageError(f"cannot write {prefix}.png and .svg: {error.strerror}") from None
    return bitmap, drawing

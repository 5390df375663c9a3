"""Building a page as a tree: what comes from a ledger can't become markup, whatever it holds.

The standard library's ElementTree escapes every text and attribute when the tree is written, so no
template engine is needed beside it. Every text also passes :func:`mission_tui.text.clean`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias
from xml.etree import ElementTree

from mission_tui.text import clean

Element: TypeAlias = ElementTree.Element
Child: TypeAlias = "Element | str | None"

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""Nothing may be loaded or run, even if a text found its way into the markup."""

STYLE: Final = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, sans-serif; color: #111; background: #fff; margin: 2rem auto;
  max-width: 62rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; }
h2 { font-size: 1.25rem; margin-top: 2.2rem; border-bottom: 2px solid #111; }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p { max-width: 46rem; }
table { border-collapse: collapse; margin: .4rem 0 1rem; font-size: .86rem; }
th, td { border-bottom: 1px solid #bbb; padding: .18rem .6rem .18rem 0; text-align: left;
  vertical-align: top; overflow-wrap: anywhere; }
th { border-bottom: 2px solid #111; } td.n, th.n { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.beside { display: flex; flex-wrap: wrap; gap: 0 2rem; align-items: flex-start; }
.beside svg { flex: 0 1 30rem; width: 30rem; max-width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: #111; }
.note { color: #333; font-size: .9rem; } .held { font-weight: 600; }
@media print {
  body { margin: 0; max-width: none; font-size: 10pt; }
  h2 { break-after: avoid; } h3 { break-after: avoid; }
  .beside, tr { break-inside: avoid; }
}
"""


def el(tag: str, *children: Child, **attributes: str) -> Element:
    """An element with texts and elements in it. A trailing ``_`` of an attribute's name is cut."""
    given = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    found = ElementTree.Element(tag, given)
    last: Element | None = None
    for child in children:
        if isinstance(child, str):
            if last is None:
                found.text = (found.text or "") + clean(child)
            else:
                last.tail = (last.tail or "") + clean(child)
        elif child is not None:
            found.append(child)
            last = child
    return found


def table(
    head: Sequence[str], rows: Iterable[Sequence[Child]], numbers: Sequence[int] = ()
) -> Element:
    """A table; ``numbers`` are the columns that are set flush right."""

    def cell(tag: str, n: int, child: Child) -> Element:
        return el(tag, child, class_="n") if n in numbers else el(tag, child)

    top = el("tr", *(cell("th", n, name) for n, name in enumerate(head)))
    body = (el("tr", *(cell("td", n, child) for n, child in enumerate(row))) for row in rows)
    return el("table", el("thead", top), el("tbody", *body))


def document(title: str, *children: Child) -> str:
    """The whole page as text."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=POLICY),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", title),
    )
    style = ElementTree.SubElement(head, "style")
    style.text = STYLE
    page = el("html", head, el("body", *children), lang="en")
    return "<!DOCTYPE html>\n" + ElementTree.tostring(page, encoding="unicode", method="html")

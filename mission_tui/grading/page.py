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
:root { color-scheme: light; --ink: #16202a; --soft: #55616d; --line: #d5dae0; --pale: #f3f6f9;
  --blue: #0072b2; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif;
  color: var(--ink); background: #fff; margin: 0 auto; max-width: 64rem; padding: 2.2rem 1.4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 3rem 0 .7rem; padding-top: .5rem;
  border-top: 3px solid var(--blue); }
h3 { font-size: 1.02rem; margin: 1.7rem 0 .3rem; }
p { max-width: 46rem; margin: .45rem 0; overflow-wrap: anywhere; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin: 1.2rem 0 0; font-size: .9rem; }
nav a { color: var(--blue); }
.cards { display: flex; flex-wrap: wrap; gap: .7rem; margin: 1.2rem 0 .8rem; padding: 0; }
.cards div { background: var(--pale); border-left: 4px solid var(--blue);
  padding: .5rem 1.1rem .5rem .8rem; }
.cards b { display: block; font-size: 1.45rem; line-height: 1.25;
  font-variant-numeric: tabular-nums; }
.cards span { color: var(--soft); font-size: .85rem; }
table { border-collapse: collapse; margin: .5rem 0 1rem; font-size: .86rem; line-height: 1.35; }
th, td { border-bottom: 1px solid var(--line); padding: .26rem .9rem .26rem 0; text-align: left;
  vertical-align: top; overflow-wrap: break-word; }
tr > :last-child { padding-right: 0; }
th { border-bottom: 2px solid var(--ink); vertical-align: bottom; }
td.n, th.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.t { overflow-wrap: anywhere; min-width: 11rem; }
tbody tr:nth-child(even) td { background: var(--pale); }
.beside { display: flex; flex-wrap: wrap; gap: 0 2.2rem; align-items: flex-start; }
.beside svg { flex: 0 1 33rem; width: 33rem; max-width: 100%; height: auto; margin-top: .5rem; }
svg text { font: 12px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif;
  fill: #16202a; }
.note { color: var(--soft); font-size: .9rem; }
.file { color: var(--soft); font-size: .85em; overflow-wrap: anywhere; }
.held { display: inline-block; min-width: 8rem; font-weight: 600; }
@page { size: A4; margin: 14mm 13mm; }
@media print {
  body { margin: 0; padding: 0; max-width: none; font-size: 9.5pt; }
  nav { display: none; }
  h2, h3, h3 ~ p { break-after: avoid; }
  h2 { margin-top: 1.6rem; }
  .beside, tr, .cards { break-inside: avoid; }
  table { font-size: 8pt; }
  th, td { padding: .12rem .6rem .12rem 0; }
  td.t { min-width: 9rem; }
  .beside { flex-wrap: nowrap; gap: 0 1rem; }
  .beside svg { flex: 0 1 25rem; width: 25rem; min-width: 20rem; }
  .beside table { font-size: 7.5pt; white-space: nowrap; }
  .cards div, tbody tr:nth-child(even) td { print-color-adjust: exact; }
  svg { print-color-adjust: exact; }
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
    head: Sequence[str],
    rows: Iterable[Sequence[Child]],
    numbers: Sequence[int] = (),
    texts: Sequence[int] = (),
) -> Element:
    """A table: columns of ``numbers`` flush right, those of ``texts`` broken where need be."""

    def cell(tag: str, n: int, child: Child) -> Element:
        kind = "n" if n in numbers else "t" if n in texts else ""
        return el(tag, child, class_=kind) if kind else el(tag, child)

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

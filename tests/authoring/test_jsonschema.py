"""The format as editors and readers get it is the format that is checked.

``python tests/authoring/test_jsonschema.py`` renews the reference in ``docs/authors.md``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import tomli

from engine import registry
from mission_tui.authoring import jsonschema, new
from mission_tui.cli import main
from mission_tui.content import schema as types

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "authors.md"
MISSIONS = (
    ROOT / "missions" / "vol2-11-edge-intelligence.toml",
    ROOT / "tests" / "missions" / "table.toml",
    ROOT / "tests" / "missions" / "author-example" / "vineyard-mesh.toml",
)
SECTIONS = {"tables": jsonschema.tables_reference, "models": jsonschema.models_reference}


@pytest.fixture(scope="module", autouse=True)
def toy() -> None:
    """The models that ship, without the gate's toy: the reference is of those."""


def wrong(value: Any, said: dict[str, Any], top: dict[str, Any], at: str = "") -> list[str]:
    """What a JSON Schema says against a value: as much of the standard as ours uses."""
    if "$ref" in said:
        return wrong(value, top["$defs"][said["$ref"].rpartition("/")[2]], top, at)
    if "anyOf" in said:
        branches = [wrong(value, each, top, at) for each in said["anyOf"]]
        return [] if not all(branches) else branches[0]
    found = []
    kinds = {
        "object": isinstance(value, dict),
        "array": isinstance(value, list),
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, (int, float)) and not isinstance(value, bool),
    }
    if "type" in said and not kinds[said["type"]]:
        return [f"{at}: no {said['type']}"]
    if "const" in said and value != said["const"]:
        found.append(f"{at}: not {said['const']!r}")
    if "enum" in said and value not in said["enum"]:
        found.append(f"{at}: none of {said['enum']}")
    if isinstance(value, str) and len(value) > said.get("maxLength", len(value)):
        found.append(f"{at}: too long")
    if isinstance(value, list):
        for each in value if "items" in said else ():
            found += wrong(each, said["items"], top, at)
    if isinstance(value, dict):
        found += [f"{at}: {key} is missing" for key in said.get("required", ()) if key not in value]
        for key, each in value.items():
            inner = said.get("properties", {}).get(key)
            for pattern, body in said.get("patternProperties", {}).items():
                if inner is None and re.search(pattern, key):
                    inner = body
            inner = inner if inner is not None else said.get("additionalProperties", {})
            if inner is False:
                found.append(f"{at}.{key}: no such key")
            elif isinstance(inner, dict):
                found += wrong(each, inner, top, f"{at}.{key}")
    return found


def judged(tree: dict[str, Any]) -> list[str]:
    made = jsonschema.mission_schema()
    return wrong(tree, made, made)


@pytest.mark.parametrize("path", MISSIONS, ids=lambda path: path.stem)
def test_missions_that_load_hold_by_the_schema(path: Path) -> None:
    assert judged(tomli.loads(path.read_text())) == []


@pytest.mark.parametrize("kind", new.KINDS)
def test_new_missions_hold_by_the_schema_beside_them(tmp_path: Path, kind: str) -> None:
    path = new.create("one", kind, tmp_path)[0]
    made = json.loads((tmp_path / new.SCHEMA_FILE).read_text())
    assert wrong(tomli.loads(path.read_text()), made, made) == []


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("schema = 1", "schema = 2", "schema: not 1"),
        ('title = "One"', 'titel = "One"', "titel: no such key"),
        ('title = "One"', f'title = "{"x" * 25}"', "title: too long"),
        ('kind = "live"', 'kind = "alive"', "kind: none of"),
        ("minutes = 15", 'minutes = "15"', "minutes: no integer"),
        ('metric = "inference_memory"', "metric = 1", "metric: no string"),
        ("[tracks.edge.crisis]", "[tracks.edge.crysis]", "crysis: no such key"),
    ],
)
def test_mistakes_are_seen_by_the_schema(
    tmp_path: Path, before: str, after: str, says: str
) -> None:
    text = new.create("one", "live", tmp_path)[0].read_text()
    assert before in text
    found = judged(tomli.loads(text.replace(before, after, 1)))
    assert any(says in line for line in found), found


def test_every_key_of_every_table_is_explained_and_no_other() -> None:
    said = {
        f"{table.__name__}.{key}"
        for _, table in jsonschema.TABLES
        for key, _, _ in jsonschema.keys(table)
    }
    assert said == set(jsonschema.WORDS)
    tables = {table for _, table in jsonschema.TABLES}
    defined = {
        each
        for each in vars(types).values()
        if isinstance(each, type) and issubclass(each, types.Table)
    }
    assert defined - tables == {types.Table, types.Personas}
    assert all(words and len(words) <= 100 for words in jsonschema.WORDS.values())


def test_every_control_and_metric_of_every_model_is_in_the_reference() -> None:
    for name in registry.names():
        model, text = registry.model(name), jsonschema.models_reference([name])
        for each in (*model.controls, *model.metrics, *model.series):
            assert f"| `{each.name}` |" in text
        for mechanism in model.mechanisms:
            assert f"| `{mechanism.id}` |" in text


@pytest.mark.parametrize("name", SECTIONS)
def test_authors_page_has_the_reference_as_the_program_writes_it(name: str) -> None:
    assert section(DOCS.read_text(encoding="utf-8"), name) == SECTIONS[name]()


def test_schema_is_written_where_it_is_asked_and_over_itself_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mission.schema.json"
    assert main(["schema", str(path)]) == main(["schema", str(path)]) == 0
    assert json.loads(path.read_text()) == jsonschema.mission_schema()
    mine = tmp_path / "mine.toml"
    mine.write_text("schema = 1\n")
    assert main(["schema", str(mine)]) == 2
    assert mine.read_text() == "schema = 1\n"
    assert main(["schema", "--models", "warp"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert "no model is called 'warp'" in errors[1]


def test_reference_is_printed_for_a_reader(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--models", "gossip"]) == 0
    assert "`radio_range`" in capsys.readouterr().out
    assert main(["schema", "--tables"]) == 0
    assert "`distinct_runs`" in capsys.readouterr().out


def section(text: str, name: str) -> str:
    """What stands between a section's marks in the authors' page."""
    return text.partition(f"<!-- {name} -->\n")[2].partition("<!-- end -->")[0]


def renewed(text: str) -> str:
    """The authors' page with its reference as the program writes it now."""
    for name, write in SECTIONS.items():
        mark = f"<!-- {name} -->\n"
        head, _, rest = text.partition(mark)
        text = head + mark + write() + "<!-- end -->" + rest.partition("<!-- end -->")[2]
    return text


if __name__ == "__main__":
    DOCS.write_text(renewed(DOCS.read_text(encoding="utf-8")), encoding="utf-8")

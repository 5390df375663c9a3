from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_tui.content import space
from mission_tui.content.load import (
    MissionError,
    MissionFile,
    Problem,
    files,
    load,
    load_personas,
    merged_over,
    mission_hash,
)
from mission_tui.content.schema import Mission
from tests.conftest import WALL

NAME = "memory-wall.toml"
ONE = "[parts.memory]\n"
SEEDS = "seeds = [11, 23, 37, 41, 53, 67, 79, 83, 97, 101, 113, 127, 131, 149, 151, 163]"


class Desk:
    """A copy of the shipped files that a test may spoil."""

    def __init__(self, folder: Path, missions: Path) -> None:
        self.path = folder / NAME
        self.tracks = folder / "tracks.toml"
        self.text = (missions / NAME).read_text("utf-8")
        # The tests spoil these lines; the shipped mission's numbers may change under them.
        self.text = re.sub(r"(?m)^(seeds|at_least) = .*\n", "", self.text)
        self.change(ONE, f"{ONE}{SEEDS}\n")
        for track in ("cloud", "edge", "mobile", "tiny"):
            head = f"[tracks.{track}.parts.memory.specs.accuracy]\n"
            self.change(head, f"{head}at_least = 80.0\n")
        self.tracks.write_bytes((missions / "tracks.toml").read_bytes())

    def change(self, old: str, new: str, count: int = 1) -> None:
        assert old in self.text
        self.text = self.text.replace(old, new, count)
        self.path.write_text(self.text, "utf-8")

    def change_tracks(self, old: str, new: str) -> None:
        text = self.tracks.read_text("utf-8")
        assert old in text
        self.tracks.write_text(text.replace(old, new, 1), "utf-8")

    def line(self, text: str) -> int:
        return self.text[: self.text.index(text)].count("\n") + 1

    def problems(self) -> tuple[Problem, ...]:
        with pytest.raises(MissionError) as refused:
            load(self.path)
        return refused.value.problems

    def track(self, track: str) -> Mission:
        return load(self.path).tracks[track]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, WALL)


def test_every_shipped_mission_loads_on_all_four_tracks(missions: Path) -> None:
    found = [load(path) for path in files(missions)]
    assert found
    for file in found:
        assert set(file.tracks) == {"cloud", "edge", "mobile", "tiny"}
        assert file.id == file.path.stem


def test_language_overlays_and_tracks_are_no_missions(tmp_path: Path) -> None:
    for name in ("tracks.toml", "b.toml", "a.toml", "a.de.toml", "note.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in files(tmp_path)] == ["a.toml", "b.toml"]


TINY_SLIDER = '[tracks.tiny.parts.memory.sliders.batch]\nlabel = "Batch"\n'

# what is replaced, by what, the text whose line is named, the key, a word of the message
SPOILT = {
    "unknown key": ('kind = "live"\n', 'kind = "live"\nkimd = 1\n', "kimd", "kimd", "spelling"),
    "wrong type": ("minutes = 15", 'minutes = "15"', 'minutes = "15"', "minutes", "integer"),
    "unknown kind": ('kind = "live"', 'kind = "lively"', "lively", "kind", "'live'"),
    "unknown model": ('model = "adaptation"', 'model = "adoption"', "adoption", "model", "known"),
    "unknown metric": (
        'query = "point"\nmetric = "inference_memory"',
        'query = "point"\nmetric = "inference_money"',
        'metric = "inference_money"',
        "given.inference.metric",
        "known: peak_memory",
    ),
    "unknown spec metric": (
        'metric = "accuracy"\nlabel',
        'metric = "acuracy"\nlabel',
        'metric = "acuracy"',
        "specs.accuracy.metric",
        "'acuracy' is not known",
    ),
    "wrong type inside a query": (
        'metric = "inference_memory"',
        "metric = 5",
        "metric = 5",
        "given.inference.metric",
        "string",
    ),
    "unknown query": (
        'query = "point"\nmetric = "trained_parameters"',
        'query = "paint"\nmetric = "trained_parameters"',
        'query = "paint"',
        "given.parameters.query",
        "'paint'",
    ),
    "unknown control": (
        'setting = { method = "full" }',
        'setting = { methud = "full" }',
        "setting = { methud",
        "given.parameters.setting",
        "known controls",
    ),
    "unknown option of the engine": (
        'sets = { method = "bias" }',
        'sets = { method = "bios" }',
        "[parts.memory.sliders.tuning.options.bias]",
        "sliders.tuning.options.bias",
        "choose one of",
    ),
    "unknown constant": (
        'at_most = "learning_slice"',
        'at_most = "learning_slize"',
        "[parts.memory.specs.peak]",
        "specs.peak",
        "no constant is called",
    ),
    "unknown mechanism": (
        '"gradients", "optimizer", "activations"]',
        '"gradients", "optimism", "activations"]',
        "mechanisms = [",
        "locks.least.mechanisms",
        "'optimism' is no term",
    ),
    "mechanism that no model has": (
        'domain = "domain:',
        'demesne = "domain:',
        "[parts.memory.mechanisms]",
        "mechanisms",
        "'demesne' is not known",
    ),
    "too wide text": (
        'hook = "learn where',
        f'hook = "{"w" * 80}',
        "hook = ",
        "hook",
        "at most 74 characters",
    ),
    "unknown placeholder": (
        "Inference fits: it needs {inference}",
        "Inference fits: it needs {inferense}",
        'objective = """',
        "objective",
        "{inferense} can't be filled",
    ),
    "too few seeds": (SEEDS, "seeds = [1, 2, 3]", "seeds = [1", "seeds", "at least 16"),
    "doubled seed": ("seeds = [11, 23", "seeds = [11, 11", "seeds = [11", "seeds", "twice"),
    "negative seed": ("seeds = [11, 23", "seeds = [-11, 23", "seeds = [-11", "seeds.0", "0"),
    "both limits": (
        'at_most = "learning_slice"',
        'at_most = "learning_slice"\nat_least = 1.0',
        "[parts.memory.specs.peak]",
        "specs.peak",
        "one limit",
    ),
    "no limit": (
        'at_most = "learning_slice"\n',
        "",
        "[parts.memory.specs.peak]",
        "specs.peak",
        "one limit",
    ),
    "lock with one mechanism": (
        'mechanisms = ["weights", "gradients", "optimizer", "activations"]',
        'mechanisms = ["weights"]',
        'mechanisms = ["weights"]',
        "locks.least.mechanisms",
        "at least two",
    ),
    "prefilled lock": (
        '[parts.memory.locks.least]\nkind = "number"',
        '[parts.memory.locks.least]\nprefilled = 4.2\nkind = "number"',
        "prefilled",
        "locks.least.prefilled",
        "spelling",
    ),
    "claim about what can't be explained": (
        'metrics = ["peak_memory", "accuracy"]',
        'metrics = ["peak_memory", "amplification"]',
        "metrics = [",
        "claim.metrics",
        "can explain",
    ),
    "budgeted without runs": ('kind = "live"', 'kind = "budgeted"', ONE, "runs", "how many runs"),
    "budgeted with no run": (
        'kind = "live"',
        'kind = "budgeted"\nruns = -3',
        "runs = -3",
        "runs",
        "greater than or equal to 2",
    ),
    "number without a source": (
        'label = "Passes over the data"\nsource = ',
        'label = "Passes over the data"\nassumption = true\n#',
        "[parts.memory.fixed.epochs]",
        "fixed.epochs.source",
        "missing",
    ),
    "assumption without a range": (
        'label = "Passes over the data"\n',
        'label = "Passes over the data"\nassumption = true\n',
        "[parts.memory.fixed.epochs]",
        "fixed.epochs",
        "says its range",
    ),
    "value outside its own range": (
        'label = "Passes over the data"\n',
        'label = "Passes over the data"\nrange = [5.0, 6.0]\n',
        "[parts.memory.fixed.epochs]",
        "fixed.epochs",
        "outside its own range",
    ),
    "fixed value that the engine refuses": (
        "value = 4\n",
        "value = 400\n",
        "value = 400",
        "fixed.epochs.value",
        "1 to 20",
    ),
    "not a number": ("value = 4\n", "value = nan\n", "value = nan", "fixed.epochs.value", "finite"),
    "an enormous number": (
        "value = 4\n",
        f"value = {10**400}\n",
        "value = 1000",
        "fixed.epochs.value",
        "less than",
    ),
    "fixed control that no model has": (
        "[parts.memory.fixed.epochs]",
        "[parts.memory.fixed.epocs]",
        "[parts.memory.fixed.epocs]",
        "fixed.epocs",
        "no such control",
    ),
    "lock truth over no slider": (
        'query = "point"\nmetric = "peak_memory"',
        'query = "best"\nover = ["speed"]\nmetric = "peak_memory"',
        'over = ["speed"]',
        "locks.least.truth.over",
        "no slider is called",
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_fault_in_the_shared_tree_is_said_at_its_line(desk: Desk, name: str) -> None:
    old, new, at, key, words = SPOILT[name]
    scoped = desk.text.index(ONE) if not old.startswith("hook") else 0
    desk.text = desk.text[:scoped] + desk.text[scoped:].replace(old, new, 1)
    desk.path.write_text(desk.text, "utf-8")
    line = desk.text[: desk.text.index(at, scoped)].count("\n") + 1
    full = key if key == "hook" else f"parts.memory.{key}"
    said = [p for p in desk.problems() if p.key == full]
    assert {(p.file, p.line) for p in said} == {(NAME, line)}, desk.problems()
    assert len({p.message.partition("; known")[0] for p in said}) <= 2
    assert words in "\n".join(p.message for p in said)
    assert str(said[0]).startswith(f"{NAME}:{line}: {full}: ")


# the same for one track's overlay
OVERLAID = {
    "default off the grid": (
        'tuning = "full"\nbatch = 8\noptimizer = "adam"\n\n[tracks.tiny',
        'tuning = "full"\nbatch = 9\noptimizer = "adam"\n\n[tracks.tiny',
        "batch = 9",
        "default.batch",
        "give a step from 1 to 16",
    ),
    "default of another slider": (
        "[tracks.tiny.parts.memory.default]\n",
        "[tracks.tiny.parts.memory.default]\nspeed = 1\n",
        "speed = 1",
        "default.speed",
        "known sliders",
    ),
    "true is no number": (
        '[tracks.tiny.parts.memory.reference]\ntuning = "bias"\nbatch = 1\n',
        '[tracks.tiny.parts.memory.reference]\ntuning = "bias"\nbatch = true\n',
        "batch = true",
        "reference.batch",
        "give a step",
    ),
    "slider that has no default": (
        '[tracks.tiny.parts.memory.default]\ntuning = "full"\n',
        "[tracks.tiny.parts.memory.default]\n",
        "[tracks.tiny.parts.memory.default]",
        "default",
        "'tuning' is missing",
    ),
    "missing key": (
        'label = "Batch"\nlow = 1\nhigh = 16\n\n[tracks.tiny',
        "low = 1\nhigh = 16\n\n[tracks.tiny",
        "[tracks.tiny.parts.memory.sliders.batch]",
        "sliders.batch.label",
        "missing",
    ),
    "unit of something else": (
        'unit = "kB"',
        'unit = "ms"',
        'unit = "ms"',
        "locks.least.unit",
        "B",
    ),
    "option that is no value": (
        'momentum = { label = "momentum" }\nadam = { label = "Adam" }\n\n[tracks.tiny',
        'impetus = { label = "momentum" }\nadam = { label = "Adam" }\n\n[tracks.tiny',
        "impetus",
        "sliders.optimizer.options.impetus",
        "choose one of sgd",
    ),
    "low above high": (
        TINY_SLIDER + "low = 1\nhigh = 16",
        TINY_SLIDER + "low = 16\nhigh = 1",
        TINY_SLIDER,
        "sliders.batch",
        "must be less than high",
    ),
    "step that never ends": (
        TINY_SLIDER,
        TINY_SLIDER + "step = 1\n",
        "step = 1\n",
        "sliders.batch.step",
        "is no step",
    ),
    "more steps than anyone turns": (
        TINY_SLIDER,
        TINY_SLIDER + "step = 1.0000001\n",
        "step = 1.0000001\n",
        "sliders.batch.step",
        "more than 1,000 steps",
    ),
    "steps that fall together": (
        TINY_SLIDER,
        TINY_SLIDER + "step = 1.1\n",
        "step = 1.1\n",
        "sliders.batch.step",
        "steps fall on one value",
    ),
    "outside the engine": (
        TINY_SLIDER + "low = 1\nhigh = 16",
        TINY_SLIDER + "low = 1\nhigh = 160",
        TINY_SLIDER,
        "sliders.batch",
        "160 is outside 1 to 64",
    ),
    "fixed and a slider": (
        "[tracks.tiny.parts.memory.fixed]\n",
        "[tracks.tiny.parts.memory.fixed]\n"
        'batch = { value = 1, label = "B", source = "a scenario" }\n',
        TINY_SLIDER,
        "sliders.batch",
        "is fixed too",
    ),
    "set by two sliders": (
        "[tracks.tiny.parts.memory.sliders.tuning.options]\n",
        "",
        TINY_SLIDER,
        "sliders.batch",
        "set by the slider tuning too",
    ),
    "constant in another unit": (
        "[tracks.tiny.parts.memory.specs.accuracy]\n",
        '[tracks.tiny.parts.memory.specs.peak]\nat_most = "seconds"\n\n'
        '[tracks.tiny.constants.seconds]\nvalue = 1.0\nunit = "s"\nlabel = "S"\n'
        'source = "a scenario"\n\n[tracks.tiny.parts.memory.specs.accuracy]\n',
        "[tracks.tiny.parts.memory.specs.peak]",
        "specs.peak",
        "is in 's' and peak_memory in 'B'",
    ),
}


@pytest.mark.parametrize("name", OVERLAID)
def test_a_fault_in_an_overlay_is_said_once_at_the_overlays_line(desk: Desk, name: str) -> None:
    old, new, at, key, words = OVERLAID[name]
    scoped = desk.text.index("[tracks.tiny.crisis]")
    tail = desk.text[scoped:] + "\n[tracks.tiny"  # so that the last table has one after it
    if name == "set by two sliders":
        tail = tail.replace(
            TINY_SLIDER,
            '[tracks.tiny.parts.memory.sliders.tuning.options.one]\nlabel = "one"\n'
            f'sets = {{ method = "full", batch = 1 }}\n\n{TINY_SLIDER}',
        )
    else:
        assert old in tail
        tail = tail.replace(old, new, 1)
    desk.text = desk.text[:scoped] + tail.removesuffix("\n[tracks.tiny")
    desk.path.write_text(desk.text, "utf-8")
    line = desk.text[: desk.text.index(at, scoped)].count("\n") + 1
    said = [p for p in desk.problems() if p.key.endswith(f"parts.memory.{key}")]
    assert [(p.file, p.line) for p in said] == [(NAME, line)], desk.problems()
    assert words in said[0].message


def test_all_faults_are_reported_at_once(desk: Desk) -> None:
    desk.change('hook = "learn', 'hock = "learn')
    desk.change("minutes = 15", "minutes = true")
    desk.change('unit = "kB"', "unit = 5")
    keys = {problem.key for problem in desk.problems()}
    assert {"hock", "hook", "parts.memory.minutes"} <= keys
    assert any(key.endswith("locks.least.unit") for key in keys)


def test_a_choice_lock_offers_values_that_its_slider_has(desk: Desk) -> None:
    start = desk.text.index("[tracks.tiny.parts.memory.locks.least]\n")
    desk.text = desk.text[:start] + desk.text[start:].replace(
        'unit = "kB"\n', 'kind = "choice"\noptions = { 1 = "one", 3 = "three" }\n'
    )
    desk.change(
        "[tracks.tiny.parts.memory.locks.least.truth]\n",
        '[tracks.tiny.parts.memory.locks.least.truth]\nquery = "argbest"\nover = "batch"\n'
        "margin = 1.0\n",
    )
    (problem,) = desk.problems()
    assert problem.key.endswith("locks.least.options.3")
    assert problem.message == "batch cannot stand there"


def test_whether_a_setting_exists_is_answered_by_yes_or_no(desk: Desk) -> None:
    mission = desk.track("tiny")
    part = mission.parts["memory"]
    lock = part.locks["least"].model_dump()
    lock |= {
        "kind": "choice",
        "options": {"maybe": "Maybe", "never": "Never"},
        "truth": {"query": "exists", "over": ("batch",), "under": ("peak",)},
    }
    from mission_tui.content.check import problems

    spoilt = part.model_copy(update={"locks": {"least": type(part.locks["least"])(**lock)}})
    found = list(problems(mission.model_copy(update={"parts": {"memory": spoilt}})))
    assert [key[-1] for key, _ in found] == ["options"]


def test_a_ratio_is_asked_for_in_times(desk: Desk) -> None:
    start = desk.text.index("[tracks.tiny.parts.memory.locks.least.truth]\n")
    desk.text = desk.text[:start] + desk.text[start:].replace(
        "setting = {", 'query = "ratio"\nfirst = {', 1
    )
    desk.path.write_text(desk.text, "utf-8")
    assert [p.message for p in desk.problems()] == ["'kB' is no unit of '×', the metric's"]


def test_two_parts_of_the_same_order_are_refused(wall: MissionFile) -> None:
    from mission_tui.content.check import problems

    mission = wall.tracks["edge"]
    part = mission.parts["memory"]
    doubled = mission.model_copy(update={"parts": {"memory": part, "again": part}})
    assert [message for _, message in problems(doubled)] == [
        "two parts have the same order; number them 1, 2, 3"
    ]


def test_an_unknown_track_and_a_file_without_tracks_are_refused(desk: Desk) -> None:
    desk.change("[tracks.tiny.crisis]", "[tracks.huge.crisis]")
    (unknown,) = [p for p in desk.problems() if p.key == "tracks.huge"]
    assert unknown.line == desk.line("[tracks.huge.crisis]")
    assert "known: cloud, edge" in unknown.message
    desk.text = desk.text[: desk.text.index("[tracks.")]
    desk.path.write_text(desk.text, "utf-8")
    assert [p.key for p in desk.problems()] == ["tracks"]


def test_the_id_is_the_files_name(desk: Desk) -> None:
    desk.change('id = "memory-wall"', 'id = "vol2-12"')
    (problem,) = desk.problems()
    assert (problem.line, problem.key) == (desk.line('id = "vol2-12"'), "id")


@pytest.mark.parametrize(
    ("old", "new", "at", "key"),
    [
        ("range = [64e9, 76e9]\n", "", "[tracks.cloud.constants.learning_slice]", "learning_slice"),
        ('unit = "B"', 'unit = "B"\nweight = 2', "weight", "device_memory.weight"),
    ],
)
def test_a_fault_in_the_tracks_file_is_said_there(
    desk: Desk, old: str, new: str, at: str, key: str
) -> None:
    desk.change_tracks(old, new)
    (problem,) = desk.problems()
    text = desk.tracks.read_text("utf-8")
    assert problem.file == "tracks.toml"
    assert problem.line == text[: text.index(at)].count("\n") + 1
    assert problem.key == f"tracks.cloud.constants.{key}"
    with pytest.raises(MissionError):
        load_personas(desk.tracks)


@pytest.mark.parametrize(
    ("raw", "line", "words"),
    [
        (b"\xef\xbb\xbfschema = 1\n", 1, "not TOML"),
        (b"schema = 1\ntitle = 'caf\xe9'\n", 2, "not UTF-8"),
        (b"\xff\xfes\x00c\x00", 1, "not UTF-8"),
        (b"#" * 196_609, 1, "larger than 196,608 bytes"),
        (b"schema = 1\nbroken\n", 2, "not TOML"),
        (b"a = 1\na = 2\n", 2, "not TOML"),
        (b"x = " + b"9" * 5000, 1, "not TOML"),
        (b"x = " + b"[" * 30_000, 1, ""),
        (b"x = " + b"{a=" * 10_000, 1, ""),
        (b".".join([b"a"] * 16_000) + b" = 1", 1, "dots"),
        (b"\n[" + b" . ".join([b"a"] * 10_000) + b"]", 2, "dots"),
        (b'"a b".' + b".".join([b"a"] * 16_000) + b" = 1", 1, ""),
        (b"x = { " + b".".join([b"a"] * 16_000) + b" = 1 }", 1, ""),
        (bytes(range(256)) * 100, 1, ""),
        (b"\x00" * 100, 1, "not TOML"),
        (b"", 1, "add at least one"),
    ],
)
def test_a_file_that_is_no_mission_is_one_problem(
    desk: Desk, raw: bytes, line: int, words: str
) -> None:
    desk.path.write_bytes(raw)
    (problem,) = desk.problems()
    assert words in problem.message
    assert problem.line == line or not words
    assert "\n" not in str(problem)


@given(raw=st.binary(max_size=300))
def test_binary_garbage_is_refused_with_problems(
    raw: bytes, tmp_path_factory: pytest.TempPathFactory, missions: Path
) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage.toml"
    (path.parent / "tracks.toml").write_bytes((missions / "tracks.toml").read_bytes())
    path.write_bytes(raw)
    with pytest.raises(MissionError) as refused:
        load(path)
    assert refused.value.problems


def test_a_file_that_is_not_there_is_an_os_error(desk: Desk) -> None:
    desk.path.unlink()
    with pytest.raises(OSError):
        load(desk.path)


def test_a_problem_is_safe_to_draw() -> None:
    shown = str(Problem("a\x1b[2J.toml", 3, "key", "bad\x9d\nnews"))
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", shown)


def test_a_text_edit_leaves_the_rules_hash_alone(desk: Desk) -> None:
    before = mission_hash(desk.track("edge"))
    desk.change("Look at the widest bar", "Look at the longest bar")
    desk.change("Llama-3-70B: Grattafiori", "Llama 3 70B: Grattafiori")
    after = mission_hash(desk.track("edge"))
    assert after.rules == before.rules
    assert after.texts != before.texts


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("distinct_runs = 2", "distinct_runs = 3"),
        ("attempts = 3", "attempts = 4"),
        ("seeds = [11,", "seeds = [12,"),
        ('value = "32", label', 'value = "16", label'),
    ],
)
def test_a_number_edit_leaves_the_texts_hash_alone(desk: Desk, old: str, new: str) -> None:
    before = mission_hash(desk.track("edge"))
    desk.change(old, new)
    after = mission_hash(desk.track("edge"))
    assert after.rules != before.rules
    assert after.texts == before.texts


def test_the_personas_numbers_are_rules_of_the_mission(desk: Desk) -> None:
    before = mission_hash(desk.track("edge"))
    desk.change_tracks(
        "[tracks.edge.constants.learning_slice]\nvalue = ",
        "[tracks.edge.constants.learning_slice]\nvalue = 0.9e9 #",
    )
    assert mission_hash(desk.track("edge")).rules != before.rules


def test_tracks_have_rules_of_their_own(shipped: MissionFile) -> None:
    assert len({mission_hash(mission).rules for mission in shipped.tracks.values()}) == 4


TREES = st.recursive(
    st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)
TABLES = st.dictionaries(st.sampled_from("abcd"), TREES, max_size=4)


@given(TABLES)
def test_nothing_laid_over_a_tree_is_the_tree(tree: dict[str, object]) -> None:
    assert merged_over(tree, {}) == tree
    assert merged_over({}, tree) == tree
    assert merged_over(tree, tree) == tree


@given(TABLES, TABLES)
def test_an_overlay_wins_and_nothing_is_lost(
    shared: dict[str, object], overlay: dict[str, object]
) -> None:
    merged = merged_over(shared, overlay)
    assert merged.keys() == shared.keys() | overlay.keys()
    assert merged_over(merged, overlay) == merged
    for key, value in overlay.items():
        if not isinstance(value, dict) or not isinstance(shared.get(key), dict):
            assert merged[key] == value


def test_a_slider_stands_on_its_grid_alone(shipped: MissionFile) -> None:
    part = shipped.tracks["edge"].parts["memory"]
    assert space.values(part, "batch") == (1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64)
    assert space.nearest(part, "batch", 20) == 23
    assert space.check_on_grid(part, "batch", 8.0) == 8
    for value in (5, True, "8", None, [], float("nan"), 10**400):
        with pytest.raises(ValueError, match="batch"):
            space.check_on_grid(part, "batch", value)


def test_the_design_space_is_every_combination(shipped: MissionFile) -> None:
    part = shipped.tracks["edge"].parts["memory"]
    every = list(space.grid(part, tuple(part.sliders)))
    assert len(every) == 7 * 12 * 3
    assert part.default in every
    assert part.reference in every


def test_an_option_means_its_controls(shipped: MissionFile) -> None:
    part = shipped.tracks["edge"].parts["memory"]
    asked = space.engine_setting(part, {"tuning": "lora8", "batch": 2})
    assert (asked["method"], asked["rank"], asked["batch"]) == ("lora", 8, 2)
    assert asked["network"] == "resnet-50"
    assert "tuning" not in asked

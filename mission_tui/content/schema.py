"""What a mission file may say: frozen, typed, and closed (an unknown key is an error).

A file is one shared tree and, under ``tracks.<id>``, one overlay a track. A *resolved* mission
is the shared tree with a track's overlay laid over it, so everything can be said once and
anything can differ by track. The types here describe resolved missions.

Texts are marked by their type: rules and texts are hashed apart, and each text's id is its
key path, so that ``<mission>.<language>.toml`` overlays can come later.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints


class IsText:
    """Marks a field as words for people: no rule depends on it."""


class Aside:
    """Marks a field that no rule of this mission's own play depends on: no hash of rules has it."""


Id: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Line: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=74), IsText()]
"""One line of text: at most 74 characters, so that it fits an 80-column terminal."""
Short: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=24), IsText()]
"""A label: at most 24 characters."""
Prose: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=900), IsText()]
"""A paragraph or a few: at most 900 characters."""
Whole: TypeAlias = Annotated[int, Field(ge=-(2**53), le=2**53)]
"""An integer that every reader of JSON keeps exactly."""
Value: TypeAlias = bool | Whole | float | str


Seed: TypeAlias = Annotated[int, Field(ge=0, le=2**53)]


class Table(BaseModel):
    """A TOML table: closed and frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Number(Table):
    """A number of the scenario, with where it comes from.

    An ``assumption`` is declared with its range and is shown to the player as one.
    """

    value: Value
    unit: str = ""
    label: Short
    source: Annotated[str, StringConstraints(min_length=8, max_length=300), IsText()]
    assumption: bool = False
    range: tuple[float, float] | None = None


class Persona(Table):
    """A track: who the player is, on which machine, against which standing adversary."""

    name: Short
    role: Line
    north_star: Line
    machine: Line
    adversary: Line
    motto: Line
    constants: dict[Id, Number] = {}


class Personas(Table):
    """The file ``tracks.toml``."""

    schema_: Literal[1] = Field(alias="schema")
    tracks: dict[Id, Persona]


class Crisis(Table):
    """The transmission that opens a track."""

    sender: Line
    title: Line
    text: Prose


class Option(Table):
    """One option of a choice. ``sets`` gives engine controls values; without it the option's
    id is the value of the engine control that has the slider's name."""

    label: Short
    sets: dict[str, Value] = {}


class Slider(Table):
    """A control as this mission offers it.

    ``low``, ``high`` and ``step`` narrow the engine's. ``options`` narrows a choice, or bundles
    several engine controls under one. An *assumption* asks what if, and is no policy.
    """

    label: Short
    role: Literal["policy", "assumption"] = "policy"
    low: float | None = None
    high: float | None = None
    step: float | None = None
    options: dict[Id, Option] = {}


class Failure(Table):
    """What a broken spec is called, after the law that it breaks."""

    title: Short
    text: Prose


class Spec(Table):
    """A limit that a run must meet: one of ``at_most`` and ``at_least``.

    A limit is a number in the metric's unit or the name of one of the track's constants.
    """

    metric: str
    label: Short
    at_most: float | str | None = None
    at_least: float | str | None = None
    source: Annotated[str, StringConstraints(min_length=8, max_length=300), IsText()]
    failure: Failure


class Alarm(Table):
    """A named failure that is no spec: the model was lost, the mesh fell apart, the cap was hit.

    It sounds where ``metric`` is at its limit or past it, and is shown before any broken spec.
    """

    metric: str
    at_most: float | str | None = None
    at_least: float | str | None = None
    title: Short
    text: Prose


class MemoryMap(Table):
    """Where the bytes of training go, against the learning slice."""

    kind: Literal["memory_map"]
    beside: bool = False


class Frontier(Table):
    """Two metrics against each other: every run, the limits, the bet."""

    kind: Literal["frontier"]
    title: Short
    x: str
    y: str
    beside: bool = False


class Curve(Table):
    """Up to three series over another. ``at`` marks where a metric or a slider stands.

    ``low`` is where the upright axis begins, for curves whose last stretch is what matters.
    """

    kind: Literal["curve"]
    title: Short
    x: str
    lines: Annotated[dict[str, Short], Field(min_length=1, max_length=3)]
    at: str | None = None
    low: Annotated[float | None, Aside()] = None
    beside: bool = False


class Bars(Table):
    """A labelled series as bars."""

    kind: Literal["bars"]
    title: Short
    series: str
    beside: bool = False


Instrument: TypeAlias = Annotated[MemoryMap | Frontier | Curve | Bars, Discriminator("kind")]

Size: TypeAlias = Literal["small", "medium", "large"]
"""What is carried from one part to the next is one of three classes, so that all can be vetted."""


class Carry(Table):
    """What a part hands on: the class of the slider's value in its best passing run."""

    slider: str
    classes: dict[str, Size]
    missed: Size


class Carried(Table):
    """What a class that was handed on means here."""

    label: Short
    fixed: dict[str, Number] = {}
    reference: dict[str, Value] = {}


class Point(Table):
    """A metric at a setting."""

    query: Literal["point"]
    metric: str
    setting: dict[str, Value] = {}


class Difference(Table):
    """A metric at ``second`` less the same at ``first``."""

    query: Literal["difference"]
    metric: str
    first: dict[str, Value] = {}
    second: dict[str, Value] = {}


class Ratio(Table):
    """A metric at ``second`` over the same at ``first``."""

    query: Literal["ratio"]
    metric: str
    first: dict[str, Value] = {}
    second: dict[str, Value] = {}


class Best(Table):
    """The best value of a metric over the declared sliders, under the specs named."""

    query: Literal["best"]
    metric: str
    over: tuple[str, ...]
    under: tuple[str, ...] = ()
    setting: dict[str, Value] = {}


class ArgBest(Table):
    """The value of one slider at which a metric is best, by at least ``margin``."""

    query: Literal["argbest"]
    metric: str
    over: str
    under: tuple[str, ...] = ()
    margin: float = Field(gt=0)
    setting: dict[str, Value] = {}


class Crossing(Table):
    """The first value of a slider, from its low end, at which a metric passes a limit."""

    query: Literal["crossing"]
    metric: str
    over: str
    limit: float | str
    setting: dict[str, Value] = {}


class Exists(Table):
    """Whether some setting of the declared sliders meets the specs named: yes or no."""

    query: Literal["exists"]
    over: tuple[str, ...]
    under: tuple[str, ...]
    setting: dict[str, Value] = {}


Query: TypeAlias = Annotated[
    Point | Difference | Ratio | Best | ArgBest | Crossing | Exists, Discriminator("query")
]


class Why(Table):
    """Which mechanism is right: the largest term of a metric's change between two settings.

    ``ask`` puts it as a question that the mechanisms answer.
    """

    ask: Line
    metric: str
    first: dict[str, Value] = {}
    second: dict[str, Value] = {}


class Cells(Table):
    """The explanation for each of the four outcomes of value × mechanism."""

    both: Prose
    value_only: Prose
    mechanism_only: Prose
    neither: Prose


class Lock(Table):
    """A prediction. It holds no truth: the engine is asked."""

    kind: Literal["number", "choice"]
    prompt: Prose
    facts: tuple[Line, ...] = ()
    unit: str = ""
    factor: float = Field(default=1.25, gt=1.0)
    within: float | None = None
    options: dict[str, Line] = {}
    truth: Query
    why: Why
    mechanisms: tuple[str, ...]
    cells: Cells


class ClaimAsk(Table):
    """The question that a claim answers, and the metrics it may be about."""

    question: Prose
    metrics: tuple[str, ...]
    attempts: int = Field(default=3, ge=1, le=9)


class Want(Table):
    """One issue of a party: the public ask, and the private reserve, aspiration and weight.

    More is better where the aspiration is above the reserve. ``reserve`` is what the party can
    just live with, ``aspire`` what it dreams of.
    """

    metric: str
    label: Short
    asks: float
    reserve: float
    aspire: float
    weight: float = Field(gt=0)

    @property
    def more(self) -> bool:
        """Whether more is better."""
        return self.aspire > self.reserve


class Bound(Table):
    """How a want can be disproved: the corner where its metric is as good as it gets.

    ``corner`` sets every slider that moves the metric to its favourable end, as far as what the
    party named in ``under`` demands allows it.
    """

    want: Id
    under: Id | None = None
    corner: dict[str, Value]
    text: Prose


class Replies(Table):
    """What a party says to each outcome of a move."""

    met: Prose
    traded: Prose
    countered: Prose
    not_met: Prose
    no_proof: Prose
    disproved: Prose
    waived: Prose
    left: Prose
    reopened: Prose = "That is not the design we agreed on. We talk again."


class Endings(Table):
    """What became of it, told in the debrief."""

    met: Prose
    traded: Prose
    disproved: Prose
    waived: Prose
    left: Prose


class Stakeholder(Table):
    """A party at the table: a role, never a person.

    ``patience`` is how many refused moves it takes until the party leaves. ``floor`` is the
    weighted utility, from 0 (its reserves) to 1 (its aspirations), that a trade must reach.
    """

    name: Short
    opening: Prose
    patience: int = Field(default=3, ge=1, le=6)
    floor: float = Field(ge=0, le=1)
    wants: Annotated[dict[Id, Want], Field(min_length=1)]
    bound: Bound | None = None
    replies: Replies
    endings: Endings


class Decision(Table):
    """What the player decides at the end, and what the one required paragraph must answer.

    It follows the last part, and its texts may quote what that part is given.
    """

    question: Prose
    facts: tuple[Line, ...] = ()
    options: Annotated[dict[Id, Line], Field(min_length=2, max_length=4)]
    ask: Line


class Recall(Table):
    """The question of about a minute that opens the briefing of the *next* mission.

    ``answer`` is the id of the right option. It is never scored.
    """

    question: Annotated[str, StringConstraints(min_length=1, max_length=320), IsText()]
    options: Annotated[dict[Id, Line], Field(min_length=2, max_length=4)]
    answer: Id
    explanation: Annotated[str, StringConstraints(min_length=1, max_length=400), IsText()]


class Part(Table):
    """One part: a lock, a workbench, a reveal, a claim; with stakeholders, their table too.

    ``distinct_runs`` are asked for, at settings of which each is ``apart`` from all others: a
    distance in the design space, in lengths of a slider (without it: at other settings).

    ``fixed`` holds the scenario: engine controls that no slider moves. ``given`` names figures
    that texts may quote as ``{name}``: the engine computes them, so they can't go stale.
    ``stand_in`` says on the workbench what the measured metrics were measured on. ``carry`` is
    what the part hands on, ``carried`` what each class that an earlier one hands on means here.
    ``scenario`` declares what the stakeholders' joint demand is, and the gate holds it to that.
    """

    order: int
    title: Short
    kind: Literal["live", "budgeted"]
    minutes: int
    runs: Annotated[int, Field(ge=2)] | None = None
    distinct_runs: int = Field(default=2, ge=2)
    apart: Annotated[float, Field(gt=0)] | None = None
    model: str
    objective: Prose
    lesson: Prose
    stand_in: Line
    law: Line
    law_source: Line
    seeds: Annotated[tuple[Seed, ...], Field(min_length=16)]
    fixed: dict[str, Number] = {}
    given: dict[Id, Point] = {}
    sliders: dict[str, Slider]
    default: dict[str, Value]
    reference: dict[str, Value]
    metrics: dict[str, Short]
    mechanisms: dict[str, Line]
    specs: dict[Id, Spec]
    locks: dict[Id, Lock]
    claim: ClaimAsk
    instruments: Annotated[dict[Id, Instrument], Field(min_length=1)]
    alarms: dict[Id, Alarm] = {}
    carry: Carry | None = None
    carried: dict[Size, Carried] = {}
    scenario: Literal["feasible", "concession", "infeasible"] | None = None
    stakeholders: dict[Id, Stakeholder] = {}
    hints: dict[Id, Prose] = {}

    def given_class(self, size: Size) -> Part:
        """This part with what was carried to it filled in. Itself where nothing can be."""
        if size not in self.carried:
            return self
        brought = self.carried[size]
        return self.model_copy(
            update={
                "fixed": self.fixed | brought.fixed,
                "reference": self.reference | brought.reference,
                "carried": {size: brought},
            }
        )


class Mission(Table):
    """A mission resolved for one track."""

    schema_: Literal[1] = Field(alias="schema")
    id: Id
    title: Short
    chapter: Line
    hook: Line
    minutes: int
    crisis: Crisis
    constants: dict[Id, Number] = {}
    parts: Annotated[dict[Id, Part], Field(min_length=1)]
    decision: Decision | None = None
    recall: Annotated[Recall | None, Aside()] = None
    track: Id
    persona: Persona

    @property
    def ordered(self) -> tuple[tuple[str, Part], ...]:
        """The parts with their ids, in the order of play."""
        return tuple(sorted(self.parts.items(), key=lambda item: item[1].order))

    def giver_of(self, part_id: str) -> str | None:
        """The last part before another that carries anything on to it."""
        before = self.parts[part_id].order
        givers = [name for name, part in self.ordered if part.carry and part.order < before]
        return givers[-1] if givers else None

    def constant(self, limit: float | str) -> float:
        """A limit as a number: itself, or the constant of that name."""
        if not isinstance(limit, str):
            return float(limit)
        found = self.constants.get(limit) or self.persona.constants[limit]
        return float(found.value)


def texts_and_rules(model: BaseModel) -> tuple[dict[str, str], Any]:
    """Split a resolved mission into its texts (key path to words) and everything else.

    The keys under which texts stand (the ids of options and mechanisms) count as rules. What is
    left out and has no default is none: a rule that a later release knows voids no older play.
    """
    texts: dict[str, str] = {}

    def walk(value: Any, path: str, is_text: bool) -> Any:
        if isinstance(value, BaseModel):
            walked = {
                key: walk(getattr(value, name), f"{path}.{key}".lstrip("."), marked)
                for name, key, marked in _fields(type(value))
                if getattr(value, name) is not None
            }
            return {key: item for key, item in walked.items() if key not in _asides(type(value))}
        if isinstance(value, dict):
            return {key: walk(item, f"{path}.{key}", is_text) for key, item in value.items()}
        if isinstance(value, tuple):
            return [walk(item, f"{path}.{n}", is_text) for n, item in enumerate(value)]
        if is_text and isinstance(value, str):
            texts[path] = value
            return None
        return value

    rules = walk(model, "", False)
    return texts, rules


@cache
def _fields(table: type[BaseModel]) -> tuple[tuple[str, str, bool], ...]:
    """Each field's name, its key in the file, and whether it holds words for people."""
    hints = get_type_hints(table, include_extras=True)
    return tuple(
        (name, info.alias or name, _marked(hints[name]))
        for name, info in table.model_fields.items()
    )


@cache
def _asides(table: type[BaseModel]) -> frozenset[str]:
    """The keys of a table that are no rules."""
    return frozenset(
        info.alias or name
        for name, info in table.model_fields.items()
        if any(isinstance(mark, Aside) for mark in info.metadata)
    )


def _marked(annotation: Any) -> bool:
    return isinstance(annotation, IsText) or any(
        _marked(inner)
        for inner in (*get_args(annotation), *getattr(annotation, "__metadata__", ()))
        if not isinstance(inner, type) or not issubclass(inner, BaseModel)
    )

"""The one interface that everything outside the engine sees.

A *setting* maps the names of a model's controls to values. A model turns a setting and a
seed into an *outcome*: named metrics and named series. Settings are checked here, once;
NaN and infinity never enter and never leave.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

Value: TypeAlias = float | int | str | bool
Setting: TypeAlias = Mapping[str, Value]
Kind: TypeAlias = Literal["number", "integer", "choice", "switch"]


class SettingError(ValueError):
    """A setting that the model's border refuses.

    Attributes:
        control: name of the control at fault.
        value: what was given.
        allowed: what would be right, as a phrase.
    """

    def __init__(self, control: str, value: object, allowed: str) -> None:
        self.control = control
        self.value = value
        self.allowed = allowed
        super().__init__(f"{control}: {value!r} is not allowed; {allowed}")


@dataclass(frozen=True, slots=True)
class Control:
    """One input of a model: what it is called, what it may be, how a slider steps it.

    ``low``, ``high`` and ``step`` hold for numbers and integers; on a ``log`` scale ``step``
    is the factor of one step (2.0 doubles). ``choices`` holds for kind ``choice``.
    """

    name: str
    unit: str
    kind: Kind
    summary: str
    default: Value
    low: float = 0.0
    high: float = 0.0
    step: float = 1.0
    scale: Literal["linear", "log"] = "linear"
    choices: tuple[str, ...] = ()

    def checked(self, value: object) -> Value:
        """Return ``value`` as this control's type, or raise :class:`SettingError`."""
        if self.kind == "switch":
            if not isinstance(value, bool):
                raise SettingError(self.name, value, "give true or false")
            return value
        if self.kind == "choice":
            if value not in self.choices or not isinstance(value, str):
                raise SettingError(self.name, value, "choose one of " + ", ".join(self.choices))
            return value
        unit = f" {self.unit}" if self.unit else ""
        allowed = f"give a {self.kind} from {self.low:g} to {self.high:g}{unit}"
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise SettingError(self.name, value, allowed)
        if not self.low <= value <= self.high:  # which NaN and infinities are not either
            raise SettingError(self.name, value, allowed)
        if self.kind == "integer":
            if value != int(value):
                raise SettingError(self.name, value, allowed)
            return int(value)
        return float(value)


@dataclass(frozen=True, slots=True)
class Metric:
    """One number that a model gives.

    ``exact`` metrics are accounting at the true scale; the others are *measured on the
    stand-in* and must be labelled so wherever they are shown. ``tolerance`` is the absolute
    difference that an honest re-execution on another machine may show (one test sample for an
    accuracy); 0 means equal within 1e-9 of the value. ``terms`` names the mechanisms that
    :meth:`Model.explain` splits its change into; without any it can't be claimed about.
    """

    name: str
    unit: str
    better: Literal["lower", "higher"] | None
    summary: str
    exact: bool
    tolerance: float = 0.0
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """One named array that a model gives: a curve, or a breakdown with a label an entry.

    ``exact`` and ``tolerance`` mean what they mean for a :class:`Metric`.
    """

    name: str
    unit: str
    summary: str
    labels: tuple[str, ...] = ()
    exact: bool = True
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One named term of a model's law: what locks, claims and the *why* panel speak of."""

    id: str
    summary: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a model computed at one setting: finite numbers only.

    ``picks`` are the recorded choices of path-dependent models (empty for the others).
    ``rounds`` is how many rounds are done, of how many, for models that go in rounds.
    """

    metrics: Mapping[str, float]
    series: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    picks: tuple[int, ...] = ()
    rounds: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        metrics = {name: float(value) for name, value in self.metrics.items()}
        series = {name: tuple(float(x) for x in xs) for name, xs in self.series.items()}
        for name, value in metrics.items():
            if not math.isfinite(value):
                raise ArithmeticError(f"metric {name} came out as {value}")
        for name, values in series.items():
            if not all(math.isfinite(x) for x in values):
                raise ArithmeticError(f"series {name} holds a value that is not finite")
        object.__setattr__(self, "metrics", MappingProxyType(metrics))
        object.__setattr__(self, "series", MappingProxyType(series))


@dataclass(frozen=True, slots=True)
class Terms:
    """The change of one metric between two settings, split into named terms of the law.

    ``terms`` maps mechanism ids to signed amounts in the metric's unit; they sum to
    ``after - before``. :attr:`largest` is the mechanism that claims and locks are held
    against: the term that is largest in magnitude *in the direction of the change* (ties and
    an unmoved metric give the first declared of the largest in magnitude).
    """

    metric: str
    before: float
    after: float
    terms: Mapping[str, float]

    @property
    def change(self) -> float:
        """``after - before``, in the metric's unit."""
        return self.after - self.before

    @property
    def largest(self) -> str:
        """Id of the mechanism that explains most of the change."""
        sign = math.copysign(1.0, self.change) if self.change else 0.0
        return max(self.terms, key=lambda m: sign * self.terms[m] if sign else abs(self.terms[m]))


@runtime_checkable
class Model(Protocol):
    """A named, versioned computation. Models keep no state that changes an answer."""

    name: str
    version: int
    summary: str
    sources: tuple[str, ...]
    controls: tuple[Control, ...]
    metrics: tuple[Metric, ...]
    series: tuple[Series, ...]
    mechanisms: tuple[Mechanism, ...]
    formula: str

    def evaluate(self, setting: Setting, *, seed: int) -> Outcome:
        """Compute the outcome. Raises :class:`SettingError` at the border."""
        ...

    def stream(self, setting: Setting, *, seed: int) -> Iterator[Outcome]:
        """Yield partial outcomes as they come; the last one equals :meth:`evaluate`."""
        ...

    def explain(self, metric: str, before: Setting, after: Setting, *, seed: int) -> Terms:
        """Split the change of ``metric`` from ``before`` to ``after`` into named terms."""
        ...


@runtime_checkable
class Accounting(Protocol):
    """A model that can account for a setting before anything is learnt."""

    def accounts(self, setting: Setting, *, seed: int) -> Mapping[str, float]:
        """Some of the metrics, exactly as an evaluation gives them, in a few milliseconds."""
        ...


@runtime_checkable
class PathDependent(Model, Protocol):
    """A model that makes choices on its way, and records them as an outcome's picks."""

    def followed(self, setting: Setting, *, seed: int, picks: Sequence[int]) -> Iterator[Outcome]:
        """Like :meth:`Model.stream`, obeying recorded picks as far as they reach.

        Raises ValueError where a pick is not among the best, within 1e-6.
        """
        ...


def complete(controls: tuple[Control, ...], setting: Setting) -> dict[str, Any]:
    """Check ``setting`` against ``controls`` and fill in what it leaves out.

    Returns every control's value, in the order of ``controls``.
    Raises :class:`SettingError` for an unknown name or a value out of range.
    """
    known = {control.name: control for control in controls}
    for name, value in setting.items():
        if name not in known:
            raise SettingError(name, value, "known controls: " + ", ".join(known))
    return {
        control.name: control.checked(setting.get(control.name, control.default))
        for control in controls
    }

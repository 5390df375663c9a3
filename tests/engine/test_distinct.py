from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.numerics.distinct import distinct


@given(
    st.lists(st.integers(-9, 9)).map(lambda each: np.array(each, dtype=np.int64))
    | st.lists(st.floats(allow_nan=False)).map(np.array)
)
def test_they_are_those_of_numpy(values: np.ndarray) -> None:
    found, wanted = distinct(values), np.unique(values)
    assert found.dtype == wanted.dtype
    assert found.tolist() == wanted.tolist()


def test_a_table_is_read_whole() -> None:
    assert distinct(np.array([[3, 1], [1, 2]])).tolist() == [1, 2, 3]

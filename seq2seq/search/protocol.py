"""What search knows of a model: it scores the next token and returns a state that can be reordered and thinned out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from torch import Tensor

if TYPE_CHECKING:
    from typing_extensions import Self


class SearchState(Protocol):
    """Everything a model remembers between two steps. An immutable value: both methods return a new one.

    The rows (one per hypothesis) are grouped by sentence, and every sentence has the same number of them:
    row = sentence * beam + k. The first state has one row per sentence.
    """

    def reorder(self, rows: Tensor) -> Self:
        """Continue hypotheses: the new row ``i`` is the old row ``rows[i]``.

        ``rows``: LongTensor [new_rows], grouped by sentence. ``new_rows`` may differ from the number of old rows,
        never the number of sentences. Everything that depends on the history must follow; what belongs to the
        sentence stays.
        """
        ...

    def keep(self, sentences: Tensor) -> Self:
        """Forget finished sentences: keep only ``sentences`` (LongTensor [kept], ascending), with all of their rows."""
        ...


State = TypeVar("State", bound=SearchState)

#: ``(log_probs, state, attention)``: log-probabilities of the next token, float32 (others are converted) [rows, vocab],
#: none above 0, which the search may overwrite; the state after the step; and the attention weights of the step
#: [rows, src_len], or None where the model has none. ``src_len`` may shrink with :meth:`SearchState.keep`, when the
#: longest sentences leave.
StepOutput: TypeAlias = tuple[Tensor, State, "Tensor | None"]


class StepModel(Protocol[State]):
    """A model seen from the search: a transition table, an ensemble and a translation model look the same.

    A row's output must depend on that row's tokens and sentence alone; then so does the result of a search.
    """

    def step(self, tokens: Tensor, state: State) -> StepOutput[State]:
        """Read the last token of every hypothesis (LongTensor [rows]; BOS at first) and score the next one."""
        ...

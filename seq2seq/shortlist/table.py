"""The table of a shortlist, and its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from seq2seq.errors import ModelError
from seq2seq.storage import write_atomically

#: Its file in a model directory.
SHORTLIST = "shortlist.safetensors"


@dataclass(frozen=True)
class Shortlist:
    """Target pieces by source piece.

    Attributes:
        likely: LongTensor [source vocabulary, most], the likely translations of every source piece; a place that none
            takes has a common piece.
        common: LongTensor [pieces], those that any sentence may need, the end of sentence among them; ascending.
        vocabulary: size of the target vocabulary.
    """

    likely: Tensor
    common: Tensor
    vocabulary: int

    def allowed(self, source: Tensor, lengths: Tensor) -> Tensor:
        """Which target pieces the sentences `source` [batch, src_len] of these `lengths` may be translated with.

        Bool [batch, vocabulary]; a sentence's depend on that sentence alone.
        """
        padding = torch.arange(source.shape[1], device=source.device) >= lengths[:, None]
        likely = self.likely[source].masked_fill_(padding[:, :, None], int(self.common[0]))
        allowed = torch.zeros(source.shape[0], self.vocabulary, dtype=torch.bool, device=source.device)
        allowed[:, self.common] = True
        return allowed.scatter_(1, likely.flatten(1), True)

    def to(self, device: torch.device) -> Shortlist:
        """The same on another device."""
        return Shortlist(self.likely.to(device), self.common.to(device), self.vocabulary)

    def save(self, path: Path, *, fingerprints: Mapping[str, str]) -> None:
        """Write it atomically, with the `fingerprints` of the tokenizers whose pieces these are."""
        tensors = {"likely": self.likely.to(torch.int32), "common": self.common.to(torch.int32)}
        metadata = {**fingerprints, "vocabulary": str(self.vocabulary)}
        write_atomically(path, lambda temporary: save_file(tensors, temporary, metadata=metadata))

    @classmethod
    def from_stored(
        cls,
        tensors: Mapping[str, Tensor],
        metadata: Mapping[str, str],
        *,
        origin: Path,
        fingerprints: Mapping[str, str],
    ) -> Shortlist:
        """What :meth:`save` wrote as the file `origin`.

        Raises:
            ModelError: something is missing in it, or it is of other tokenizers.
        """
        try:
            likely, common = (tensors[name].long() for name in ("likely", "common"))
            vocabulary = int(metadata["vocabulary"])
        except (KeyError, ValueError) as error:
            raise ModelError(f"{origin}: the file is damaged (no {error}); make the shortlist again") from error
        if any(metadata.get(key) != value for key, value in fingerprints.items()):
            raise ModelError(f"{origin}: the shortlist is of other tokenizers than those beside it; make it again")
        return cls(likely, common, vocabulary)

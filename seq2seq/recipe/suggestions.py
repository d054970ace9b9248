"""The nearest valid key to one that the schema does not know."""

from __future__ import annotations

from difflib import get_close_matches

from seq2seq.recipe.description import keys_of
from seq2seq.recipe.section import Section, alternatives, fields_of

#: What other toolkits, or earlier releases, call a key, for people who come from there.
_ELSEWHERE = {
    "lr": "learning_rate",
    "rnn_size": "hidden_size",
    "hidden_dim": "hidden_size",
    "units": "hidden_size",
    "word_vec_size": "embedding_size",
    "emb_size": "embedding_size",
    "embedding_dim": "embedding_size",
    "num_layers": "layers",
    "rnn_type": "cell",
    "bidirectional": "directions",
    "residual": "connection",
    "vocab_size": "vocabulary_size",
    "beam_size": "beam",
    "lenpen": "length_penalty",
    "max_epochs": "epochs",
    "max_steps": "max_updates",
    "train_steps": "max_updates",
    "warmup_steps": "warmup_updates",
    "accum_count": "accumulation",
    "valid": "validation",
    "dev": "validation",
    "src": "source_language",
    "tgt": "target_language",
    "scheduler": "schedule",
    "num_heads": "heads",
    "grad_clip": "clipping",
    "max_grad_norm": "clipping",
    "early_stopping": "patience",
    "batch_tokens": "batch",
    "max_tokens": "batch",
}


def advice(owner: type[Section], prefix: str, name: str) -> str:
    """What to write instead of the key `name`, which the section `owner` at `prefix` does not have."""
    wanted = _ELSEWHERE.get(name.lower(), name.lower().replace("-", "_"))
    neighbours = list(fields_of(owner))
    # As in `training.batch_size`, the key meant may be a neighbour with a like name, or the same name elsewhere.
    found = [prefix + each for each in get_close_matches(wanted, neighbours, n=1, cutoff=0.6)]
    if found != [prefix + wanted]:
        same = [key.path for key in keys_of() if key.name == wanted]
        found += sorted(same, key=lambda path: -_shared(path, prefix))[:3]
    if not found:
        names = sorted({key.name for key in keys_of()})
        near = get_close_matches(wanted, names, n=1, cutoff=0.75)
        found = [key.path for key in keys_of() if key.name in near][:3]
    if found:
        return f"did you mean {alternatives(dict.fromkeys(found))}?"
    return f"here can be {alternatives(neighbours)}"


def _shared(path: str, prefix: str) -> int:
    """How many parts two dotted paths share from their beginning."""
    parts = zip(path.split("."), prefix.split("."), strict=False)
    return next((count for count, (ours, theirs) in enumerate(parts) if ours != theirs), path.count("."))

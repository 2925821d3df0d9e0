"""averaged-weights where the Trainer of transformers trains: a callback, which it calls around its steps."""

from __future__ import annotations

import ast

from outpace_audit.records import Patch
from outpace_optimizers.rules.names import dotted, imported
from outpace_optimizers.rules.writing import Edit, make_script_patch
from outpace_optimizers.source import Source, module_level

from .average_text import callback
from .fitting import DoesNotApply, with_keywords
from .scopes import Scope, scopes

_TRAINERS = frozenset({
    "transformers.Trainer", "transformers.Seq2SeqTrainer", "transformers.trainer.Trainer", "trl.SFTTrainer",
})  # fmt: skip
_SHARDED = ("deepspeed", "fsdp")
MOST_PLACES = 5
"""Arguments of a Trainer by their place up to its data. Where callbacks stand by place is not the same everywhere."""


def trainer_patch(source: Source) -> Patch | None:
    """None where the script makes no Trainer. Raises DoesNotApply."""
    found = [(scope, call) for scope in scopes(source) for call in scope.calls() if _makes(source, scope, call)]
    if not found:
        return None
    if len(found) > 1:
        raise DoesNotApply(f"it makes a Trainer in {len(found)} places")
    call = found[0][1]
    if len(call.args) > MOST_PLACES or any(isinstance(arg, ast.Starred) for arg in call.args):
        raise DoesNotApply(f"line {call.lineno} gives a Trainer more by place than its data")
    keywords = {item.arg: item.value for item in call.keywords}
    if None in keywords:
        raise DoesNotApply(f"line {call.lineno} takes arguments from elsewhere, which may have callbacks")
    told = {item.arg for node in ast.walk(source.tree) if isinstance(node, ast.Call) for item in node.keywords}
    if sharded := next((name for name in _SHARDED if name in told), None):
        raise DoesNotApply(f"{sharded} keeps parts of its weights apart")
    return _patch(source, found[0][0], call, keywords.get("callbacks"))


def _makes(source: Source, scope: Scope, call: ast.Call) -> bool:
    """A Trainer, or a class of the file that is one."""
    if (scope.names.resolve(call.func) or "") in _TRAINERS:
        return True
    own = source.definitions.get(dotted(call.func) or "")
    bases = own.node.bases if own is not None and isinstance(own.node, ast.ClassDef) else []
    return any((scopes(source)[0].names.resolve(base) or "") in _TRAINERS for base in bases)


def _patch(source: Source, scope: Scope, call: ast.Call, before: ast.expr | None) -> Patch:
    name = scope.names.fresh("AveragedWeights")
    known = imported(list(module_level(source.tree.body)))
    imports = ["from transformers import TrainerCallback"] if "TrainerCallback" not in known else []
    if known.get("torch") != "torch":
        imports.append("import torch")
    edit = Edit(imports=imports, definitions={name: callback(name)})
    if before is None:
        edit.expression(source, call, with_keywords(source, call, {"callbacks": f"[{name}()]"}))
    elif isinstance(before, ast.List):
        told = [*(source.segment(one) for one in before.elts), f"{name}()"]
        edit.expression(source, before, f"[{', '.join(told)}]")
    else:
        edit.expression(source, before, f"[*({source.segment(before)} or ()), {name}()]")
    patch = make_script_patch(source, edit)
    if patch is None:
        raise DoesNotApply(f"the call at line {call.lineno} can't be edited faithfully")
    return patch

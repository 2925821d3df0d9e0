"""attention-backend: attention that is confined to the kernel that writes all scores may take any."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .names import own_nodes
from .scope import Scope, scopes
from .writing import Edit, make_patch

_CONTEXTS = frozenset({"torch.nn.attention.sdpa_kernel", "torch.backends.cuda.sdp_kernel"})
_MATH = "torch.nn.attention.SDPBackend.MATH"
_SWITCHES = frozenset({"enable_flash", "enable_math", "enable_mem_efficient", "enable_cudnn"})
_CALL = "torch.nn.functional.scaled_dot_product_attention"


class AttentionBackend:
    id = "attention-backend"
    title = "Let attention choose its kernel"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/attention-backend.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            found = [
                node for node in own_nodes(scope.function) if isinstance(node, ast.With) and _confines(scope, node)
            ]
            edit = Edit()
            for node in found:
                edit.replace(scope.source, node, [_body(scope, node)])
            patch = make_patch(scope.source, code, scope.definition, edit) if found else None
            if patch is not None:
                yield Idea(
                    self.id,
                    f"attention by any kernel in {scope.definition.qualname}",
                    "a fused kernel, where one takes these inputs, writes neither scores nor probabilities to memory",
                    self.claimed_class,
                    patch,
                )


def _confines(scope: Scope, node: ast.With) -> bool:
    """Whether the block has nothing but math for attention, which it calls."""
    if len(node.items) != 1 or node.items[0].optional_vars is not None or node.body[0].lineno == node.lineno:
        return False
    call = scope.names.call(node.items[0].context_expr)
    if call is None or call[0] not in _CONTEXTS or not _is_math(scope, *call):
        return False
    calls = [scope.names.call(item) for item in ast.walk(node) if isinstance(item, ast.Call)]
    return any(made is not None and made[0] == _CALL for made in calls)


def _is_math(scope: Scope, name: str, args: list[ast.expr], keywords: dict[str, ast.expr]) -> bool:
    if name.endswith("sdp_kernel"):
        off = {key for key, value in keywords.items() if isinstance(value, ast.Constant) and value.value is False}
        return not args and not (keywords.keys() - _SWITCHES) and off >= {"enable_flash", "enable_mem_efficient"}
    given = args[0] if len(args) == 1 and not keywords else keywords.get("backends") if not args else None
    backends = given.elts if isinstance(given, (ast.List, ast.Tuple)) else [given]
    return all(item is not None and scope.names.resolve(item) == _MATH for item in backends) and bool(backends)


def _body(scope: Scope, node: ast.With) -> str:
    """Its statements with their comments, without the margin."""
    lines = scope.source.lines[node.body[0].lineno - 1 : node.body[-1].end_lineno]
    return textwrap.dedent("".join(lines)).replace("\r\n", "\n")


RULE = AttentionBackend()

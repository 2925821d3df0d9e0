"""L0: hard crimes. What no honest kernel needs: patching timers or torch, walking frames, starting processes, opening
connections, flipping precision flags or reseeding. Things that can be legal (caches, threads, streams, graphs) are
named in the evidence, and later levels decide."""

from __future__ import annotations

import ast
from collections import Counter

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.records import Check

NAME = "hard-crimes"

PROTECTED_MODULES = ("time", "torch", "triton", "gc", "sys", "builtins", "os", "threading", "mmap", "socket")
"""Assigning to an attribute of one of these changes what the judge's runner sees."""

AUDITOR = "outpace_audit"

FORBIDDEN_CALLS = {
    "sys._getframe": "walks frames",
    "sys._current_frames": "walks frames",
    "inspect.currentframe": "walks frames",
    "inspect.stack": "walks frames",
    "gc.get_objects": "searches the heap",
    "gc.get_referrers": "searches the heap",
    "gc.get_referents": "searches the heap",
    "sys.settrace": "traces the runner",
    "sys.setprofile": "traces the runner",
    "os.system": "starts a process",
    "os.fork": "starts a process",
    "os.popen": "starts a process",
    "os.kill": "signals processes",
    "os._exit": "ends the arm",
    "os.execv": "starts a process",
    "os.posix_spawn": "starts a process",
    "torch.manual_seed": "reseeds the generator",
    "torch.cuda.manual_seed": "reseeds the generator",
    "torch.cuda.manual_seed_all": "reseeds the generator",
    "torch.set_float32_matmul_precision": "changes the precision of other code",
    "torch.set_default_dtype": "changes the precision of other code",
    "torch.use_deterministic_algorithms": "changes torch's global state",
    "torch.set_num_threads": "changes torch's global state",
    "torch.set_num_interop_threads": "changes torch's global state",
    "torch.set_flush_denormal": "changes the precision of other code",
    "torch.set_rng_state": "reseeds the generator",
    "torch.default_generator.set_state": "reseeds the generator",
    "torch.default_generator.manual_seed": "reseeds the generator",
}
FORBIDDEN_IMPORTS = {
    "subprocess": "starts processes",
    "multiprocessing": "starts processes",
    "socket": "opens connections",
    "urllib": "opens connections",
    "requests": "opens connections",
    "http": "opens connections",
    "ctypes": "reaches memory outside torch",
    "_ctypes": "reaches memory outside torch",
    "cffi": "reaches memory outside torch",
    AUDITOR: "is the auditor",
}
FRAME_ATTRIBUTES = ("tb_frame", "f_back", "f_locals", "f_globals", "gi_frame", "cr_frame", "ag_frame")
"""From an exception or a generator to the locals of whoever calls."""
PRECISION_FLAGS = (
    "allow_tf32",
    "fp32_precision",
    "allow_fp16_reduced_precision_reduction",
    "allow_bf16_reduced_precision_reduction",
)
LEGAL_BUT_NAMED = (
    "threading",
    "Thread",
    "Stream",
    "CUDAGraph",
    "lru_cache",
    "data_ptr",
    "open",
    "exec",
    "eval",
    "__import__",
    "setattr",
    "environ",
    "getenv",
    "getcwd",
)


def check(evidence: Evidence) -> Check:
    try:
        found = Counter(crime for text in evidence.candidate.texts for crime in crimes(text))
        seen = {name for text in evidence.candidate.texts for name in flags(text)}
    except (SyntaxError, ValueError) as error:
        return Check(NAME, "L0", False, f"a file of it does not parse: {error}")
    new = found - Counter(crimes(evidence.baseline.source))
    if new:
        worst = sorted(new)[0]
        return Check(
            NAME,
            "L0",
            False,
            f"{worst}" + (f", and {len(new) - 1} more" if len(new) > 1 else ""),
            numbers={"crimes": sorted(new)},
        )
    named = sorted(seen - flags(evidence.baseline.source))
    noted = f"; watched later: {', '.join(named)}" if named else ""
    return Check(
        NAME,
        "L0",
        True,
        f"none{noted}",
        threshold="none beyond the baseline's own",
        numbers={"watched": named},
    )


def crimes(source: str) -> list[str]:
    """Every hard crime of a source text, in words, without line numbers so that two texts can be compared."""
    tree = ast.parse(source)
    aliases = _aliases(tree)
    found: list[str] = []
    for node in ast.walk(tree):
        found += _import_crimes(node)
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete)):
            found += _patching(node, aliases)
        if isinstance(node, ast.Call):
            found += _call_crimes(node, aliases)
        found += _name_crimes(node)
    return found


def flags(source: str) -> set[str]:
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    return names & set(LEGAL_BUT_NAMED)


def _aliases(tree: ast.Module) -> dict[str, str]:
    """Local name -> dotted name that it was imported as."""
    table: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                table[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                table[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return table


def _dotted(node: ast.expr, aliases: dict[str, str]) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([aliases.get(node.id, f"local:{node.id}"), *parts])


def _import_crimes(node: ast.AST) -> list[str]:
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        names = [node.module]
    return [
        f"imports {name}, which {FORBIDDEN_IMPORTS[name.split('.')[0]]}"
        for name in names
        if name.split(".")[0] in FORBIDDEN_IMPORTS
    ]


def _name_crimes(node: ast.AST) -> list[str]:
    """As an attribute or as a string, which getattr and sys.modules take."""
    name = node.attr if isinstance(node, ast.Attribute) else node.value if isinstance(node, ast.Constant) else None
    if name in FRAME_ATTRIBUTES:
        return [f"walks frames by {name}"]
    if isinstance(node, ast.Constant) and isinstance(name, str) and name.split(".")[0] == AUDITOR:
        return [f"names {name}, which is the auditor"]
    return []


def _patching(node: ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete, aliases: dict[str, str]) -> list[str]:
    targets = node.targets if isinstance(node, (ast.Assign, ast.Delete)) else [node.target]
    found: list[str] = []
    for target in targets:
        for part in target.elts if isinstance(target, ast.Tuple) else [target]:
            if not isinstance(part, ast.Attribute):
                continue
            name = _dotted(part, aliases)
            if name.rsplit(".", 1)[-1] in PRECISION_FLAGS:
                found.append(f"flips the precision flag {name}")
            elif name.split(".")[0] in PROTECTED_MODULES:
                found.append(f"patches {name}")
    return found


def _call_crimes(node: ast.Call, aliases: dict[str, str]) -> list[str]:
    name = _dotted(node.func, aliases)
    if name in FORBIDDEN_CALLS:
        return [f"{name} {FORBIDDEN_CALLS[name]}"]
    if name in ("local:setattr", "local:delattr") and node.args:
        owner = _dotted(node.args[0], aliases)
        if owner.split(".")[0] in PROTECTED_MODULES:
            return [f"patches {owner} through setattr"]
    return []


CHECK = AuditCheck(NAME, "L0", check)

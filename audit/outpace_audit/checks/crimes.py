"""L0: hard crimes. What no honest kernel needs: patching timers or torch, walking frames, starting processes, opening
connections, leaving files, flipping precision flags or reseeding, by whatever name it is reached. Things that can be
legal (caches, threads, streams, graphs) are named in the evidence, and later levels decide."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.checks.names import LOADED, LOCAL, LOOKUPS, OWN_NAMES, Names, text_of
from outpace_audit.checks.native_crimes import native_crimes
from outpace_audit.records import Check

NAME = "hard-crimes"

PROTECTED_MODULES = frozenset(("torch", "triton", "numpy", *sys.stdlib_module_names))
"""Assigning to an attribute of one of these changes what the judge's runner sees."""

REGISTRARS = ("torch.library.Library", "torch.library.impl", "torch.library.register_kernel")
OWN_OPERATORS = ("aten", "prims", "quantized")
"""torch's: a kernel that is registered there is everybody's."""

AUDITOR = "outpace_audit"

CLOCKS = (
    *(f"time.{name}{unit}" for name in ("time", "monotonic", "perf_counter") for unit in ("", "_ns")),
    *(f"time.{name}{unit}" for name in ("process_time", "thread_time", "clock_gettime") for unit in ("", "_ns")),
    *("time.localtime", "time.gmtime", "time.ctime", "time.asctime", "time.strftime"),
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
    *("uuid.uuid1", "timeit.default_timer", "timeit.timeit", "os.times", "resource.getrusage"),
)
"""What is right today may tell an audit from a later call by them."""

FORBIDDEN_CALLS = {
    **dict.fromkeys(CLOCKS, "reads the clock"),
    "sys._getframe": "walks frames",
    "sys._current_frames": "walks frames",
    "inspect.currentframe": "walks frames",
    "inspect.stack": "walks frames",
    "gc.get_objects": "searches the heap",
    "gc.get_referrers": "searches the heap",
    "gc.get_referents": "searches the heap",
    "gc.get_freeze_count": "asks who runs it",
    "gc.isenabled": "asks who runs it",
    "gc.get_stats": "asks who runs it",
    "gc.get_count": "asks who runs it",
    "sys.settrace": "traces the runner",
    "sys.setprofile": "traces the runner",
    "os.system": "starts a process",
    "os.fork": "starts a process",
    "os.popen": "starts a process",
    "os.kill": "signals processes",
    "os._exit": "ends the arm",
    "os.execv": "starts a process",
    "os.posix_spawn": "starts a process",
    "os.posix_spawnp": "starts a process",
    "os.forkpty": "starts a process",
    "os.killpg": "signals processes",
    "os.abort": "ends the arm",
    "os.open": "opens files past Python's own",
    "concurrent.futures.ProcessPoolExecutor": "starts processes",
    "torch.from_file": "shares memory with other processes",
    "torch.save": "writes files",
    "numpy.save": "writes files",
    "numpy.savez": "writes files",
    "numpy.memmap": "writes files",
    "pickle.dump": "writes files",
    "mmap.mmap": "shares memory with other processes",
    "shelve.open": "writes files",
    "sqlite3.connect": "writes files",
    "runpy.run_module": "runs another program's code",
    "torch.manual_seed": "reseeds the generator",
    "torch.random.manual_seed": "reseeds the generator",
    "torch.random.set_rng_state": "reseeds the generator",
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
    "_posixsubprocess": "starts processes",
    "multiprocessing": "starts processes",
    "pty": "starts processes",
    "socket": "opens connections",
    "_socket": "opens connections",
    "urllib": "opens connections",
    "requests": "opens connections",
    "http": "opens connections",
    "ctypes": "reaches memory outside torch",
    "_ctypes": "reaches memory outside torch",
    "cffi": "reaches memory outside torch",
    AUDITOR: "is the auditor",
}
COMMON_WORDS = ("http", "requests", "pty")
"""As a module of somebody's own, too: these count where a name begins with them."""

STARTING = ("os.exec", "os.spawn")
WRITING_METHODS = ("write_text", "write_bytes", "tofile", "touch", "symlink_to", "hardlink_to")
OPENERS = (f"{LOCAL}open", "io.open", "builtins.open", "codecs.open", "gzip.open")
"""What a process leaves in a file the next one finds: the checked process can tell the timed one its results, or that
it is not the first."""

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
    "mkdir",
    "makedirs",
)


def check(evidence: Evidence) -> Check:
    try:
        found = Counter(crime for text in evidence.candidate.texts for crime in crimes(text))
        found += Counter(native_crimes(evidence.candidate))
        seen = {name for text in evidence.candidate.texts for name in flags(text)}
    except (SyntaxError, ValueError) as error:
        return Check(NAME, "L0", False, f"a file of it does not parse: {error}")
    new = found - Counter(crimes(evidence.baseline.source)) - Counter(native_crimes(evidence.baseline))
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
    names = Names(tree)
    found: list[str] = []
    for node in ast.walk(tree):
        found += _import_crimes(node)
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            found += _patching(node, names)
        if isinstance(node, ast.Call):
            found += _call_crimes(node, names)
        if isinstance(node, (ast.Name, ast.Attribute, ast.Call, ast.Subscript)):
            found += _reached(node, names)
        found += _name_crimes(node)
    return [*found, *_searches(tree, names)]


def flags(source: str) -> set[str]:
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    return names & set(LEGAL_BUT_NAMED)


def _import_crimes(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [crime for alias in node.names for crime in _imported(alias.name)]
    if not isinstance(node, ast.ImportFrom) or not node.module or node.level:
        return []
    if _forbidden_part(node.module):
        return _imported(node.module)
    if node.module in ("os", "sys", "gc", "inspect") and node.names[0].name == "*":
        return [f"imports all of {node.module}"]
    return [crime for alias in node.names for crime in _imported(f"{node.module}.{alias.name}")]


def _forbidden_part(name: str) -> str:
    """Of a dotted name, that begins with it or leads through another module to it."""
    parts = name.split(".")
    through = parts[1:] if parts[0] in sys.stdlib_module_names or parts[0] in ("torch", "triton", "numpy") else []
    later = (part for part in through if part in FORBIDDEN_IMPORTS and part not in COMMON_WORDS)
    return parts[0] if parts[0] in FORBIDDEN_IMPORTS else next(later, "")


def _name_crimes(node: ast.AST) -> list[str]:
    """As an attribute or as a string, which getattr and sys.modules take."""
    text = text_of(node)
    name = node.attr if isinstance(node, ast.Attribute) else text
    if name in FRAME_ATTRIBUTES:
        return [f"walks frames by {name}"]
    if text is not None and text.split(".")[0] == AUDITOR:
        return [f"names {text}, which is the auditor"]
    return [f"names {text}, which {FORBIDDEN_CALLS[text]}"] if text in FORBIDDEN_CALLS else []


def _patching(node: ast.Attribute | ast.Subscript, names: Names) -> list[str]:
    """Wherever one can be bound or deleted: assignments, loops, `with`, comprehensions."""
    name = _owned(node, names)
    if (whose := names.class_of(node.value)) is not None:
        return [f"patches {whose}"]
    if name.rsplit(".", 1)[-1] in PRECISION_FLAGS:
        return [f"flips the precision flag {name}"]
    return [f"patches {name}"] if name.split(".")[0] in PROTECTED_MODULES else []


def _owned(node: ast.expr, names: Names) -> str:
    """Whose attribute it is; one of a local object may be called `time` or `os`."""
    plain = names.dotted(node)
    return plain if plain.startswith(LOCAL) else names.whole(node)


def _call_crimes(node: ast.Call, names: Names) -> list[str]:
    name = names.whole(node.func)
    if name in (f"{LOCAL}setattr", f"{LOCAL}delattr") and node.args:
        owner = _owned(node.args[0], names)
        if (whose := names.class_of(node.args[0])) is not None:
            return [f"patches {whose} through setattr"]
        if owner.split(".")[0] in PROTECTED_MODULES:
            return [f"patches {owner} through setattr"]
    if name == f"{LOCAL}type.__setattr__":
        return ["patches a class through type.__setattr__"]
    namespace = (text_of(node.args[0]) or "").split("::")[0] if node.args else ""
    if name in REGISTRARS and namespace in OWN_OPERATORS:
        return [f"puts a kernel over torch's own by {name}"]
    if names.imports(node) and node.args:
        return _imported(text_of(node.args[0]))
    if isinstance(node.func, ast.Attribute) and node.func.attr in WRITING_METHODS:
        return [f"writes files by {node.func.attr}"]
    modes = node.args[1:] if name in OPENERS else node.args
    opens = name in OPENERS or (isinstance(node.func, ast.Attribute) and node.func.attr == "open")
    modes = [*modes, *(key.value for key in node.keywords if key.arg == "mode")]
    return ["writes files by open"] if opens and any(map(_writes, modes)) else []


def _imported(module: str | None) -> list[str]:
    if module is None:
        return ["imports a module under a name that is made up as it runs"]
    forbidden = _forbidden_part(module)
    return [f"imports {module}, which {FORBIDDEN_IMPORTS[forbidden]}"] if forbidden else []


def _writes(mode: ast.expr) -> bool:
    text = text_of(mode) or ""
    return set(text) <= set("rwxabt+") and bool(set(text) & set("wxa+"))


def _reached(node: ast.Name | ast.Attribute | ast.Call | ast.Subscript, names: Names) -> list[str]:
    """A forbidden function, called or only taken, or a forbidden module behind another one's name."""
    name = names.whole(node)
    reason = FORBIDDEN_CALLS.get(name) or ("starts a process" if name.startswith(STARTING) else "")
    if reason:
        return [f"{name} {reason}"]
    plain = names.dotted(node)
    if isinstance(node, ast.Name) or plain.startswith(LOCAL):
        return []
    last = plain.rpartition(".")[2]
    behind = last in FORBIDDEN_IMPORTS and (last not in COMMON_WORDS or last == plain)
    return [f"reaches {plain}, which {FORBIDDEN_IMPORTS[last]}"] if behind else []


def _searches(tree: ast.Module, names: Names) -> Iterator[str]:
    """Uses of the loaded modules other than to look one up by a name that is written there."""
    allowed: set[int] = set()
    for node in ast.walk(tree):
        owner, key = None, None
        if isinstance(node, ast.Subscript):
            owner, key = node.value, node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOOKUPS:
            owner, key = node.func.value, node.args[0] if node.args else None
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            owner, key = node.comparators[0], node.left
        named = isinstance(key, (ast.Name, ast.Attribute)) and _last(key) in OWN_NAMES
        if owner is not None and key is not None and (named or text_of(key) is not None):
            allowed.add(id(owner))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.Attribute)) and id(node) not in allowed and names.whole(node) == LOADED:
            yield "searches the loaded modules"


def _last(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


CHECK = AuditCheck(NAME, "L0", check)

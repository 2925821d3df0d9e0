"""L0: the candidate parses, and differs from the baseline only inside the definitions that the patch declares. Among
these may be new ones, at the top level, under names that occur nowhere in the baseline, constants of the top level,
`NAME = 64`, that stay whole numbers, and C++ texts that are compiled, with the flags that they are compiled with."""

from __future__ import annotations

import ast

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.constants import Changeable
from outpace_audit.records import Check

NAME = "edit-span"
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def check(evidence: Evidence) -> Check:
    try:
        candidate = ast.parse(evidence.candidate.source)
    except (SyntaxError, ValueError) as error:
        return Check(NAME, "L0", False, f"the candidate does not parse: {error}")
    if evidence.patch is None:
        return Check(NAME, "L0", True, "the candidate is a whole file, as given")
    allowed = {span.qualname for span in evidence.patch.spans}
    baseline = ast.parse(evidence.baseline.source)
    added_names = {f"allowed {name}" for name in allowed - _names(baseline) if "." not in name}
    before = _outside(baseline, allowed)
    after = [line for line in _outside(candidate, allowed) if line not in added_names]
    missing = [line for line in before if line not in after]
    added = [line for line in after if line not in before]
    touched = [*missing, *added]
    if touched or [line for line in before if line in after] != [line for line in after if line in before]:
        shown = touched[0][:120] if touched else "the order of definitions"
        return Check(NAME, "L0", False, f"the edit reaches outside {', '.join(sorted(allowed))}: {shown}")
    return Check(
        NAME,
        "L0",
        True,
        f"only {', '.join(sorted(allowed))} and imports changed",
        threshold="everything else identical by syntax tree",
    )


def _names(module: ast.Module) -> set[str]:
    """Every name in it, whatever it is there."""
    names: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, _DEFINITIONS):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
    return names


def _outside(module: ast.Module, allowed: set[str]) -> list[str]:
    """One dump per statement outside the allowed definitions; imports at the top level are free."""
    dumps: list[str] = []
    changeable = Changeable(module)

    def walk(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, (ast.Import, ast.ImportFrom)) and not prefix:
                continue
            if isinstance(node, _DEFINITIONS):
                qualname = f"{prefix}{node.name}"
                if qualname in allowed:
                    dumps.append(f"allowed {qualname}")
                    continue
                if isinstance(node, ast.ClassDef):
                    heads = [ast.dump(part) for part in (*node.bases, *node.decorator_list)]
                    dumps.append(f"class {qualname} {heads}")
                    walk(node.body, f"{qualname}.")
                    continue
            if not prefix and changeable.name(node) in allowed:
                dumps.append(changeable.kept(node))
                continue
            dumps.append(f"{prefix}{ast.unparse(node)}")

    walk(module.body, "")
    return dumps


CHECK = AuditCheck(NAME, "L0", check)

"""host-number: a number that is made a tensor on the device stays on the host, and what is computed of it alone."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .host_values import Hosts
from .scope import scopes
from .writing import Edit, make_patch


class HostNumber:
    id = "host-number"
    title = "Leave numbers on the host"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/host-number.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            hosts = Hosts(scope)
            devices = [device for made, device in hosts.made.items() if hosts.may_stay(made)]
            edit = Edit()
            for device in devices:
                edit.expression(scope.source, device, '"cpu"')
            patch = make_patch(scope.source, code, scope.definition, edit) if devices else None
            if patch is not None:
                yield Idea(
                    self.id,
                    f"numbers left on the host in {scope.definition.qualname}",
                    "no copy to the device, which is waited for, and no kernel for each step with one number",
                    self.claimed_class,
                    patch,
                )


RULE = HostNumber()

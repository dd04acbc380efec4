"""imgtrust answers for a container image: who published it, when, and may it go to production?

The typed surface for Python (CLI.md section 6); everything is imported when it is first used::

    import imgtrust

    policy = imgtrust.load_policy("gate.toml")
    verdict = imgtrust.verify("registry.example.com/team/app:1.4.2", policy)  # raises imgtrust.Rejected
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from imgtrust.commands.library import (
        LoadedPolicy,
        audit,
        judge,
        load_policy,
        open_store,
        promote,
        verify,
    )
    from imgtrust.commands.librarysign import attest, sign
    from imgtrust.commands.librarysigners import Keyless, Logs, open_notary_signer, open_signer, open_timestamper
    from imgtrust.errors import ImgtrustError, Rejected
    from imgtrust.policy.values import Policy
    from imgtrust.policy.verdict import Outcome, Verdict
    from imgtrust.reference import Digest, Reference
    from imgtrust.stores.options import StoreOptions

__all__ = [
    "Digest",
    "ImgtrustError",
    "Keyless",
    "LoadedPolicy",
    "Logs",
    "Outcome",
    "Policy",
    "Reference",
    "Rejected",
    "StoreOptions",
    "Verdict",
    "__version__",
    "attest",
    "audit",
    "judge",
    "load_policy",
    "open_notary_signer",
    "open_signer",
    "open_store",
    "open_timestamper",
    "promote",
    "sign",
    "verify",
]

__version__: Final = "0.1.0"

_HOMES: Final = {
    "Digest": "imgtrust.reference",
    "ImgtrustError": "imgtrust.errors",
    "Keyless": "imgtrust.commands.librarysigners",
    "LoadedPolicy": "imgtrust.commands.library",
    "Logs": "imgtrust.commands.librarysigners",
    "Outcome": "imgtrust.policy.verdict",
    "Policy": "imgtrust.policy.values",
    "Reference": "imgtrust.reference",
    "Rejected": "imgtrust.errors",
    "StoreOptions": "imgtrust.stores.options",
    "Verdict": "imgtrust.policy.verdict",
    "attest": "imgtrust.commands.librarysign",
    "audit": "imgtrust.commands.library",
    "judge": "imgtrust.commands.library",
    "load_policy": "imgtrust.commands.library",
    "open_notary_signer": "imgtrust.commands.librarysigners",
    "open_signer": "imgtrust.commands.librarysigners",
    "open_store": "imgtrust.commands.library",
    "open_timestamper": "imgtrust.commands.librarysigners",
    "promote": "imgtrust.commands.library",
    "sign": "imgtrust.commands.librarysign",
    "verify": "imgtrust.commands.library",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the types stand in TYPE_CHECKING above
    """Import a name of the surface when it is first asked for."""
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module  # noqa: PLC0415 - the module's own import stays free

    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The surface, for completion."""
    return sorted(__all__)

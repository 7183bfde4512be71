"""Corrections of the emulator's STS: the signature of GetCallerIdentity is checked for every key.

The operator learns from it who calls its API (`ferryman.proofs`), so here it has to say no as STS does. The emulator
checks the signatures of IAM users and sessions itself, and takes its root key, `test`, with any secret.

Source: the IAM User Guide, "Signature Version 4"; its published examples are tests.
"""

from typing import Any

from ferryman_local.patches.private_attributes import module, replace

ROOT_SECRET = "test"  # noqa: S105 - the emulator's own, known to everybody


def apply() -> None:
    """Put every correction of this file in place."""
    replace(module("services.sts"), "handle_request", handle_request)


def handle_request(original: Any) -> Any:
    """The root key has the secret `test`: another one, or a signature of something else, is refused."""
    sts, sigv4, evaluator = module("services.sts"), module("core.sigv4"), module("core.iam_evaluator")

    async def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        signature = sigv4.parse_header_signature(headers)
        if isinstance(signature, sigv4.HeaderSignature) and evaluator.is_root_access_key(signature.access_key_id):
            refused = sigv4.header_signature_failure(
                signature, ROOT_SECRET, method, path, query, headers, body
            ) or sigv4.request_time_failure(signature)
            if refused:
                return sts._error(403, *refused, ns="sts")
        return await original(method, path, headers, body, query)

    return handle

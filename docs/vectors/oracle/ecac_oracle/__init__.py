"""An oracle for ECAC op logs, written from the definitions and not from the engine.

One arrow: bytes -> items (`wire`) -> ops that somebody signed (`wire`, `ed25519`) -> what was decided of each
(`judge`, with `credential` for the JWTs in them) -> documents (`export`).
"""

"""Decisions, state and trust view as documents, byte for byte those of `ecac`."""

import datetime
import hashlib
import json

import cbor2
from blake3 import blake3

from .authority import DATA_KINDS, DENIALS, Title, has
from .credential import NS_PER_SECOND
from .effects import effects, grants_to
from .text import did_key, utf8
from .wire import Sealed


def canonical(document):
    """RFC 8785 of a document without floating-point numbers."""

    def ordered(value):
        if isinstance(value, dict):
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return {name: ordered(value[name]) for name in names}
        return [ordered(element) for element in value] if isinstance(value, list) else value

    return utf8(json.dumps(ordered(document), ensure_ascii=False, separators=(",", ":")))


def decisions(history):
    """JSON Lines by op id: what is decided of an op, what a pending op waits for, and the effect of an op."""
    lines = []
    told = effects(history)
    for op, decision in sorted(history.decisions.items()):
        line = {
            "op": op.hex(),
            "verdict": decision.verdict,
            "reason": decision.reason,
            "witness": decision.witness and decision.witness.hex(),
            "missing": decision.missing and [ancestor.hex() for ancestor in decision.missing],
            "effect": effect_entry(told[op]) if op in told else None,
        }
        lines.append(json.dumps(line, separators=(",", ":")) + "\n")
    return utf8("".join(lines))


def effect_entry(effect):
    return {"code": effect.code, "counts": effect.counts, "on": [op.hex() for op in effect.on]}


def export(history, document):
    """An export, which says so where the replica is behind."""
    unknown = history.unknown_features(history.everything)
    if unknown or history.unsupported:
        features = sorted(unknown, key=utf8)
        document["behind"] = {"features": features, "unsupported": len(history.unsupported)}
    return canonical({"project": history.project.hex(), **document})


# ---------------------------------------------------------------------------------------------------------------------
# Snapshots
# ---------------------------------------------------------------------------------------------------------------------

SKELETON_DOMAIN = b"ECAC_SKELETON_V1"
# Of the kinds that have skeletons the type, and the names of the members in the order of their keys.
SKELETONS = {
    "SetField": (1, ("object", "field", "value")),
    "SetAdd": (2, ("object", "field", "element", "value")),
    "SetRemove": (3, ("object", "field", "element")),
}


def snapshot(history, seal):
    """What the digest of a `Seal` is of: its past, decided within itself."""
    past = history.past[history.number[seal]]
    ops = {op.id: op for at, op in enumerate(history.ops) if has(past, at)}
    within = type(history).of(history.project, ops)
    binds = within.is_in_force("carry", within.everything)
    return canonical(
        {
            "format": "ecac-snapshot-v2" if binds else "ecac-snapshot-v1",
            "project": within.project.hex(),
            "ops": [
                [op.id.hex(), within.decisions[op.id].verdict, *([skeleton(within, op)] if binds else [])]
                if op.kind in SKELETONS
                else [op.id.hex(), within.decisions[op.id].verdict]
                for op in sorted(within.ops, key=lambda op: (op.hlc, op.id))
            ],
            "state": hashlib.sha256(state(within)).hexdigest(),
            "trust": hashlib.sha256(trust(within)).hexdigest(),
        }
    )


def seals(history):
    """A line for each admitted seal, by op id: the digest of the snapshot of its past, whatever the seal itself says."""
    admitted = [op for op in history.ops if op.kind == "Seal" and history.decisions[op.id].verdict in ("applied", "denied")]
    lines = [
        json.dumps({"op": op.id.hex(), "sha256": hashlib.sha256(snapshot(history, op.id)).hexdigest()}, separators=(",", ":"))
        for op in sorted(admitted, key=lambda op: op.id)
    ]
    return "".join(line + "\n" for line in lines).encode()


def skeleton(history, op):
    """The digest of an op without its value, and without the parents that others of them have seen."""
    parents = {history.number[parent] for parent in op.parents}
    seen = seen_by(history, parents)
    number, names = SKELETONS[op.kind]
    body = {
        0: 1,
        1: op.author,
        2: op.seq,
        3: sorted(history.ops[parent].id for parent in parents if not has(seen, parent)),
        4: list(op.hlc),
        5: {0: number, **{key: None if name == "value" else op.says[name] for key, name in enumerate(names, 1)}},
    }
    return blake3(SKELETON_DOMAIN + cbor2.dumps(body, canonical=True)).hexdigest()


# ---------------------------------------------------------------------------------------------------------------------
# State
# ---------------------------------------------------------------------------------------------------------------------


def seen_by(history, ops):
    """Every op in the past of one of these."""
    seen = 0
    for at in ops:
        seen |= history.past[at]
    return seen


def state(history):
    """Registers and sets over the applied ops."""
    places = {}
    for at, op in enumerate(history.ops):
        if op.kind in DATA_KINDS and history.decisions[op.id].verdict == "applied":
            place = (op.says["object"], op.says["field"], op.says.get("element"))
            places.setdefault(place, []).append(at)

    objects = {}
    for (object_, field, element), ops in places.items():
        writes = [at for at in ops if history.ops[at].kind != "SetRemove"]
        if element is not None:
            removed = seen_by(history, set(ops) - set(writes))
            writes = [at for at in writes if not has(removed, at)]
        if not writes:
            continue
        overwritten = seen_by(history, writes)
        winners = sorted((at for at in writes if not has(overwritten, at)), key=lambda at: history.ops[at].id)
        entry = register(history, winners)
        exported = objects.setdefault(object_, {"fields": {}, "sets": {}})
        if element is None:
            exported["fields"][field] = entry
        else:
            entry["tags"] = sorted(history.ops[at].id.hex() for at in writes)
            exported["sets"].setdefault(field, {})[element] = entry
    return export(history, {"format": "ecac-state-v1", "objects": objects})


def register(history, winners):
    """The concurrent winners, and as the displayed value the one with the least BLAKE3."""
    ops = [history.ops[at] for at in winners]
    displayed = min((op.says["value"] for op in ops), key=lambda value: blake3(cbor2.dumps(cbor_value(value))).digest())
    return {
        "value": json_value(displayed),
        "winners": [
            {"op": op.id.hex(), "author": did_key(op.author), "value": json_value(op.says["value"])} for op in ops
        ],
    }


def cbor_value(value):
    return [value.key, value.nonce, value.ciphertext] if isinstance(value, Sealed) else value


def json_value(value):
    if isinstance(value, Sealed):
        digest = hashlib.sha256(value.nonce + value.ciphertext).hexdigest()
        return {"sealed": {"digest": digest, "key": value.key.hex()}}
    return {"bytes": value.hex()} if isinstance(value, bytes) else value


# ---------------------------------------------------------------------------------------------------------------------
# Trust view
# ---------------------------------------------------------------------------------------------------------------------


def trust(history):
    """Whom the project trusts, and to say what."""
    keys = sorted(history.keys, key=lambda key: key.op.id)
    deaths = {key: history.death(key, history.everything) for key in keys}
    active = [key for key in keys if deaths[key] is None]
    genesis = history.ops[history.number[history.project]].says if history.ops else None
    return export(
        history,
        {
            "format": "ecac-trust-v2",
            "name": genesis and genesis["name"],
            "roots": roots(history),
            "issuer_keys": {
                "active": [
                    {**key_entry(key), "conflict": any(conflict(key, other) for other in active)} for key in active
                ],
                "revoked": [{**key_entry(key), **denial_entry(deaths[key])} for key in keys if deaths[key] is not None],
            },
            "status_lists": status_lists(history),
            **features(history),
            "equivocations": [
                {
                    "author": did_key(equivocation.author),
                    "seq": equivocation.seq,
                    "ops": sorted(history.ops[at].id.hex() for at in equivocation.ops),
                }
                for equivocation in history.equivocations
            ],
        },
    )


def roots(history):
    """The grants of `root` that count: those that serve, and those that some denial kills."""
    grants = [
        grant
        for grant in history.grants
        if grant.is_root
        and grant.fault is None
        and (grant.op.kind == "Genesis" or history.is_full(grant.at, history.everything))
    ]
    active, revoked = [], []
    for grant in sorted(grants, key=lambda grant: (grant.op.id, grant.subject)):
        kill = history.kill(Title(grant), history.everything)
        if kill is None:
            active.append(root_entry(history, grant))
        else:
            revoked.append({**root_entry(history, grant), **denial_entry(kill)})
    return {"active": active, "revoked": revoked}


def root_entry(history, grant):
    entry = {
        "grant": grant.op.id.hex(),
        "subject": did_key(grant.subject),
        "frozen": bool(history.unseen_halves(grant.subject, Title(grant), history.everything)),
    }
    if grant.credential:
        entry["credential"] = grant.op.says["credential"].hex()
        entry["valid_from"] = rfc_3339(grant.credential.from_ns)
        entry["valid_until"] = rfc_3339(grant.credential.until_ns)
    return entry


def denial_entry(kill):
    reason, denial = kill
    return {"reason": DENIALS[reason], "denial": denial.hex()}


def rfc_3339(ns):
    """The instant in UTC, with as many digits of a fraction as it needs."""
    seconds, fraction = divmod(ns, NS_PER_SECOND)
    instant = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    digits = f"{fraction:09}".rstrip("0")
    return instant.isoformat() + (f".{digits}" if digits else "") + "Z"


def conflict(key, other):
    """Whether two keys share a name and are not the same."""
    one, two = key.op.says, other.op.says
    return (one["issuer"], one["kid"]) == (two["issuer"], two["kid"]) and one["key"] != two["key"]


def key_entry(key):
    return {
        "issuer": key.op.says["issuer"],
        "kid": key.op.says["kid"],
        "public_key": did_key(key.op.says["key"]),
        "valid_from_ms": key.op.says["from"],
        "valid_until_ms": key.op.says["until"],
        "op": key.op.id.hex(),
    }


def features(history):
    """What there is where the features are in force for an op that had seen everything."""
    document = {}
    if history.is_in_force("quorum", history.everything):
        document["quorum"] = history.threshold
    if history.is_in_force("seal", history.everything):
        finals = history.final_seals(history.everything)
        document["seals"] = sorted(
            (
                {
                    "op": history.ops[seal].id.hex(),
                    "digest": history.ops[seal].says["digest"].hex(),
                    "final": seal in finals,
                }
                for seal in history.seals
            ),
            key=lambda entry: entry["op"],
        )
    if history.is_in_force("device", history.everything):
        links = [link for link in history.devices if not link.fault]
        document["devices"] = [device_entry(history, link) for link in sorted(links, key=lambda link: link.op.id)]
    return document


def device_entry(history, link):
    """A link, with the grants for which the device serves."""
    serving = [
        grant
        for grant in grants_to(history, link.person)
        if history.carries(link, grant, history.everything)
        and history.kill(Title(grant, link), history.everything) is None
    ]
    return {
        "op": link.op.id.hex(),
        "person": did_key(link.person),
        "key": did_key(link.key),
        "grants": sorted(grant.op.id.hex() for grant in serving),
    }


def status_lists(history):
    """The lists that count, with the bits of all versions, because a bit once set denies."""
    versions = {}
    for counted in history.lists:
        name = (utf8(counted.list.signed.issuer), utf8(counted.list.id), counted.list.purpose)
        versions.setdefault(name, []).append(counted)
    entries = []
    for (issuer, id_, purpose), counted in sorted(versions.items(), key=lambda item: item[0]):
        merged = bytearray(max(len(version.list.bits) for version in counted))
        for version in counted:
            for at, byte in enumerate(version.list.bits):
                merged[at] |= byte
        entries.append(
            {
                "issuer": issuer.decode(),
                "id": id_.decode(),
                "purpose": purpose,
                "sha256": hashlib.sha256(merged).hexdigest(),
                "bits_set": sum(byte.bit_count() for byte in merged),
                "versions": [
                    {"op": version.op.id.hex(), "sha256": hashlib.sha256(version.list.bits).hexdigest()}
                    for version in sorted(counted, key=lambda version: version.op.id)
                ],
            }
        )
    return entries

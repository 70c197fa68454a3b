"""Vector files (`docs/vectors/README.md`): reads each and checks every statement in it."""

import hashlib
from dataclasses import dataclass, field

from . import export
from .effects import effects
from .judge import History
from .wire import DOMAIN, BadSignature, NonCanonical, blake3, loads, read_op


class Malformed(Exception):
    """The file is not in the format of vectors."""


@dataclass
class Vector:
    """The lines of a file: members by key, and what comes in several lines."""

    members: dict[str, str] = field(default_factory=dict)
    # Op ids and envelopes by name, in the order of the story.
    ops: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    decisions: dict[str, str] = field(default_factory=dict)
    effects: dict[str, str] = field(default_factory=dict)
    # Of a `Seal`: the digest of the snapshot of its past.
    snapshots: dict[str, str] = field(default_factory=dict)
    noise: list[tuple[str, bytes]] = field(default_factory=list)
    # An order of arrival: names, and statements by the number of arrivals.
    orders: list[tuple[list[str], dict[int, list[str]]]] = field(default_factory=list)
    cases: list[dict[str, str]] = field(default_factory=list)


def parse(text):
    """The vector in a file."""
    vector = Vector()
    lines = text.splitlines()
    if not lines or not lines[0].startswith("expect: "):
        raise Malformed("the first line is no verdict")
    for line in lines:
        match line.split(" "):
            case ["op", name, id_, envelope]:
                vector.ops[name] = bytes.fromhex(id_), bytes.fromhex(envelope)
            case ["decision", name, *rest]:
                vector.decisions[name] = " ".join(rest)
            case ["effect", name, *rest]:
                vector.effects[name] = " ".join(rest)
            case ["snapshot", name, digest_]:
                vector.snapshots[name] = digest_
            case ["noise", reason, item]:
                vector.noise.append((reason, bytes.fromhex(item)))
            case ["order:", *names]:
                vector.orders.append((names, {}))
            case ["after", count, *statement] if vector.orders:
                vector.orders[-1][1].setdefault(int(count), []).append(" ".join(statement))
            case ["case:", *_]:
                vector.cases.append({"case": line.partition(": ")[2]})
            case ["body:" | "envelope:" | "op-id:" | "fault:" as key, value] if vector.cases:
                vector.cases[-1][key[:-1]] = value
            case [key, *_] if key.endswith(":") and key[:-1] not in vector.members:
                vector.members[key[:-1]] = line.partition(": ")[2]
            case _:
                raise Malformed(f"a line that means nothing: {line[:80]}")
    for key in ("expect", "about", "rule"):
        if key not in vector.members:
            raise Malformed(f"no `{key}`")
    return vector


class Check:
    """Counts the statements of a vector, and lists those that the oracle denies."""

    def __init__(self):
        self.statements, self.faults = 0, []

    def equal(self, what, found, expected):
        self.statements += 1
        if found != expected:
            self.faults.append(f"{what}: {found}, and not {expected}")


def check(text):
    """The number of statements in a file, and what is wrong with it."""
    checked = Check()
    try:
        vector = parse(text)
        (of_bytes if vector.cases else of_history)(vector, checked)
    except (Malformed, ValueError, KeyError) as fault:
        checked.faults.append(f"not a vector: {fault!r}")
    if not checked.statements and not checked.faults:
        checked.faults.append("states nothing")
    return checked.statements, checked.faults


def receive(item):
    """The verdict on bytes, and the op if they are one."""
    try:
        return "accepted", read_op(item)
    except NonCanonical:
        return "refused non_canonical", None
    except BadSignature:
        return "refused bad_signature", None


def of_bytes(vector, checked):
    """A vector of the codec: each case is an op, or is none."""
    for case in vector.cases:
        what, envelope = case["case"], bytes.fromhex(case["envelope"])
        verdict, op = receive(envelope)
        checked.equal(what, verdict, vector.members["expect"])
        body = None
        if verdict != "refused non_canonical":
            body = loads(envelope).value[2]
        elif "body" in case and bytes.fromhex(case["body"]) not in envelope:
            checked.faults.append(f"{what}: the body is not in the envelope")
        if "op-id" in case:
            checked.equal(what, body and blake3(DOMAIN + body).hexdigest(), case["op-id"])
            if "body" in case:
                checked.equal(what, body and body.hex(), case["body"])
        if op:
            checked.equal(what, op.id.hex(), case["op-id"])


def said_of(decision, names):
    """A decision as a line of a vector says it."""
    witness = decision.witness and f"witness {named([decision.witness], names)}"
    missing = decision.missing and f"missing {named(decision.missing, names)}"
    return " ".join(part for part in (decision.verdict, decision.reason, witness, missing) if part)


def effect_of(effect, names):
    """An effect as a line of a vector says it."""
    counts = {True: "yes", False: "no", None: "unknown"}[effect.counts]
    return f"{effect.code} {counts}" + (f" on {named(effect.on, names)}" if effect.on else "")


def named(ops, names):
    """Ops by name, and those that the file does not have by id."""
    return " ".join(names.get(op, op.hex()) for op in ops)


def of_history(vector, checked):
    """A vector with a history: what is decided of it, its exports, and what holds of other orders."""
    project = bytes.fromhex(vector.members["project"])
    names = {id_: name for name, (id_, _) in vector.ops.items()}
    ops = {}
    for name, (id_, envelope) in vector.ops.items():
        verdict, op = receive(envelope)
        checked.equal(name, verdict, "accepted")
        if op:
            checked.equal(name, op.id.hex(), id_.hex())
            ops[name] = op

    def judged(order):
        return History.of(project, {ops[name].id: ops[name] for name in order})

    def final(history, what):
        said = {names[op]: said_of(decision, names) for op, decision in history.decisions.items()}
        for name in vector.decisions.keys() | said.keys():
            checked.equal(f"{what}{name}", said.get(name), vector.decisions.get(name))
        told = {names[op]: effect_of(effect, names) for op, effect in effects(history).items()}
        for name in vector.effects.keys() | told.keys() if vector.effects else ():
            checked.equal(f"{what}effect of {name}", told.get(name), vector.effects.get(name))
        for name, digest_ in vector.snapshots.items():
            checked.equal(f"{what}snapshot of {name}", digest(export.snapshot(history, ops[name].id)), digest_)
        checked.equal(f"{what}state", digest(export.state(history)), vector.members["state-sha256"])
        checked.equal(f"{what}trust view", digest(export.trust(history)), vector.members["trust-sha256"])

    history = judged(vector.ops)
    final(history, "")
    if "state" in vector.members:
        checked.equal("state", export.state(history).decode(), vector.members["state"])
    group, _, reason = vector.members["expect"].partition(" ")
    if "subject" in vector.members:
        subject = vector.decisions[vector.members["subject"]].split(" witness ")[0].split(" missing ")[0]
        checked.equal("subject", subject, vector.members["expect"])
    elif group != "holds" or not vector.orders:
        raise Malformed("neither a subject nor a law")

    for reason, item in vector.noise:
        checked.equal("noise", receive(item)[0], f"refused {reason}")
    for order, statements in vector.orders:
        what = f"in the order {' '.join(order)}: "
        checked.equal(what, set(order), set(vector.ops))
        final(judged(order), what)
        for count, lines in statements.items():
            prefix = judged(order[:count])
            for line in lines:
                checked.equal(f"{what}after {count}", statement(prefix, line, names), line)


def statement(history, line, names):
    """What the oracle says where the vector says the line."""
    match line.split(" "):
        case ["decision", name, *_]:
            (op,) = [op for op in history.decisions if names[op] == name]
            return f"decision {name} {said_of(history.decisions[op], names)}"
        case ["effect", name, *_]:
            (effect,) = [effect for op, effect in effects(history).items() if names[op] == name]
            return f"effect {name} {effect_of(effect, names)}"
        case ["state-sha256", _]:
            return f"state-sha256 {digest(export.state(history))}"
        case ["trust-sha256", _]:
            return f"trust-sha256 {digest(export.trust(history))}"
    raise Malformed(f"a statement that means nothing: {line}")


def digest(document):
    return hashlib.sha256(document).hexdigest()

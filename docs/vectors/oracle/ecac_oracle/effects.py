"""What each admitted op of trust or policy does, or that it counts for nothing and why."""

from dataclasses import dataclass

from .judge import FEATURES, has, matches, name_of_key, names, reaches

VOID_DOCUMENT = {"unreadable": False, "other_project": False}
VOID_SIGNATURE = {"unlisted_key": False, "outside_window": False, "dead_key": False, "bad_signature": False}
# The effects of each kind, and whether an op with this effect counts: None where a later program has to say.
COUNTS = {
    "Genesis": {"founds": True},
    "Credential": {**VOID_DOCUMENT, "carries": True},
    "Grant": {
        "no_credential": False,
        **VOID_DOCUMENT,
        "other_subject": False,
        **VOID_SIGNATURE,
        "status_unknown": False,
        "too_deep": False,
        "denied": False,
        "ended": False,
        "grants": True,
    },
    "Revoke": {"no_grant": False, "not_matched": False, "out_of_reach": False, "revokes": True},
    "IssuerKey": {"denied": False, "ended": False, "conflicts": True, "lists": True},
    "IssuerKeyRevoke": {"unlisted_key": False, "revokes_key": True},
    "StatusList": {**VOID_DOCUMENT, **VOID_SIGNATURE, "withdraws": True, "withdraws_nothing": True},
    "Upgrade": {"unknown_feature": None, "bad_parameters": False, "in_force": False, "upgrades": True},
    "Schema": {"in_force": False, "adds_rules": True},
}


@dataclass(frozen=True)
class Effect:
    """The effect of an op, whether the op counts, and the ids of the ops that it concerns, ascending."""

    code: str
    counts: bool | None
    on: tuple[bytes, ...]


def effects(history):
    """The effects of the admitted ops of trust and policy, by op id."""
    told = {}
    for at, op in enumerate(history.ops):
        if op.kind in COUNTS:
            code, on = effect(history, at, op)
            told[op.id] = Effect(code, COUNTS[op.kind][code], tuple(sorted(set(on))))
    return told


def effect(history, at, op):
    """Name of the effect, and the ids of the ops that it concerns."""
    match op.kind:
        case "Genesis":
            return "founds", ()
        case "Credential":
            return credential(history, at), ()
        case "Grant":
            (grant,) = [grant for grant in history.grants if grant.at == at]
            if grant.fault:
                return fault(history, grant.fault)
            return lost(history, op, history.kill(grant, everything(history))) or ("grants", ())
        case "Revoke":
            return revocation(history, at)
        case "IssuerKey":
            return issuer_key(history, at, op)
        case "IssuerKeyRevoke":
            listed = [
                key.op.id
                for key in history.keys
                if name_of_key(key.op) == name_of_key(op) and not has(history.past[key.at], at)
            ]
            return ("revokes_key", listed) if listed else ("unlisted_key", ())
        case "StatusList":
            return status_list(history, at)
        case "Upgrade":
            return upgrade(history, at, op), ()
        case "Schema":
            known = set(op.says["rules"]) <= history.rules_in(history.past[at])
            return ("in_force" if known else "adds_rules"), ()


def everything(history):
    return (1 << len(history.ops)) - 1


def fault(history, found):
    return found.name, [history.ops[at].id for at in found.on]


def credential(history, at):
    read = history.credentials[at]
    if read is None:
        return "unreadable"
    return "carries" if read.signed.is_for(history.project) else "other_project"


def lost(history, op, kill):
    """That an op was denied, or that what it handed on has ended; None if neither."""
    decision = history.decisions[op.id]
    if decision.verdict == "denied":
        return "denied", [decision.witness]
    return kill and ("ended", [kill[1]])


def revocation(history, at):
    (denial,) = [denial for denial in history.revocations if denial.at == at]
    grants = [grant for grant in history.grants if names(denial, grant) and not has(history.past[grant.at], at)]
    if not grants:
        return "no_grant", ()
    matched = [grant for grant in grants if matches(denial, grant)]
    if not matched:
        return "not_matched", [grant.op.id for grant in grants]
    reached = [grant for grant in matched if reaches(denial, grant)]
    if not reached:
        return "out_of_reach", [grant.op.id for grant in matched]
    return "revokes", [grant.op.id for grant in reached]


def issuer_key(history, at, op):
    (key,) = [key for key in history.keys if key.at == at]

    def lost_key(key):
        return lost(history, key.op, history.death(key, everything(history)))

    loss = lost_key(key)
    if loss:
        return loss
    others = [
        other.op.id
        for other in history.keys
        if name_of_key(other.op) == name_of_key(op) and other.op.says["key"] != op.says["key"] and not lost_key(other)
    ]
    return ("conflicts", others) if others else ("lists", ())


def status_list(history, at):
    version = history.status_lists[at]
    if version.fault:
        return fault(history, version.fault)
    withdrawn = [
        grant.op.id
        for grant in history.grants
        if grant.credential
        for status in grant.credential.status
        if version in history.versions(grant.credential, status) and version.list.bit(status.index)
    ]
    return ("withdraws", withdrawn) if withdrawn else ("withdraws_nothing", ())


def upgrade(history, at, op):
    feature = op.says["feature"]
    if feature not in FEATURES:
        return "unknown_feature"
    if not FEATURES[feature](op.says["parameters"]):
        return "bad_parameters"
    return "in_force" if history.is_in_force(feature, history.past[at]) else "upgrades"

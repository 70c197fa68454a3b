"""What each admitted op of trust or policy does, or that it counts for nothing and why."""

from dataclasses import dataclass

from .authority import DENIAL_KINDS, Title, has, matches, name_of_key, names, reaches
from .devices import names_link
from .judge import FEATURES
from .quorum import ends_itself, most_pairs
from .wire import marks

VOID_DOCUMENT = {"unreadable": False, "other_project": False}
BITES = {"stale": False, "dropped": False, "short": False, "in_part": True}
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
        "short": False,
        "denied": False,
        "ended": False,
        "grants": True,
    },
    "Revoke": {
        "no_grant": False,
        "not_matched": False,
        "out_of_reach": False,
        **BITES,
        "within_reach": True,
        "revokes": True,
    },
    "IssuerKey": {"denied": False, "ended": False, "conflicts": True, "lists": True},
    "IssuerKeyRevoke": {"unlisted_key": False, "stale": False, "in_part": True, "revokes_key": True},
    "StatusList": {**VOID_DOCUMENT, **VOID_SIGNATURE, **BITES, "withdraws": True, "withdraws_nothing": True},
    "Upgrade": {"unknown_feature": None, "bad_parameters": False, "in_force": False, "short": False, "upgrades": True},
    "Schema": {"in_force": False, "short": False, "adds_rules": True},
    "Seal": {"short": False, "seals": True},
    "Cosign": {"stale": False, "adds_nobody": False, "cosigns": True},
    "Endorse": {"denied": False, "reinstates": True, "reinstates_nothing": True},
    "Device": {
        "bad_proof": False,
        "own_key": False,
        "too_deep": False,
        "carries_nothing": False,
        "short": False,
        "ended": False,
        "links": True,
    },
    "DeviceRevoke": {"no_link": False, "out_of_reach": False, **BITES, "within_reach": True, "unlinks": True},
    "ReaderKey": {"other_kem": False, "publishes": True},
    "KeyRotate": {"not_confidential": False, "rotates": True},
    "KeyGrant": {"hands_on": True},
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
            if grant.is_root and is_short(history, at):
                return "short", ()
            return lost(history, op, history.kill(Title(grant), history.everything)) or ("grants", ())
        case "Revoke":
            return revocation(history, at)
        case "IssuerKey":
            return issuer_key(history, at, op)
        case "IssuerKeyRevoke":
            return key_revocation(history, at, op)
        case "StatusList":
            return status_list(history, at)
        case "Upgrade":
            return upgrade(history, at, op), ()
        case "Schema":
            known = set(op.says["rules"]) <= history.rules_in(history.past[at])
            return "in_force" if known else "short" if is_short(history, at) else "adds_rules", ()
        case "Seal":
            return "short" if is_short(history, at) else "seals", ()
        case "Cosign":
            return cosign(history, at, op)
        case "Endorse":
            return endorsement(history, op)
        case "Device":
            return device(history, at)
        case "DeviceRevoke":
            return device_revocation(history, at)
        case "ReaderKey":
            return "publishes" if op.says["kem"] in history.marks(history.past[at])[0] else "other_kem", ()
        case "KeyRotate":
            return "rotates" if op.says["tags"] <= history.marks(history.past[at])[1] else "not_confidential", ()
        case "KeyGrant":
            return "hands_on", [op.says["key"]]


def fault(history, found):
    return found.name, history.ids(found.on)


def is_short(history, at):
    return not history.is_full(at, history.everything)


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


def ids(said):
    """The op ids of what ops say."""
    return [one.op.id for one in said]


def stale(history, at):
    """That a denial, or a `Cosign` of one, is stale, and the seals that make it so; None if it is not."""
    if history.is_stale(at, history.everything):
        return "stale", history.ids(history.seals_against(at, history.everything))
    return None


def shortcoming(history, at, reached):
    """Why a denial counts against none or not against all of the grants that it reaches; None if it does."""
    bitten = [grant for grant in reached if history.bites(at, grant, history.everything)]
    dropped = not ends_itself(history.ops[at]) and history.seals_that_drop(at, history.everything)
    found = stale(history, at)
    if found:
        return found
    if all(grant.is_root for grant in reached):
        if dropped:
            return "dropped", history.ids(dropped)
        if not bitten:
            return "short", ids(reached)
    return None if len(bitten) == len(reached) else ("in_part", ids(bitten))


def revocation(history, at):
    (denial,) = [denial for denial in history.revocations if denial.at == at]
    grants = [grant for grant in history.grants if names(denial, grant) and not has(history.past[grant.at], at)]
    if not grants:
        return "no_grant", ()
    matched = [grant for grant in grants if matches(denial, grant)]
    if not matched:
        return "not_matched", ids(grants)
    reached = [grant for grant in matched if reaches(denial, grant)]
    if not reached:
        return "out_of_reach", ids(matched)
    code = "revokes" if len(reached) == len(matched) else "within_reach"
    return shortcoming(history, at, reached) or (code, ids(reached))


def issuer_key(history, at, op):
    (key,) = [key for key in history.keys if key.at == at]

    def lost_key(key):
        return lost(history, key.op, history.death(key, history.everything))

    loss = lost_key(key)
    if loss:
        return loss
    others = [
        other.op.id
        for other in history.keys
        if name_of_key(other.op) == name_of_key(op) and other.op.says["key"] != op.says["key"] and not lost_key(other)
    ]
    return ("conflicts", others) if others else ("lists", ())


def key_revocation(history, at, op):
    listed = [
        key for key in history.keys if name_of_key(key.op) == name_of_key(op) and not has(history.past[key.at], at)
    ]
    if not listed:
        return "unlisted_key", ()
    spared = any(
        grant.is_root and key in grant.keys and not history.bites(at, grant, history.everything)
        for grant in history.grants
        for key in listed
    )
    return stale(history, at) or ("in_part" if spared else "revokes_key", ids(listed))


def status_list(history, at):
    version = history.status_lists[at]
    if version.fault:
        return fault(history, version.fault)
    withdrawn = [
        grant
        for grant in history.grants
        if grant.credential
        and any(
            version in history.versions(grant.credential, status) and version.list.bit(status.index)
            for status in grant.credential.status
        )
    ]
    if not withdrawn:
        return "withdraws_nothing", ()
    return shortcoming(history, at, withdrawn) or ("withdraws", ids(withdrawn))


def upgrade(history, at, op):
    feature = op.says["feature"]
    if feature not in FEATURES:
        return "unknown_feature"
    if not history.allows(at, feature, op.says["parameters"]):
        return "bad_parameters"
    if adds_nothing(history, at, op):
        return "in_force"
    return "short" if is_short(history, at) else "upgrades"


def adds_nothing(history, at, op):
    """Whether what an `Upgrade` names is in force for the op itself."""
    if op.says["feature"] != "confidential":
        return history.is_in_force(op.says["feature"], history.past[at])
    kem, tags = marks(op.says["parameters"])
    kems, confidential = history.marks(history.past[at])
    return kem in kems and tags <= confidential


def cosign(history, at, op):
    named = history.number[op.says["op"]]
    found = stale(history, at) if history.ops[named].kind in DENIAL_KINDS else None
    if found:
        return found
    most = most_pairs(history.pairs(named, history.everything))
    most_without = most_pairs(history.pairs(named, history.everything, without=at))
    return "adds_nobody" if most == most_without else "cosigns", [op.says["op"]]


def endorsement(history, op):
    decision = history.decisions[op.id]
    if decision.verdict == "denied":
        return "denied", [decision.witness]

    def falls(at):
        kills = [history.kill(title, history.everything, at) for title in history.warrants[at]]
        return None not in kills and not history.seals_of(at, history.everything)

    reinstated = [named for named in op.says["ops"] if falls(history.number[named])]
    return ("reinstates", reinstated) if reinstated else ("reinstates_nothing", ())


def device(history, at):
    (link,) = [link for link in history.devices if link.at == at]
    if link.fault:
        return fault(history, link.fault)
    grants = [grant for grant in grants_to(history, link.person) if history.would_carry(link, grant)]
    if not grants:
        return "carries_nothing", ()
    carried = [grant for grant in grants if history.carries(link, grant, history.everything)]
    if not carried:
        return "short", ids(grants)
    carried.sort(key=lambda grant: grant.op.id)
    kills = [history.link_kill(link, grant, history.everything, None) for grant in carried]
    return ("links", ids(carried)) if None in kills else ("ended", [kills[0][1]])


def device_revocation(history, at):
    (denial,) = [denial for denial in history.device_revocations if denial.at == at]
    links = [
        link
        for link in history.devices
        if not link.fault and names_link(denial, link) and not has(history.past[link.at], at)
    ]
    if not links:
        return "no_link", ()
    carried = [
        grant
        for grant in grants_to(history, denial.op.says["person"])
        if any(history.carries(link, grant, history.everything) for link in links)
    ]
    reached = [grant for grant in carried if history.device_revocation_reaches(denial, grant)]
    if not reached:
        return "out_of_reach", ids(links)
    whole = ("unlinks", ids(links)) if len(reached) == len(carried) else ("within_reach", ids(reached))
    return shortcoming(history, at, reached) or whole


def grants_to(history, person):
    """The grants to the person that count."""
    return [grant for grant in history.grants if grant.subject == person and not grant.fault]

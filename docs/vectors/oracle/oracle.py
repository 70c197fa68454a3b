#!/usr/bin/env python3
"""Recomputes from an op log what ECAC decides of it, its state and its trust view."""

import argparse
import json
import sys
from pathlib import Path

try:
    from ecac_oracle import export, opening, vectors
    from ecac_oracle.judge import History
    from ecac_oracle.wire import BadSignature, NonCanonical, NotAnOpLog, read_op, split
except ModuleNotFoundError as error:
    if (error.name or "").startswith("ecac_oracle"):
        raise
    requirements = Path(__file__).with_name("requirements.txt")
    print(
        f"failed to start: the Python package `{error.name}` is not installed; install what the oracle needs, best into a"
        f" virtual environment, with: {sys.executable or 'python3'} -m pip install -r {requirements}",
        file=sys.stderr,
    )
    sys.exit(3)

DOCUMENTS = {"decisions": export.decisions, "dump-state-json": export.state, "trust-dump": export.trust}
# Files of one op log, by the ending that takes the place of `.cborseq` or `-ops.cborseq`.
ENDINGS = {
    "decisions": (".decisions", "-decisions.jsonl"),
    "dump-state-json": (".state", "-state.json"),
    "trust-dump": (".trust", "-trustview.json"),
    "seals": (".seals", "-seals.jsonl"),
}
# What `compare` checks besides, which no command of `ecac` writes.
COMPARED = DOCUMENTS | {"seals": export.seals}


def read(data):
    """The ops of a file by op id. Items that nobody signed, or that are no ops, leave no trace."""
    ops = {}
    for item in split(data):
        try:
            op = read_op(item)
        except (NonCanonical, BadSignature):
            continue
        ops[op.id] = op
    return ops


def judge(log, project=None):
    """The history of a file, for the one project that it has or the one that is named."""
    ops = read(log.read_bytes())
    geneses = [op.id for op in ops.values() if op.kind == "Genesis"]
    if project is None:
        if len(geneses) != 1:
            raise NotAnOpLog(f"the file has {len(geneses)} geneses; name the project with --project")
        project = geneses[0]
    return History.of(project, ops)


def compare(directory):
    """Checks every op log of a directory against the documents beside it; the number of differences."""
    logs, compared, differences = 0, 0, 0
    for log in sorted(directory.glob("*.cborseq")):
        logs += 1
        stem = log.name.removesuffix(".cborseq")
        named = log.with_name(f"{stem}.project")
        project = bytes.fromhex(named.read_text().strip()) if named.exists() else None
        history = judge(log, project)
        for document, write in COMPARED.items():
            short, long = ENDINGS[document]
            for expected in (log.with_name(stem + short), log.with_name(stem.removesuffix("-ops") + long)):
                if not expected.exists():
                    continue
                compared += 1
                if write(history) != expected.read_bytes():
                    differences += 1
                    print(f"{log.name}: {document} differs from {expected.name}")
    print(f"{logs} op logs, {compared} documents compared, {differences} differ")
    return differences if compared else 1


def check_opening(log, readers, expected, project):
    """Prints what each reader opens of an op log, and compares it with a document; the number of differences."""
    history = judge(log, project)
    readers = opening.read_readers(readers.read_text(encoding="utf-8"))
    found = opening.opened(history, readers)
    for reader in readers:
        opens = sum(reader.name in plains for plains in found.values())
        print(f"{reader.name} opens {opens} of {len(found)} sealed values, not {len(found) - opens}")
    if expected is None:
        json.dump(opening.document(history, found), sys.stdout, indent=1)
        print()
        return 0
    document = json.loads(expected.read_text(encoding="utf-8"))
    faults = opening.differences(document, opening.document(history, found))
    for fault in faults:
        print(fault)
    print(f"{len(document['values'])} values of {expected.name} compared, {len(faults)} differences")
    return len(faults) if document["values"] else 1


def check_vectors(directory):
    """Checks every statement of every vector below a directory; the number of vectors with one that is wrong."""
    files, wrong = 0, 0
    for group in sorted(path for path in directory.iterdir() if path.is_dir() and path.name not in ("oracle", "sealed")):
        paths = sorted(group.glob("*.txt"))
        statements = 0
        for path in paths:
            count, faults = vectors.check(path.read_text(encoding="utf-8"))
            statements += count
            wrong += bool(faults)
            for fault in faults:
                print(f"{group.name}/{path.name}: {fault}")
        files += len(paths)
        print(f"{group.name}: {len(paths)} vectors, {statements} statements")
    print(f"{files} vectors, {wrong} of them wrong")
    return wrong if files else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for document in DOCUMENTS:
        command = commands.add_parser(document, help=f"write what `ecac {document}` writes")
        command.add_argument("log", type=Path, help="op log: a CBOR sequence of signed ops")
        command.add_argument("--project", type=bytes.fromhex, help="op id of the genesis, if there are several")
    command = commands.add_parser("compare", help="check every op log of a directory against the documents beside it")
    command.add_argument("directory", type=Path)
    command = commands.add_parser("vectors", help="check every statement of the vectors below a directory")
    command.add_argument("directory", type=Path)
    command = commands.add_parser("open", help="open sealed values with the private keys of readers")
    command.add_argument("log", type=Path, help="op log: a CBOR sequence of signed ops")
    command.add_argument("readers", type=Path, help="private keys of readers, as `docs/vectors/sealed` has some")
    command.add_argument("--expect", type=Path, help="what each should open; without it that is printed")
    command.add_argument("--project", type=bytes.fromhex, help="op id of the genesis, if there are several")
    arguments = parser.parse_args()
    try:
        if arguments.command == "open":
            count = check_opening(arguments.log, arguments.readers, arguments.expect, arguments.project)
            return min(count, 1)
        if arguments.command == "compare":
            return min(compare(arguments.directory), 1)
        if arguments.command == "vectors":
            return min(check_vectors(arguments.directory), 1)
        history = judge(arguments.log, arguments.project)
    except (NotAnOpLog, OSError) as error:
        print(f"failed to read the op log: {error}", file=sys.stderr)
        return 2
    except (opening.NotReaders, UnicodeDecodeError, json.JSONDecodeError) as error:
        print(f"failed to read the readers, or what they should open: {error}", file=sys.stderr)
        return 2
    sys.stdout.buffer.write(DOCUMENTS[arguments.command](history))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Holds an SBOM to the official schema of CycloneDX 1.6, strictly: no member that the schema does not know.

    python validate.py FILE

Needs what `requirements.txt` lists. Exits with 0 where the document is valid, else with 1 and the first breach.
"""

import json
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    text = Path(sys.argv[1]).read_text(encoding="utf-8")
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if error is not None:
        print(f"{sys.argv[1]} is not valid: {error}", file=sys.stderr)
        return 1
    print(f"{sys.argv[1]} is valid CycloneDX 1.6 with {len(json.loads(text)['components'])} components")
    return 0


if __name__ == "__main__":
    sys.exit(main())

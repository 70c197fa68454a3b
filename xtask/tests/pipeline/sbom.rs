//! A bill of materials as the generator writes it, made by hand: the program, one crate of crates.io, one of the workspace.

use uuid::Uuid;

const REPOSITORY: &str = "https://example.org/ecac";

/// The document of the sets that [`crate::golden::publish`] makes.
pub(crate) fn sbom(stamp: &str) -> Vec<u8> {
    let lockfile = &stamp[..1].repeat(64);
    let (hash, is_clean) = match stamp.strip_suffix("-dirty") {
        Some(hash) => (hash, false),
        None => (stamp, true),
    };
    let own = |name: &str, path: &str| {
        format!(
            "pkg:cargo/{name}@0.1.0?vcs_url=git%2Bhttps:%2F%2Fexample.org%2Fecac%40{hash}#crates/{path}"
        )
    };
    let swhid = match is_clean {
        true => format!("\n      \"swhid\": [\n        \"swh:1:rev:{hash}\"\n      ],"),
        false => String::new(),
    };
    let text = TEMPLATE
        .replace("PROGRAM", &own("ecac-cli", "cli"))
        .replace("CORE", &own("ecac-core", "core"))
        .replace("REPOSITORY", REPOSITORY)
        .replace("SWHID", &swhid)
        .replace("STAMP", stamp)
        .replace("LOCKFILE", lockfile)
        .replace("DIGEST", &"7f".repeat(32));
    let numberless = text.replace("\n  \"serialNumber\": \"NUMBER\",", "");
    let compact: String = numberless.lines().map(str::trim_start).collect();
    let compact = compact.replace("\": ", "\":");
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, REPOSITORY.as_bytes());
    let number = Uuid::new_v5(&namespace, compact.as_bytes())
        .urn()
        .to_string();
    text.replace("NUMBER", &number).into_bytes()
}

const TEMPLATE: &str = r#"{
  "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
  "bomFormat": "CycloneDX",
  "specVersion": "1.6",
  "serialNumber": "NUMBER",
  "version": 1,
  "metadata": {
    "timestamp": "2026-09-21T14:13:20Z",
    "lifecycles": [
      {
        "phase": "build"
      }
    ],
    "tools": {
      "components": [
        {
          "type": "application",
          "manufacturer": {
            "name": "the Rust project",
            "url": [
              "https://www.rust-lang.org"
            ]
          },
          "name": "cargo",
          "version": "1.95.0"
        },
        {
          "type": "application",
          "manufacturer": {
            "name": "the ECAC project",
            "url": [
              "REPOSITORY"
            ]
          },
          "name": "xtask",
          "version": "0.1.0"
        }
      ]
    },
    "manufacturer": {
      "name": "the ECAC project",
      "url": [
        "REPOSITORY"
      ]
    },
    "component": {
      "type": "application",
      "bom-ref": "PROGRAM",
      "supplier": {
        "name": "the ECAC project",
        "url": [
          "REPOSITORY"
        ]
      },
      "manufacturer": {
        "name": "the ECAC project",
        "url": [
          "REPOSITORY"
        ]
      },
      "name": "ecac",
      "version": "0.1.0",
      "scope": "required",
      "licenses": [
        {
          "expression": "MIT OR Apache-2.0",
          "acknowledgement": "declared"
        }
      ],
      "purl": "PROGRAM",SWHID
      "externalReferences": [
        {
          "type": "vcs",
          "url": "REPOSITORY"
        }
      ]
    },
    "properties": [
      {
        "name": "cdx:reproducible",
        "value": "true"
      },
      {
        "name": "ecac:cargo-lock-sha256",
        "value": "LOCKFILE"
      },
      {
        "name": "ecac:commit",
        "value": "STAMP"
      },
      {
        "name": "ecac:features",
        "value": "those of cargo build --workspace"
      },
      {
        "name": "ecac:left-out",
        "value": "build dependencies, dev dependencies, the Rust standard library, the C library"
      },
      {
        "name": "ecac:target",
        "value": "x86_64-unknown-linux-gnu"
      },
      {
        "name": "ecac:toolchain",
        "value": "1.95.0"
      }
    ]
  },
  "components": [
    {
      "type": "library",
      "bom-ref": "CORE",
      "supplier": {
        "name": "the ECAC project",
        "url": [
          "REPOSITORY"
        ]
      },
      "manufacturer": {
        "name": "the ECAC project",
        "url": [
          "REPOSITORY"
        ]
      },
      "name": "ecac-core",
      "version": "0.1.0",
      "scope": "required",
      "licenses": [
        {
          "license": {
            "id": "MIT",
            "acknowledgement": "declared"
          }
        }
      ],
      "purl": "CORE",
      "externalReferences": [
        {
          "type": "vcs",
          "url": "REPOSITORY"
        }
      ]
    },
    {
      "type": "library",
      "bom-ref": "pkg:cargo/hex@0.4.3",
      "supplier": {
        "name": "crates.io",
        "url": [
          "https://crates.io"
        ]
      },
      "name": "hex",
      "version": "0.4.3",
      "scope": "required",
      "hashes": [
        {
          "alg": "SHA-256",
          "content": "DIGEST"
        }
      ],
      "licenses": [
        {
          "expression": "MIT OR Apache-2.0",
          "acknowledgement": "declared"
        }
      ],
      "purl": "pkg:cargo/hex@0.4.3",
      "externalReferences": [
        {
          "type": "distribution",
          "url": "https://static.crates.io/crates/hex/0.4.3/download"
        }
      ]
    }
  ],
  "dependencies": [
    {
      "ref": "PROGRAM",
      "dependsOn": [
        "CORE"
      ]
    },
    {
      "ref": "CORE",
      "dependsOn": [
        "pkg:cargo/hex@0.4.3"
      ]
    },
    {
      "ref": "pkg:cargo/hex@0.4.3"
    }
  ],
  "compositions": [
    {
      "aggregate": "complete",
      "dependencies": [
        "PROGRAM",
        "CORE",
        "pkg:cargo/hex@0.4.3"
      ]
    },
    {
      "aggregate": "incomplete",
      "assemblies": [
        "PROGRAM"
      ]
    }
  ]
}
"#;

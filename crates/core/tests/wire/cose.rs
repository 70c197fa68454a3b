//! An envelope is COSE: a library that knows nothing of ECAC reads and checks it.

use coset::iana::Algorithm;
use coset::{CoseSign1, RegisteredLabelWithPrivate, TaggedCborSerializable as _};
use ecac_core::{Costs, Op, SigningKey, VerifiedOp};
use ed25519_zebra::{Signature, VerificationKey};

use crate::raw::{self, PROTECTED};
use crate::sample;

/// Whether the signature verifies with the key of the author and the external AAD.
fn verify(envelope: &CoseSign1, author: &SigningKey, aad: &[u8]) -> Result<(), String> {
    envelope.verify_signature(aad, |signature, message| {
        let key = VerificationKey::from(author);
        let signature = Signature::try_from(signature).map_err(|error| error.to_string())?;
        key.verify(&signature, message)
            .map_err(|error| error.to_string())
    })
}

#[test]
fn an_independent_library_reads_and_verifies_every_op() {
    for (what, body) in sample::bodies() {
        let bytes = body.encode().unwrap();
        let op = sample::sign(body);
        let envelope = CoseSign1::from_tagged_slice(op.envelope()).unwrap();
        let alg = RegisteredLabelWithPrivate::Assigned(Algorithm::EdDSA);
        assert_eq!(envelope.protected.header.alg, Some(alg), "{what}");
        assert!(envelope.unprotected.is_empty(), "{what}");
        assert_eq!(envelope.payload, Some(bytes), "{what}");
        assert_eq!(
            verify(&envelope, &sample::author(), b"ECAC_OP_V1"),
            Ok(()),
            "{what}"
        );
        assert!(
            verify(&envelope, &sample::key(2), b"ECAC_OP_V1").is_err(),
            "{what}"
        );
        for aad in [&b""[..], b"ECAC_OP_V2", b"ECAC_OP_V1\0"] {
            assert!(verify(&envelope, &sample::author(), aad).is_err(), "{what}");
        }
        assert_eq!(envelope.to_tagged_vec().unwrap(), op.envelope(), "{what}");
    }
}

#[test]
fn an_op_of_an_independent_library_is_the_same_bytes() {
    for (what, body) in sample::bodies() {
        let header = coset::HeaderBuilder::new()
            .algorithm(Algorithm::EdDSA)
            .build();
        let envelope = coset::CoseSign1Builder::new()
            .protected(header)
            .payload(body.encode().unwrap())
            .create_signature(b"ECAC_OP_V1", |message| {
                <[u8; 64]>::from(sample::author().sign(message)).to_vec()
            })
            .build();
        assert_eq!(
            envelope.to_tagged_vec().unwrap(),
            sample::sign(body).envelope(),
            "{what}"
        );
    }
}

#[test]
fn a_signature_with_another_domain_or_key_is_bad() {
    let (_, body) = sample::bodies().swap_remove(0);
    let bytes = body.encode().unwrap();
    let verdict = |frame: raw::Frame| {
        let op = Op::decode(&frame.encode(), &mut Costs::default()).unwrap();
        VerifiedOp::verify(op, &mut Costs::default()).is_ok()
    };
    let frame = |key| raw::Frame::signed(&bytes, &PROTECTED, &key);
    assert!(verdict(frame(sample::author())));
    assert!(!verdict(frame(sample::key(2))), "another key");
    let signed = |message: &[u8]| {
        let signature = <[u8; 64]>::from(sample::author().sign(message)).to_vec();
        raw::Frame {
            signature,
            ..frame(sample::author())
        }
    };
    let structure = |context: &str, aad: &[u8]| {
        raw::cbor(|out| {
            out.array(4)?
                .str(context)?
                .bytes(&PROTECTED)?
                .bytes(aad)?
                .bytes(&bytes)
        })
    };
    assert!(verdict(signed(&structure("Signature1", b"ECAC_OP_V1"))));
    assert!(!verdict(signed(&structure("Signature1", b""))), "no domain");
    assert!(
        !verdict(signed(&structure("Signature1", b"ECAC_OP_V2"))),
        "another domain"
    );
    assert!(
        !verdict(signed(&structure("Signature", b"ECAC_OP_V1"))),
        "another context"
    );
    assert!(!verdict(signed(&bytes)), "the bare body");
}

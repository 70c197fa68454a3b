//! Who is at the other end: TLS 1.3 with raw public keys (RFC 7250), which are the Ed25519 keys of nodes, and a list of those that are
//! let in. There are no certificates and no authorities.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use ecac_core::PublicKey;
use ecac_project::Key;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::client::AlwaysResolvesClientRawPublicKeys;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer,
    UnixTime,
};
use rustls::server::AlwaysResolvesServerRawPublicKeys;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error as TlsError, SignatureScheme,
};

/// What both ends say that they speak; another version of the transport has another name.
const PROTOCOL: &[u8] = b"ecac-sync/1";
/// `SubjectPublicKeyInfo` of an Ed25519 key (RFC 8410), up to the key.
const PUBLIC_HEAD: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
/// `PrivateKeyInfo` of an Ed25519 seed (RFC 8410), up to the seed.
const PRIVATE_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// The key of a node, as TLS has it.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    provider: Arc<CryptoProvider>,
    key: Arc<CertifiedKey>,
}

impl Identity {
    pub(crate) fn of(key: &Key) -> Result<Self> {
        let mut private = PRIVATE_HEAD.to_vec();
        private.extend_from_slice(key.signing().as_bytes());
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(private));
        let signing = ring::sign::any_supported_type(&private).context("use the node key")?;
        let mut public = PUBLIC_HEAD.to_vec();
        public.extend_from_slice(key.public().as_bytes());
        let public = CertificateDer::from(public);
        Ok(Self {
            provider: Arc::new(ring::default_provider()),
            key: Arc::new(CertifiedKey::new(vec![public], signing)),
        })
    }

    /// For who is dialled, if these nodes may dial.
    pub(crate) fn server(&self, allowed: BTreeSet<PublicKey>) -> Result<quinn::ServerConfig> {
        let config = rustls::ServerConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .context("set up TLS")?
            .with_client_cert_verifier(Arc::new(self.only(allowed)));
        let key = AlwaysResolvesServerRawPublicKeys::new(self.key.clone());
        let mut config = config.with_cert_resolver(Arc::new(key));
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        let config = QuicServerConfig::try_from(config).context("set up QUIC")?;
        Ok(quinn::ServerConfig::with_crypto(Arc::new(config)))
    }

    /// For who dials that node.
    pub(crate) fn client(&self, node: PublicKey) -> Result<quinn::ClientConfig> {
        let config = rustls::ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .context("set up TLS")?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(self.only([node].into())));
        let key = AlwaysResolvesClientRawPublicKeys::new(self.key.clone());
        let mut config = config.with_client_cert_resolver(Arc::new(key));
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        // What is sent before the other end has shown its key could be sent again by others.
        config.enable_early_data = false;
        let config = QuicClientConfig::try_from(config).context("set up QUIC")?;
        Ok(quinn::ClientConfig::new(Arc::new(config)))
    }

    fn only(&self, nodes: BTreeSet<PublicKey>) -> Only {
        Only {
            nodes,
            provider: self.provider.clone(),
        }
    }
}

/// The node at the other end of a connection.
pub(crate) fn node_of(connection: &quinn::Connection) -> Option<PublicKey> {
    let identity = connection.peer_identity()?;
    let keys = identity.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    key_of(keys.first()?)
}

fn key_of(public: &[u8]) -> Option<PublicKey> {
    let key = public.strip_prefix(&PUBLIC_HEAD)?.try_into().ok()?;
    Some(PublicKey::from_bytes(key))
}

/// Lets these nodes in and no others.
#[derive(Debug)]
struct Only {
    nodes: BTreeSet<PublicKey>,
    provider: Arc<CryptoProvider>,
}

impl Only {
    fn check(&self, public: &CertificateDer<'_>) -> Result<(), TlsError> {
        match key_of(public) {
            Some(key) if self.nodes.contains(&key) => Ok(()),
            Some(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
            None => Err(CertificateError::BadEncoding.into()),
        }
    }

    fn check_signature(
        &self,
        message: &[u8],
        public: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature_with_raw_key(
            message,
            &SubjectPublicKeyInfoDer::from(public.as_ref()),
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }
}

/// TLS 1.2 is not offered.
fn no_tls12() -> Result<HandshakeSignatureValid, TlsError> {
    Err(TlsError::General("TLS 1.2 is not spoken".to_owned()))
}

impl ServerCertVerifier for Only {
    fn verify_server_cert(
        &self,
        public: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        self.check(public).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        no_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        public: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.check_signature(message, public, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for Only {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        public: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, TlsError> {
        self.check(public).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        no_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        public: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.check_signature(message, public, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

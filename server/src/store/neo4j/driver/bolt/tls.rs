use std::sync::{Arc, LazyLock};

use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_rustls::TlsConnector;

use super::Failure;
use crate::store::StoreError;

/// Whether others can read what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::neo4j::driver) enum Security {
    /// They can.
    Plain,
    /// They cannot, and the certificate is one that this machine trusts.
    Trusted,
    /// They cannot, but whose certificate it is nobody knows.
    SelfSigned,
}

static TRUSTED: LazyLock<Result<Arc<ClientConfig>, String>> = LazyLock::new(|| {
    let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let config = config.and_then(BuilderVerifierExt::with_platform_verifier).map_err(|error| error.to_string())?;
    Ok(Arc::new(config.with_no_client_auth()))
});

static SELF_SIGNED: LazyLock<Result<Arc<ClientConfig>, String>> = LazyLock::new(|| {
    let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?.dangerous();
    Ok(Arc::new(config.with_custom_certificate_verifier(Arc::new(AnyCertificate(provider()))).with_no_client_auth()))
});

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

impl Security {
    pub(super) fn connector(self) -> Result<Option<TlsConnector>, Failure> {
        let config = match self {
            Self::Plain => return Ok(None),
            Self::Trusted => TRUSTED.clone(),
            Self::SelfSigned => SELF_SIGNED.clone(),
        };
        let config = config.map_err(|error| StoreError::Unavailable(format!("TLS cannot be used: {error}")))?;
        Ok(Some(TlsConnector::from(config)))
    }
}

/// The name that a certificate is to be for.
pub(super) fn name(host: &str) -> Result<ServerName<'static>, Failure> {
    let name = ServerName::try_from(host.to_owned());
    Ok(name.map_err(|error| StoreError::Unavailable(format!("the address of Neo4j names no host: {error}")))?)
}

/// Takes whatever certificate is shown, as `+ssc` in the address asks for.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

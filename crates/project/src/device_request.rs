//! Requests of devices: one line by which a key asks to sign for a person, without a secret in it.

use core::fmt;
use core::str::FromStr;

use ecac_core::payload::Device;
use ecac_core::{ProjectId, PublicKey};

use crate::key::Key;

/// What every request begins with.
const SCHEME: &str = "ecac:device/";

/// That a key asks to sign for a person in a project, with the proof that whoever asks has the key. It is no permission, and
/// no secret.
///
/// As a line: `ecac:device/<project id>/<did:key of the person>/<did:key of the device>/<proof in hexadecimal>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRequest {
    /// The project.
    pub project: ProjectId,
    /// The link that is asked for.
    pub device: Device,
}

/// Why a text is no [`DeviceRequest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseDeviceRequestError {
    /// It has another form.
    #[error("a request is a line such as ecac:device/PROJECT/did:key:z6Mk…/did:key:z6Mk…/PROOF")]
    Form,
    /// The key that asks did not sign it: it was cut off, changed, or made by somebody else.
    #[error("the key that asks did not sign this line")]
    Proof,
}

impl DeviceRequest {
    /// The request of the key.
    #[must_use]
    pub fn of(project: ProjectId, person: PublicKey, key: &Key) -> Self {
        let message = Device::proof_of(&project, &person);
        Self {
            project,
            device: Device {
                person,
                key: key.public(),
                proof: key.signing().sign(&message).to_bytes(),
            },
        }
    }
}

impl fmt::Display for DeviceRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Device { person, key, proof } = &self.device;
        let proof = hex::encode(proof);
        write!(f, "{SCHEME}{}/{person}/{key}/{proof}", self.project)
    }
}

impl FromStr for DeviceRequest {
    type Err = ParseDeviceRequestError;

    fn from_str(line: &str) -> Result<Self, ParseDeviceRequestError> {
        let form = ParseDeviceRequestError::Form;
        let parts = line.trim().strip_prefix(SCHEME).ok_or(form)?;
        let parts: Vec<&str> = parts.split('/').collect();
        let [project, person, key, digits] = parts[..] else {
            return Err(form);
        };
        let mut proof = [0; 64];
        hex::decode_to_slice(digits, &mut proof).map_err(|_| form)?;
        let request = Self {
            project: project.parse().map_err(|_| form)?,
            device: Device {
                person: person.parse().map_err(|_| form)?,
                key: key.parse().map_err(|_| form)?,
                proof,
            },
        };
        if !request.device.is_proven(&request.project) {
            return Err(ParseDeviceRequestError::Proof);
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecac_core::{OpId, SigningKey, public_key};

    #[test]
    fn a_line_says_what_it_was_made_of_and_nobody_can_change_it() {
        let phone = Key::of("phone".parse().unwrap(), [2; 32]);
        let person = public_key(&SigningKey::from([1; 32]));
        let request = DeviceRequest::of(OpId::from_bytes([7; 32]), person, &phone);
        let line = request.to_string();
        assert_eq!(line.parse(), Ok(request.clone()));
        assert_eq!(format!(" {line}\n").parse(), Ok(request.clone()));
        for end in 0..line.len() {
            assert!(line[..end].parse::<DeviceRequest>().is_err(), "{end}");
        }
        let other = public_key(&SigningKey::from([3; 32]));
        let stolen = line.replace(&person.to_string(), &other.to_string());
        let refused = stolen.parse::<DeviceRequest>();
        assert_eq!(refused, Err(ParseDeviceRequestError::Proof));
        assert_eq!(
            "ecac:device/x".parse::<DeviceRequest>(),
            Err(ParseDeviceRequestError::Form)
        );
    }
}

//! Invitations: one line to paste, without a secret in it.

use core::fmt;
use core::str::FromStr;

use ecac_core::{Name, ProjectId, PublicKey};

/// What every invitation begins with.
const SCHEME: &str = "ecac:join/";

/// What somebody has to know to join a project: which it is. It is no permission, and no secret.
///
/// As a line: `ecac:join/<project id>/<did:key of the inviter>/<name of the project>`; in the name every byte but ASCII letters,
/// digits, `-`, `.` and `_` is percent-encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The project.
    pub project: ProjectId,
    /// Who invites.
    pub inviter: PublicKey,
    /// What the project is called: a hint, which nothing vouches for.
    pub name: Name,
}

/// Why a text is no [`Invitation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an invitation is a line such as ecac:join/PROJECT/did:key:z6Mk…/NAME")]
pub struct ParseInvitationError;

impl fmt::Display for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}/", self.project, self.inviter)?;
        for byte in self.name.as_str().bytes() {
            if is_bare(byte) {
                write!(f, "{}", char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

const fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

impl FromStr for Invitation {
    type Err = ParseInvitationError;

    fn from_str(line: &str) -> Result<Self, ParseInvitationError> {
        let parts = line.trim().strip_prefix(SCHEME);
        let (project, rest) = parts
            .and_then(|it| it.split_once('/'))
            .ok_or(ParseInvitationError)?;
        let (inviter, name) = rest.split_once('/').ok_or(ParseInvitationError)?;
        let name = decoded(name).ok_or(ParseInvitationError)?;
        Ok(Self {
            project: project.parse().map_err(|_| ParseInvitationError)?,
            inviter: inviter.parse().map_err(|_| ParseInvitationError)?,
            name: Name::new(name).map_err(|_| ParseInvitationError)?,
        })
    }
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let mut value = [0];
                hex::decode_to_slice(digits, &mut value).ok()?;
                value[0]
            }
            _ if is_bare(byte) => byte,
            _ => return None,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecac_core::{OpId, SigningKey, public_key};

    #[test]
    fn a_line_says_what_it_was_made_of() {
        for name in ["shop", "motor shop / Köln 100%", "a.b-c_d"] {
            let invitation = Invitation {
                project: OpId::from_bytes([7; 32]),
                inviter: public_key(&SigningKey::from([1; 32])),
                name: Name::new(name).unwrap(),
            };
            let line = invitation.to_string();
            assert!(line.bytes().all(|byte| byte.is_ascii_graphic()), "{line}");
            assert_eq!(line.parse(), Ok(invitation.clone()));
            assert_eq!(format!(" {line}\n").parse(), Ok(invitation));
            for end in 0..line.len() - 1 {
                let shorter = &line[..end];
                assert!(
                    shorter
                        .parse::<Invitation>()
                        .is_err_and(|it| it == ParseInvitationError)
                        || end > SCHEME.len() + 120
                );
            }
        }
        for bad in ["", "ecac:join/", "ecac:join/x/y/z", "https://x"] {
            assert!(bad.parse::<Invitation>().is_err(), "{bad}");
        }
    }
}
